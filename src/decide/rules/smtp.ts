import type { Rule } from "../../rotation/decision.ts";
import { hold } from "../rulings.ts";

/**
 * Between rules 4 and 5. An SMTP password is derived from the secret key, and no source is known to see SMTP log-ins:
 * a user that may send mail so is held until its profile says that it does not.
 */
export const smtp: Rule = {
  name: "smtp",
  judge({ observation, profile }) {
    const right = observation.iamUser?.smtp ?? "unknown";
    if (profile?.smtp === "none" || right === "none") return null;
    const said = right === "allowed" ? "is allowed" : "may, for all that can be told, be allowed";
    return hold("SmtpNotRuledOut", `the user ${said} ses:SendRawEmail, and no source sees SMTP log-ins`);
  },
};
