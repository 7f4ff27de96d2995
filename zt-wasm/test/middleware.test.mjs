// `withZt` inside workerd.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import http from "node:http";
import { after, test } from "node:test";
import { start } from "./runtime.mjs";

const KEY = "test-key-of-partner-7";
const CONFIG = `
version = 1
[inspect]
max_body = "1KiB"
[[verify.api_key]]
id = "partner-7"
sha256 = "${createHash("sha256").update(KEY).digest("hex")}"
roles = ["partner"]
[[verify.api_key]]
id = "accented"
sha256 = "${createHash("sha256").update("\u00e9").digest("hex")}"
[[endpoint]]
method = "*"
path = "/v1/orders/{id}"
[[endpoint]]
method = "*"
path = "/seen"
anonymous = true
[[endpoint]]
method = "POST"
path = "/echo"
anonymous = true
`;

const AT_ONCE = readFileSync(new URL("../../zt-core/tests/at_once.toml", import.meta.url), "utf8");

const worker = start("middleware.worker.mjs", { CONFIG, AT_ONCE });
after(() => worker.dispose());
const fetch = (path, init) => worker.dispatchFetch(`https://api.example.com${path}`, init);
const json = { "content-type": "application/json" };

test("a good request reaches the handler with its identity", async () => {
  const answer = await fetch("/v1/orders/42?x=1", { headers: { "x-api-key": KEY } });
  assert.equal(answer.status, 200);
  assert.equal((await answer.json()).who, "partner-7");
});

test("a refusal is a problem document", async () => {
  const answer = await fetch("/v1/orders/42");
  assert.equal(answer.status, 401);
  assert.match(answer.headers.get("content-type"), /^application\/problem\+json/);
  assert.match(answer.headers.get("www-authenticate"), /realm=/);
  assert.deepEqual((await answer.json()).reasons, ["verify.no_credential"]);
});

test("an encoded slash arrives as it was sent", async () => {
  const answer = await fetch("/v1/orders/a%2Fb", { headers: { "x-api-key": KEY } });
  assert.deepEqual((await answer.json()).reasons, ["route.encoded_slash"]);
});

test("header bytes are those of the wire", async () => {
  // undici sends c3 a9; the edge reads that as one character.
  const answer = await fetch("/v1/orders/42", { headers: { "x-api-key": "\u00c3\u00a9" } });
  assert.equal((await answer.json()).who, "accented");
});

test("what the edge knows of the peer is handed on", async () => {
  await fetch("/seen");
  await fetch("/v1/orders/42", { headers: { "x-api-key": KEY, "cf-connecting-ip": "203.0.113.7" } });
  const [decision] = await (await fetch("/seen")).json();
  assert.deepEqual([decision.outcome, decision.reasons, decision.endpoint.template], ["allow", [], "/v1/orders/{id}"]);
});

test("a peer address that is not one refuses", async () => {
  const answer = await fetch("/v1/orders/42", { headers: { "x-api-key": KEY, "cf-connecting-ip": "nobody" } });
  assert.deepEqual((await answer.json()).reasons, ["internal.panic"]);
});

test("a body is inspected, and the handler finds it whole", async () => {
  const body = JSON.stringify({ text: "é".repeat(100) });
  const whole = await fetch("/echo", { method: "POST", headers: json, body });
  assert.equal((await whole.json()).length, body.length);
  const twice = await fetch("/echo", { method: "POST", headers: json, body: '{"a":1,"a":2}' });
  assert.deepEqual([twice.status, (await twice.json()).reasons], [400, ["inspect.json_duplicate_key"]]);
});

/** A body without an announced length. */
function stream(text) {
  const bytes = new TextEncoder().encode(text);
  return new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += 300) controller.enqueue(bytes.slice(at, at + 300));
      controller.close();
    },
  });
}

/** Sends what it is given and no end, as a client that is still sending when it is answered. */
async function sendHalf(headers, part) {
  const { hostname, port } = await worker.ready;
  const request = http.request({ hostname, port, method: "POST", path: "/echo", agent: false, headers: { ...json, ...headers } });
  request.on("error", () => {});
  request.write(part);
  const [response] = await once(request, "response");
  const parts = await response.toArray();
  request.destroy();
  return { status: response.statusCode, ...JSON.parse(Buffer.concat(parts).toString()) };
}

test("a body over the limit is refused, announced or not, before it is all there", async () => {
  for (const [headers, part] of [[{ "content-length": 4000 }, '"'], [{ "transfer-encoding": "chunked" }, `"${"x".repeat(2000)}`]]) {
    const { status, reasons } = await sendHalf(headers, part);
    assert.deepEqual([status, reasons], [413, ["inspect.body_too_large"]]);
  }
});

test("in monitor mode everything passes, whole", async () => {
  const body = JSON.stringify("x".repeat(4000));
  for (const init of [{ body }, { body: stream(body), duplex: "half" }]) {
    const answer = await fetch("/echo", { method: "POST", headers: { ...json, "x-monitor": "1" }, ...init });
    assert.deepEqual([answer.status, (await answer.json()).length], [200, body.length]);
  }
});

test("headers of a decision that passes are on the response", async () => {
  const answer = await fetch("/v1/orders/42", { headers: { "x-monitor": "1" } });
  assert.deepEqual([answer.status, answer.headers.get("www-authenticate")], [200, 'ApiKey realm="api"']);
});

test("a handler or a listener that fails holds nothing, and the handler says what a request cost", async () => {
  const status = async (headers = {}) => (await fetch("/at-once", { headers })).status;
  for (const fails of ["handler", "listener"]) {
    assert.equal(await status({ "x-fails": fails }), 500);
    assert.equal(await status(), 200, fails);
  }
  assert.equal(await status({ "x-cost": "200" }), 200);
  assert.equal(await status(), 429);
});
