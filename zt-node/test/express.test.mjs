// The middleware in a real Express over loopback.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import http from "node:http";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import express from "express";
import { Engine } from "zt";
import zt from "zt/express";

const KEY = "test-key-of-partner-7";
const CONFIG = `
version = 1
[inspect]
max_body = "1KiB"
[[verify.api_key]]
id = "partner-7"
sha256 = "${createHash("sha256").update(KEY).digest("hex")}"
roles = ["partner"]
[[endpoint]]
method = "*"
path = "/v1/orders/{id}"
[[endpoint]]
method = "POST"
path = "/echo"
anonymous = true
`;

const seen = [];

function serve(config) {
  const app = express();
  app.use(zt({ engine: Engine.fromToml(config), onDecision: (req, decision) => seen.push(decision) }));
  app.use(express.json({ limit: "1mb" }));
  app.get("/v1/orders/:id", (req, res) => res.json({ id: req.params.id, who: req.zt.identity.principal }));
  app.post("/echo", (req, res) => res.json({ got: req.body ?? null }));
  return app.listen(0, "127.0.0.1");
}

let server, monitor;
before(async () => {
  server = serve(CONFIG);
  monitor = serve(CONFIG.replace("version = 1", 'version = 1\nmode = "monitor"'));
  await Promise.all([once(server, "listening"), once(monitor, "listening")]);
});
after(() => {
  server.close();
  monitor.close();
});

/** A request by `node:http`, whose path is sent as it is; `fetch` would mend it. */
function send({ method = "GET", path, headers = {}, chunks = [], to = server }) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: "127.0.0.1", port: to.address().port, method, path, headers, agent: false }, async (response) => {
      const parts = [];
      for await (const part of response) parts.push(part);
      const text = Buffer.concat(parts).toString();
      resolve({ status: response.statusCode, headers: response.headers, text, json: text ? JSON.parse(text) : null });
    });
    request.on("error", reject);
    for (const chunk of chunks) request.write(chunk);
    request.end();
  });
}

const json = { "content-type": "application/json" };

test("a good request reaches the application with its identity", async () => {
  const answer = await send({ path: "/v1/orders/42?x=1", headers: { "x-api-key": KEY } });
  assert.deepEqual([answer.status, answer.json], [200, { id: "42", who: "partner-7" }]);
});

test("a refusal is a problem document", async () => {
  const answer = await send({ path: "/v1/orders/42" });
  assert.equal(answer.status, 401);
  assert.match(answer.headers["content-type"], /^application\/problem\+json/);
  assert.match(answer.headers["www-authenticate"], /realm=/);
  assert.deepEqual(answer.json.reasons, ["verify.no_credential"]);
});

test("the path is looked at as it was sent", async () => {
  const answer = await send({ path: "/v1/orders/%2e%2e", headers: { "x-api-key": KEY } });
  assert.deepEqual([answer.status, answer.json.reasons], [400, ["route.dot_segment"]]);
});

test("a body is inspected, and the parser behind finds it whole", async () => {
  const body = JSON.stringify({ text: "é".repeat(100) });
  for (const headers of [{ ...json, "content-length": Buffer.byteLength(body) }, { ...json, "transfer-encoding": "chunked" }]) {
    const answer = await send({ method: "POST", path: "/echo", headers, chunks: [body.slice(0, 20), body.slice(20)] });
    assert.deepEqual([answer.status, answer.json], [200, { got: JSON.parse(body) }]);
  }
});

test("raw bytes are inspected, not what a parser makes of them", async () => {
  const body = '{"a":1,"a":2}';
  const answer = await send({ method: "POST", path: "/echo", headers: { ...json, "content-length": body.length }, chunks: [body] });
  assert.deepEqual([answer.status, answer.json.reasons], [400, ["inspect.json_duplicate_key"]]);
});

test("an empty chunked body passes on", async () => {
  const answer = await send({ method: "POST", path: "/echo", headers: { "transfer-encoding": "chunked" } });
  assert.equal(answer.status, 200);
});

test("a body over the limit is refused, announced or not", async () => {
  const body = JSON.stringify("x".repeat(4000));
  for (const headers of [{ ...json, "content-length": body.length }, { ...json, "transfer-encoding": "chunked" }]) {
    const answer = await send({ method: "POST", path: "/echo", headers, chunks: [body.slice(0, 500), body.slice(500)] });
    assert.deepEqual([answer.status, answer.json.reasons], [413, ["inspect.body_too_large"]]);
  }
});

