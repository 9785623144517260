import { ServiceError } from "./call.ts";
import type { Operations } from "./caller.ts";
import { optionalText, text } from "./input.ts";

const NAME = "keyturn";
const ROLE = "keyturn-function-us-east-1";

/** What `serverless.yml` deploys, as its services describe it. A test turns its switches to see what an operator is told. */
export class Deployment {
  timeoutS = 900;
  isScheduleEnabled = true;
  hasRole = true;

  /** Other functions' calls are consumers', and answer nothing. */
  readonly lambda: Operations = {
    Invoke: () => ({}),
    GetFunction: () => ({}),
    ListFunctions: () => ({}),
    GetFunctionConfiguration: ({ input }) => {
      if (text(input, "FunctionName") !== NAME) {
        throw new ServiceError("ResourceNotFoundException", "Function not found", 404);
      }
      return {
        FunctionName: NAME,
        State: "Active",
        Runtime: "nodejs24.x",
        Timeout: this.timeoutS,
        Role: `arn:aws:iam::123456789012:role/${ROLE}`,
        Environment: { Variables: { KEYTURN_STAGE: "default", KEYTURN_TABLE: NAME, KEYTURN_TOPIC: NAME } },
      };
    },
  };

  /** The API is REST: a call is named by its method and path (EventBridge Scheduler API, GetSchedule). */
  readonly scheduler: Operations = {
    [`GET /schedules/${NAME}-sweep`]: () => ({
      Name: `${NAME}-sweep`,
      State: this.isScheduleEnabled ? "ENABLED" : "DISABLED",
    }),
  };

  readonly iam: Operations = {
    GetRole: ({ input }) => {
      const name = optionalText(input, "RoleName");
      if (!this.hasRole || name !== ROLE) throw new ServiceError("NoSuchEntity", "The role cannot be found.", 404);
      return {
        Role: { RoleName: name, Arn: `arn:aws:iam::123456789012:role/${name}`, Path: "/", RoleId: "AROAEXAMPLE" },
      };
    },
  };
}
