// The cases of `cargo xtask conformance` in workerd: `conformance.mjs CASES OUT`, one answer a line.

import { readFileSync, writeFileSync } from "node:fs";
import { call, start } from "./runtime.mjs";

const BATCH = 100;
const [cases, out] = process.argv.slice(2);
if (out === undefined) {
  // `node --test` runs every file of this folder.
  console.error("usage: conformance.mjs CASES OUT");
  process.exit();
}
const worker = start("documents.worker.mjs");
try {
  const asked = readFileSync(cases, "utf8").split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
  const answers = [];
  for (let at = 0; at < asked.length; at += BATCH) {
    const batch = asked.slice(at, at + BATCH);
    const given = await call(worker, "/ops", batch.map(({ op, document, text }) => ({ name: op, document: text ?? document })));
    batch.forEach(({ suite, id }, index) => answers.push({ suite, id, ...given[index] }));
  }
  writeFileSync(out, answers.map((answer) => `${JSON.stringify(answer)}\n`).join(""));
} finally {
  await worker.dispose();
}
