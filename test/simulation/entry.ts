/** What is bundled to be run: for speed, and so that a single file of src can be replaced on the way. */
export { addCoverage } from "./coverage.ts";
export { drawLife } from "./life.ts";
export { live, simulate } from "./simulate.ts";
