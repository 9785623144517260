import { ServiceError } from "./call.ts";
import type { SimulatedUser } from "./iam-state.ts";
import { optionalText, structures, text, texts } from "./input.ts";

type Input = Readonly<Record<string, unknown>>;
type Tags = SimulatedUser["tags"];

const TAGS_PER_USER_MAX = 50;
const KEY_LENGTH_MAX = 128;
const VALUE_LENGTH_MAX = 256;
/** The characters of keys and values (IAM API, Tag). */
const ALLOWED = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** Tag keys of users are compared without case, and keep the case they were written in (IAM User Guide, tags). */
const isSameKey = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

const invalid = (what: string): ServiceError => new ServiceError("ValidationError", `1 validation error: ${what}`);

/** The tags after TagUser: it overwrites silently. 50 a user, counted after the change (IAM API). */
export function tagged(tags: Tags, input: Input): Tags {
  const given = structures(input, "Tags").map((tag) => ({
    Key: text(tag, "Key"),
    Value: optionalText(tag, "Value") ?? "",
  }));
  for (const { Key, Value } of given) {
    if (Key.length > KEY_LENGTH_MAX || !ALLOWED.test(Key)) throw invalid(`the tag key ${Key}`);
    if (Value.length > VALUE_LENGTH_MAX || !ALLOWED.test(Value)) throw invalid(`the value of ${Key}`);
    if (Key.toLowerCase().startsWith("aws:")) throw new ServiceError("InvalidInput", "aws: is a reserved prefix");
    if (given.filter((other) => isSameKey(other.Key, Key)).length > 1) {
      throw new ServiceError(
        "InvalidInput",
        "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
      );
    }
  }
  const kept = tags.filter((tag) => !given.some(({ Key }) => isSameKey(Key, tag.Key)));
  const after = [...kept, ...given];
  if (after.length <= TAGS_PER_USER_MAX) return after;
  throw new ServiceError("LimitExceeded", "Cannot exceed quota for TagsPerUser: 50", 409);
}

/** The tags after UntagUser. Taking away what is not there succeeds (IAM API). */
export function untagged(tags: Tags, input: Input): Tags {
  const gone = texts(input, "TagKeys");
  if (gone.length > TAGS_PER_USER_MAX) throw invalid("more than 50 tag keys");
  return tags.filter(({ Key }) => !gone.some((key) => isSameKey(key, Key)));
}
