import type { CliCommand } from "../command.ts";
import { LAPTOP } from "../laptop/index.ts";
import { ACTS } from "./acts.ts";
import { createCompletion } from "./completion.ts";
import { DOCTOR } from "./doctor.ts";
import { ENROLMENT } from "./enrolment.ts";
import { LOOKS } from "./looks.ts";
import { REPORT } from "./report.ts";
import { SWEEP } from "./sweep.ts";

/** Every word of `keyturn`, in the order in which the help lists them. A new one is an object in a file here. */
const WORDS: readonly CliCommand[] = [...LOOKS, REPORT, SWEEP, ...ACTS, ...ENROLMENT, DOCTOR, ...LAPTOP];

export const COMMANDS: readonly CliCommand[] = [...WORDS, createCompletion(WORDS)];
