// Recorded events through an engine: `replay.mjs CONFIG EVENTS OUT`, one decision a line, byte for byte.

import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { Engine } from "zt";

const [config, events, out] = process.argv.slice(2);
if (out === undefined) {
  // `node --test` runs every file of this folder.
  console.error("usage: replay.mjs CONFIG EVENTS OUT");
  process.exit();
}
const engine = Engine.fromToml(readFileSync(config, "utf8"));
const recorded = readFileSync(events);
const written = openSync(out, "w");
// By bytes: `readline` also ends a line at U+2028, which JSON may hold.
for (let start = 0; start < recorded.length;) {
  const newline = recorded.indexOf(10, start);
  const end = newline === -1 ? recorded.length : newline;
  const line = recorded.toString("utf8", start, end);
  if (line.trim() !== "") writeSync(written, `${engine.decideEventJson(line)}\n`);
  start = end + 1;
}
closeSync(written);
