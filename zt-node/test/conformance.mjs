// The cases of `cargo xtask conformance`: `conformance.mjs CASES OUT`, one answer a line.

import { readFileSync, writeFileSync } from "node:fs";
import { op } from "zt";

const [cases, out] = process.argv.slice(2);
if (out === undefined) {
  // `node --test` runs every file of this folder.
  console.error("usage: conformance.mjs CASES OUT");
  process.exit();
}
const answers = readFileSync(cases, "utf8").split("\n").filter((line) => line !== "").map((line) => {
  const { suite, id, op: name, document, text } = JSON.parse(line);
  try {
    return { suite, id, answer: op(name, text ?? document), error: null };
  } catch (error) {
    return { suite, id, answer: null, error: error.message };
  }
});
writeFileSync(out, answers.map((answer) => `${JSON.stringify(answer)}\n`).join(""));
