import type { Terminal } from "../../src/cli/command.ts";

/** A terminal that keeps what was written, and types what it was told to. */
export function aTerminal(change: Partial<Terminal> & { readonly typed?: string } = {}) {
  const written = { out: "", err: "" };
  const { typed, ...rest } = change;
  const terminal: Terminal = {
    isInteractive: false,
    columns: 100,
    env: {},
    home: "/nowhere",
    out: (text) => void (written.out += text),
    err: (text) => void (written.err += text),
    ask: () => (typed === undefined ? Promise.reject(new Error("nobody can type here")) : Promise.resolve(typed)),
    ...rest,
  };
  return { terminal, written };
}
