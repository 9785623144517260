declare module "dynalite" {
  import type { Server } from "node:http";

  interface DynaliteOptions {
    readonly createTableMs?: number;
  }

  /** DynamoDB in this process's memory. */
  export default function dynalite(options?: DynaliteOptions): Server;
}
