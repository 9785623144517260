"use strict";

const { execFileSync } = require("node:child_process");
const { join } = require("node:path");

/**
 * A plugin of Serverless that makes dist/keyturn.cjs before it is packaged or invoked. The build runs in the project's
 * own Node, because Serverless may run in one that cannot load TypeScript.
 */
module.exports = class BundleHook {
  constructor({ serviceDir }) {
    const bundle = () => {
      const node = join(serviceDir, "node_modules", ".bin", "node");
      execFileSync(node, [join("scripts", "build.ts")], { cwd: serviceDir, stdio: "inherit" });
    };
    this.hooks = {
      "before:package:createDeploymentArtifacts": bundle,
      "before:deploy:function:packageFunction": bundle,
      "before:invoke:local:invoke": bundle,
    };
  }
};