test("in monitor mode everything passes, whole, and is reported", async () => {
  seen.length = 0;
  const body = JSON.stringify(["x".repeat(4000)]);
  for (const headers of [{ ...json, "content-length": body.length }, { ...json, "transfer-encoding": "chunked" }]) {
    const chunks = [body.slice(0, 500), body.slice(500)];
    const answer = await send({ method: "POST", path: "/echo", headers, chunks, to: monitor });
    assert.deepEqual([answer.status, answer.json], [200, { got: JSON.parse(body) }]);
  }
  assert.deepEqual(seen.map((decision) => [decision.outcome, decision.enforced]), [["deny", false], ["deny", false]]);
});

test("headers of a decision that passes are on the response", async () => {
  const headers = { ...json, "x-api-key": "another", "transfer-encoding": "chunked" };
  const answer = await send({ method: "POST", path: "/echo", headers, chunks: ["{}"], to: monitor });
  assert.deepEqual([answer.status, answer.headers["www-authenticate"]], [200, 'ApiKey realm="api"']);
});

test("a client that goes away in the middle of a body leaves nothing behind", async () => {
  seen.length = 0;
  const socket = connect(server.address().port, "127.0.0.1");
  await once(socket, "connect");
  socket.write("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{");
  await new Promise((resolve) => setTimeout(resolve, 50));
  socket.destroy();
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(seen.length, 0);
});

test("a hook that throws refuses and does not end the process", async () => {
  const app = express();
  app.use(zt({ engine: Engine.fromToml(CONFIG), onDecision() { throw new Error("hook"); } }));
  app.use((error, req, res, next) => res.status(500).json({ error: error.message }));
  const to = app.listen(0, "127.0.0.1");
  await once(to, "listening");
  for (const chunks of [[], ["{}"]]) {
    const answer = await send({ method: "POST", path: "/echo", headers: { ...json, "transfer-encoding": "chunked" }, chunks, to });
    assert.deepEqual([answer.status, answer.json], [500, { error: "hook" }]);
  }
  to.close();
});

test("many at once", async () => {
  const body = JSON.stringify({ n: 1 });
  const headers = { ...json, "content-length": body.length };
  const answers = await Promise.all(Array.from({ length: 50 }, () => send({ method: "POST", path: "/echo", headers, chunks: [body] })));
  assert.ok(answers.every((answer) => answer.status === 200));
});

const AT_ONCE = readFileSync(new URL("../../zt-core/tests/at_once.toml", import.meta.url), "utf8");

async function listening(app) {
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  after(() => server.close());
  return server;
}

test("a listener that fails holds nothing", async () => {
  let fails = true;
  const app = express();
  app.use(zt({ engine: Engine.fromToml(AT_ONCE), onDecision: () => { if (fails) throw new Error("no log"); } }));
  app.use((req, res) => res.json({}));
  app.use((error, req, res, next) => res.status(500).json({}));
  const to = await listening(app);
  assert.equal((await send({ path: "/a", to })).status, 500);
  fails = false;
  assert.equal((await send({ path: "/a", to })).status, 200);
});

test("a request whose client has gone before it is decided holds nothing", async () => {
  let gone;
  const decided = new Promise((resolve) => { gone = resolve; });
  const app = express();
  app.use(async (req, res, next) => {
    if (req.url === "/gone") {
      req.socket.destroy();
      await once(res, "close");
      setImmediate(gone);
    }
    next();
  });
  app.use(zt({ engine: Engine.fromToml(AT_ONCE) }));
  app.use((req, res) => res.json({}));
  const to = await listening(app);
  await assert.rejects(send({ path: "/gone", to }));
  await decided;
  assert.equal((await send({ path: "/a", to })).status, 200);
});

test("the application says what a request cost", async () => {
  const app = express();
  app.use(zt({ engine: Engine.fromToml(AT_ONCE) }));
  const costs = [undefined, -1, NaN, "much", {}, 200];
  app.use((req, res) => {
    req.ztCost = costs.shift();
    res.json({});
  });
  const to = await listening(app);
  while (costs.length > 0) assert.equal((await send({ path: "/a", to })).status, 200, `${costs[0]}`);
  assert.equal((await send({ path: "/a", to })).status, 429);
});
