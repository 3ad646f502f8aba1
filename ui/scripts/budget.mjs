/** Fails the build when a part of the pages weighs more than it may. Sizes are of the gzipped files, in kB (1000 B). */
import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const FIRST_LOAD = 200;
const STYLES = 25;
const CHUNK = 80;
/** Chunks that may weigh more than CHUNK, by the start of their source's path. */
const EXCEPTIONS = { "src/launchpad/": 130 };

const root = fileURLToPath(new URL("../../src/penstock/web/static/", import.meta.url));
const manifestPath = `${root}.vite/manifest.json`;
const manifest = JSON.parse(readFileSync(manifestPath, "utf8"));

const weight = (file) =>
  (existsSync(`${root}${file}.gz`) ? statSync(`${root}${file}.gz`).size : gzipSync(readFileSync(root + file)).length) / 1000;
const sum = (files) => [...files].reduce((total, file) => total + weight(file), 0);

/** Every chunk that loading `key` loads at once. */
function closure(key, seen = new Set()) {
  if (!seen.has(key)) {
    seen.add(key);
    for (const next of manifest[key].imports ?? []) closure(next, seen);
  }
  return seen;
}

const first = closure("index.html");
const rows = [];
rows.push(["first load, scripts", sum([...first].map((key) => manifest[key].file)), FIRST_LOAD]);
rows.push(["first load, styles", sum([...first].flatMap((key) => manifest[key].css ?? [])), STYLES]);
for (const [key, chunk] of Object.entries(manifest)) {
  if (!chunk.isDynamicEntry) continue;
  const own = [...closure(key)].filter((part) => !first.has(part));
  const limit = Object.entries(EXCEPTIONS).find(([start]) => key.startsWith(start))?.[1] ?? CHUNK;
  rows.push([key, sum(own.map((part) => manifest[part].file)), limit]);
}

let over = 0;
for (const [name, size, limit] of rows.sort((a, b) => b[1] - a[1])) {
  const mark = size > limit ? "OVER" : "";
  over += size > limit ? 1 : 0;
  console.log(`${size.toFixed(1).padStart(7)} of ${String(limit).padStart(3)} kB  ${name} ${mark}`);
}
rmSync(`${root}.vite`, { recursive: true });
if (over > 0) {
  console.error(`${over} part(s) of the pages weigh more than they may: see scripts/budget.mjs.`);
  process.exit(1);
}
