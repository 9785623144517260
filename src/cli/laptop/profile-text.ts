import { RotationError } from "../../rotation/errors.ts";

/** A profile's settings in a shared file of AWS's, by line. Source: AWS SDKs and Tools Reference Guide, shared config and credentials files. */
export interface ProfileText {
  value(name: string): string | null;
  /** The whole text with these settings changed or, where there are none, added at the head of the profile. */
  with(settings: Readonly<Record<string, string>>): string;
}

const SECTION = /^\s*\[\s*([^\]]*?)\s*\]/;
/** A line that begins with a space belongs to the setting above it. */
const SETTING = /^(\w+)(\s*=\s*)([^\r\n]*)/;
/** As its bytes read one by one. */
const BYTE_ORDER_MARK = /^\u00EF\u00BB\u00BF/;

/** A text of ours as the files are read and written: its bytes, one character each. */
export const bytesOf = (text: string): string => Buffer.from(text).toString("latin1");

/** A profile in a text; null where there is none. Throws `Misconfigured` when it or a setting is there twice: nobody knows which counts. */
export function profileIn(text: string, section: string): ProfileText | null {
  const lines = text.split(/(?<=\n)/);
  const named = lines.map((line) => SECTION.exec(line.replace(BYTE_ORDER_MARK, ""))?.[1]?.replaceAll(/\s+/g, " "));
  const heads = named.flatMap((name, at) => (name?.replaceAll(/["']/g, "") === bytesOf(section) ? [at] : []));
  const [head] = heads;
  if (head === undefined) return null;
  if (heads.length > 1) throw twice(`[${section}]`);
  const next = named.findIndex((name, at) => at > head && name !== undefined);
  const end = next === -1 ? lines.length : next;
  const find = (name: string): number | null => {
    const found = lines.flatMap((line, at) => (at > head && at < end && SETTING.exec(line)?.[1] === name ? [at] : []));
    if (found.length > 1) throw twice(`${name} of [${section}]`);
    return found[0] ?? null;
  };
  return {
    value(name) {
      const at = find(name);
      // Some readers take what follows " #" for a comment.
      return at === null ? null : (SETTING.exec(lines[at] ?? "")?.[3] ?? "").replace(/\s+[#;].*$/, "").trim();
    },
    with(settings) {
      const changed = [...lines];
      for (const [name, value] of Object.entries(settings)) {
        const at = find(name);
        if (at === null) changed[head] = added(changed[head] ?? "", `${name} = ${value}`);
        else changed[at] = (changed[at] ?? "").replace(SETTING, (_, key: string, is: string) => `${key}${is}${value}`);
      }
      return changed.join("");
    },
  };
}

/** A setting after the line of its section, which may be the last and without an end. */
function added(line: string, setting: string): string {
  const [ending = "\n"] = /\r?\n$/.exec(line) ?? [];
  return `${line.replace(/\r?\n$/, "")}${ending}${setting}${ending}`;
}

/** A text with a new profile at its end. */
export function withProfile(text: string, section: string, settings: Readonly<Record<string, string>>): string {
  const ending = text.includes("\r\n") ? "\r\n" : "\n";
  const gap = text === "" ? "" : text.endsWith("\n") ? ending : ending + ending;
  const lines = [`[${section}]`, ...Object.entries(settings).map(([name, value]) => `${name} = ${value}`)];
  return text + gap + lines.map((line) => line + ending).join("");
}

const twice = (what: string): RotationError =>
  new RotationError("Misconfigured", `reading the profile, ${what} is there twice: keep one of them`);
