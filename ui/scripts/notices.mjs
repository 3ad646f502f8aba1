/** A build step: writes the licences of all packages that end up in the pages, and refuses those we may not ship. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const ALLOWED = new Set(["MIT", "ISC", "0BSD", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0"]);
const LICENCE_FILE = /^(licen[cs]e|copying|notice)(\.(md|txt))?$/i;

/** @returns {import("vite").Plugin} */
export function notices() {
  return {
    name: "penstock:notices",
    apply: "build",
    generateBundle(_options, bundle) {
      const folders = new Set();
      for (const chunk of Object.values(bundle)) {
        for (const id of chunk.type === "chunk" ? chunk.moduleIds : []) {
          const folder = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id.replaceAll("\\", "/").replace(/^\0+/, ""))?.[0];
          if (folder !== undefined && existsSync(join(folder, "package.json"))) folders.add(folder);
        }
      }
      const texts = [...folders].map((folder) => notice(folder, (problem) => this.error(problem)));
      this.emitFile({ type: "asset", fileName: "third-party-licences.txt", source: texts.sort().join("\n\n") });
    },
  };
}

function notice(folder, fail) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  if (!ALLOWED.has(license)) fail(`${name} ${version} has the licence ${license}; see the list in scripts/notices.mjs.`);
  const files = readdirSync(folder).filter((file) => LICENCE_FILE.test(file));
  const texts = files.map((file) => readFileSync(join(folder, file), "utf8").trim());
  return [`${name} ${version} (${license})`, ...texts].join("\n\n");
}
