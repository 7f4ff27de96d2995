// Recorded events through an engine in workerd: `replay.mjs CONFIG EVENTS OUT`, one decision a line, byte for byte.

import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { call, start } from "./runtime.mjs";

const BATCH = 500;
const [config, events, out] = process.argv.slice(2);
const worker = start("documents.worker.mjs");
try {
  await call(worker, "/load", readFileSync(config, "utf8"));
  const written = openSync(out, "w");
  const lines = readFileSync(events, "utf8").split("\n").filter((line) => line.trim() !== "");
  for (let at = 0; at < lines.length; at += BATCH) {
    for (const decision of await call(worker, "/replay", lines.slice(at, at + BATCH))) writeSync(written, `${decision}\n`);
  }
  closeSync(written);
} finally {
  await worker.dispose();
}
