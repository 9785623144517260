import type { IAMClient } from "@aws-sdk/client-iam";
import { describe, expect, test } from "vitest";
import { readKeyReport } from "../../src/cloud/credential-report.ts";

const CLOCK = { sleep: async () => Promise.resolve() };
const HEADER =
  "user,arn,access_key_1_active,access_key_1_last_rotated,access_key_2_active,access_key_2_last_rotated,additional_credentials_info";

/** An IAM whose report is this text. */
const iamWith = (csv: string): IAMClient =>
  ({
    send: async () => Promise.resolve({ State: "COMPLETE", Content: new TextEncoder().encode(csv) }),
  }) as unknown as IAMClient;

const read = async (...lines: readonly string[]): Promise<unknown> => {
  const report = await readKeyReport(iamWith(lines.join("\n")), CLOCK);
  return report === null ? null : Object.fromEntries(report);
};

describe("the credential report", () => {
  test("is read by the names of its columns, quoted fields, line ends and further columns as they come", async () => {
    const at = Date.UTC(2026, 0, 2, 3, 4, 5);
    const written = "2026-01-02T03:04:05+00:00";
    const crlf = `${HEADER}\r\n"a,b","arn:""a,b""",true,${written},false,N/A,"2 more,\nof another line"\r\n`;
    expect(await read(crlf)).toEqual({ "a,b": [{ isActive: true, changedAt: at }] });
    const swapped = "access_key_2_active,access_key_2_last_rotated,access_key_1_last_rotated,access_key_1_active,user";
    expect(await read(swapped, `false,${written},N/A,false,x`)).toEqual({ x: [{ isActive: false, changedAt: at }] });
  });

  test("has no key that was never made, and no root", async () => {
    const none = "false,N/A,false,N/A,";
    expect(await read(HEADER, `<root_account>,arn,${none}`, `x,arn,${none}`, "")).toEqual({ x: [] });
  });

  test.for([
    ["is empty", []],
    ["lacks a column", [HEADER.replace("access_key_2_active", "other"), "x,arn,false,N/A,false,N/A,"]],
    ["is cut off in a line", [HEADER, "x,arn,false,N/A,false,N/A,", "y,arn,fal"]],
    ["is no CSV", ["<html>", "</html>"]],
  ] as const)("is Unreachable when it %s", async ([, lines]) => {
    await expect(read(...lines)).rejects.toMatchObject({ code: "Unreachable" });
  });
});
