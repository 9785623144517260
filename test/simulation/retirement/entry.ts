/** What is bundled to be run: for speed, and so that a single file of src can be replaced on the way. */
export { addCoverage } from "../coverage.ts";
export { simulate } from "./retire.ts";
