// `hot-call.mjs CONFIG EVENT`: median nanoseconds of one `decide`, as `{"ns": ...}`; `cargo xtask bench bindings`.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { Engine } from "../index.mjs";

const [config, path] = process.argv.slice(2);
const engine = Engine.fromToml(readFileSync(config, "utf8"));
const { request, time_ms: now } = JSON.parse(readFileSync(path, "utf8"));
// As `node:http` hands a request over.
const fields = {
  method: request.method,
  scheme: request.scheme,
  target: `${request.path}?${request.query}`,
  httpVersion: "1.1",
  rawHeaders: request.headers.flat(),
  peer: request.peer.ip,
  body: Buffer.from(request.body),
  bodyLength: request.body_len,
};
assert.equal(engine.decide(fields, now).outcome, "allow");

const CALLS = 50;
let passed = 0;
const windows = Array.from({ length: 4000 }, () => {
  const start = performance.now();
  for (let call = 0; call < CALLS; call += 1) if (engine.decide(fields, now).passes) passed += 1;
  return ((performance.now() - start) * 1e6) / CALLS;
});
assert.equal(passed, CALLS * windows.length);
windows.sort((a, b) => a - b);
console.log(JSON.stringify({ ns: windows[windows.length >> 1] }));
