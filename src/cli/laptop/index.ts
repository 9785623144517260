import type { CliCommand } from "../command.ts";
import { CREDENTIAL_PROCESS } from "./credential-process.ts";
import { INSTALL_PROFILE } from "./install-profile.ts";
import { PULL } from "./pull.ts";

/** What a developer's machine or a CI needs, with no right but the one to read its user's own secret. */
export const LAPTOP: readonly CliCommand[] = [CREDENTIAL_PROCESS, PULL, INSTALL_PROFILE];
