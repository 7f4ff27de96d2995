// What one call costs: `hot-call.mjs CONFIG EVENT` prints `{"ns": median nanoseconds}`. From what an `IncomingMessage`
// holds to an answer that can be acted upon.

import { readFileSync } from "node:fs";
import { Engine } from "zt";

const CALLS = 100;
const WINDOWS = 2_000;

const [config, file] = process.argv.slice(2);
const engine = Engine.fromToml(readFileSync(config, "utf8"));
const { time_ms: now, request } = JSON.parse(readFileSync(file, "utf8"));
const message = {
  method: request.method,
  url: `${request.path}?${request.query}`,
  httpVersion: request.http_version,
  rawHeaders: request.headers.flat(),
  remoteAddress: request.peer.ip,
  body: Buffer.from(request.body),
};

function call() {
  const { method, url, httpVersion, rawHeaders, remoteAddress, body } = message;
  return engine.decide({ method, scheme: "https", target: url, httpVersion, rawHeaders, peer: remoteAddress, body }, now).passes;
}

if (!call()) throw new Error("the request was refused");
const windows = [];
for (let window = 0; window < WINDOWS; window++) {
  const start = process.hrtime.bigint();
  for (let n = 0; n < CALLS; n++) call();
  windows.push(Number(process.hrtime.bigint() - start) / CALLS);
}
windows.sort((a, b) => a - b);
console.log(JSON.stringify({ ns: windows[WINDOWS / 2] }));
