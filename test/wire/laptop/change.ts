import { argv } from "node:process";
import { changeWhole } from "../../../src/cli/laptop/whole-file.ts";

/** Puts a text into a file, as a program of its own. */
const [file = "", text = ""] = argv.slice(2);
await changeWhole(file, () => text);
