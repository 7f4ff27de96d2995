// Responses whose members are hidden: by hand, and in a real Express over loopback.

import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import express from "express";
import { Engine, Redactor } from "zt";
import zt from "zt/express";

const CONFIG = `
version = 1
[[endpoint]]
method = "*"
path = "/**"
anonymous = true
[policy]
text = '''@redact("customer.ssn") permit(principal, action, resource);'''
`;
const BODY = '{"customer":{"name":"Anna","ssn":"078-05-1120"},"total":1}';
const HIDDEN = '{"customer":{"name":"Anna","ssn":"[redacted]"},"total":1}';
const BIG = JSON.stringify({ customer: Array.from({ length: 40_000 }, (_, n) => ({ ssn: `secret-${n}`, name: "n".repeat(40) })) });

const pieces = (text, size) => text.match(new RegExp(`[^]{1,${size}}`, "g"));

let observed = 0;
const drains = { full: 0, drained: 0, callbacks: 0 };

function serve(config) {
  const app = express();
  const engine = Engine.fromToml(config);
  const { observe } = engine;
  engine.observe = function (...given) {
    observed++;
    return observe.apply(this, given);
  };
  app.use(zt({ engine }));
  app.get("/json", (req, res) => res.set("X-Kept", "1").json(JSON.parse(BODY)));
  app.get("/pieces", (req, res) => {
    res.writeHead(201, "Fine", { "Content-Type": "application/json", "Content-Length": BODY.length, "X-Kept": ["1", "2"] });
    for (const piece of pieces(BODY, 3)) res.write(piece, "utf8", () => drains.callbacks++);
    res.end();
  });
  app.get("/flat", (req, res) => {
    res.writeHead(200, ["Content-Type", "application/json", "ETag", '"1"']);
    res.end(Buffer.from(BODY));
  });
  app.get("/pipe", (req, res) => pipeline(Readable.from(pieces(BODY, 7)), res.type("json")));
  app.get("/big", async (req, res) => {
    res.type("json").flushHeaders();
    for (const piece of pieces(BIG, 100_000)) {
      if (res.write(piece)) continue;
      drains.full++;
      await once(res, "drain");
      drains.drained++;
    }
    res.end();
  });
  app.get("/listened", (req, res) => {
    // As `on-headers` does, which sessions and compression build on.
    const { writeHead } = res;
    let fired = false;
    res.writeHead = function (...given) {
      if (!fired) this.setHeader("Set-Cookie", "s=1");
      fired = true;
      return writeHead.apply(this, given);
    };
    res.json(JSON.parse(BODY));
  });
  app.get("/always", (req, res) => {
    // Without asking whether it has done so before.
    const { writeHead } = res;
    res.writeHead = function (...given) {
      this.setHeader("ETag", '"1"');
      return writeHead.apply(this, given);
    };
    res.json(JSON.parse(BODY));
  });
  app.get("/trailers", (req, res) => {
    res.type("json").write(BODY);
    res.addTrailers([["Content-Digest", "x"], ["X-Kept", "1"]]);
    res.end();
  });
  app.get("/tagged", (req, res) => res.set({ ETag: '"1"', "Content-Digest": "x" }).status(304).end());
  app.get("/reset", (req, res) => {
    res.writeHead(205, { "Content-Type": "application/json", "Content-Digest": "x" });
    res.end(BODY);
  });
  app.get("/upgrade", (req, res) => res.writeHead(101, { Upgrade: "websocket", Connection: "upgrade" }).end());
  app.get("/text", (req, res) => res.set("X-Secret", "1").send("secret"));
  app.get("/gzip", (req, res) => res.type("json").set("Content-Encoding", "gzip").send(gzipSync(BODY)));
  app.get("/flushed", (req, res) => {
    res.type("text/plain").flushHeaders();
    res.write("secret");
    res.end("secret");
  });
  app.get("/broken", (req, res) => {
    // What was written before has reached the client by then.
    res.type("json").write('{"customer":{"ssn":"078', () => setTimeout(() => {
      assert.equal(res.write("\u0001-secret"), false);
      res.end('"}}');
    }, 50));
  });
  app.get("/cut", (req, res) => res.type("json").end('{"customer":{"ssn":"078'));
  app.get("/empty", (req, res) => res.status(204).end());
  app.get("/nothing", (req, res) => res.type("text/html").end());
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

function send(path, { method = "GET", to = server, pause = 0 } = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: "127.0.0.1", port: to.address().port, method, path, agent: false }, async (response) => {
      const parts = [];
      let broken = false;
      try {
        await new Promise((later) => setTimeout(later, pause));
        for await (const part of response) parts.push(part);
      } catch {
        broken = true;
      }
      resolve({ status: response.statusCode, message: response.statusMessage, headers: response.headers, trailers: response.trailers, text: Buffer.concat(parts).toString(), broken });
    });
    request.on("error", reject).end();
  });
}

test("by hand", () => {
  const engine = Engine.fromToml(CONFIG);
  const decision = engine.decide({ method: "GET", target: "/x", rawHeaders: ["host", "a"] }, 1);
  assert.ok(decision.passes && decision.redacts && decision.status === 200);
  const head = { status: 200, headers: ["Content-Type", "application/json"] };
  const redactor = engine.redactor(decision, head);
  const out = [...Buffer.from(BODY)].map((byte) => redactor.push(Buffer.from([byte])));
  redactor.finish();
  assert.equal(Buffer.concat(out).toString(), HIDDEN);
  assert.ok(Redactor.staleHeaders.includes("content-length"));
  // A body that must not be there is dropped.
  assert.equal(engine.redactor(decision, { status: 304 }).push(Buffer.from(BODY)).length, 0);
  assert.throws(() => engine.redactor(decision, { status: 200 }), /not declared as JSON/);
  const broken = engine.redactor(decision, head);
  assert.throws(() => broken.push(Buffer.from("{]")), /not JSON/);
  assert.throws(() => broken.push(Buffer.from("{}")), /not JSON/);
  assert.throws(() => broken.finish(), /not JSON/);
});

test("every way of writing", async () => {
  for (const path of ["/json", "/pieces", "/flat", "/pipe", "/listened"]) {
    const { text, headers, broken } = await send(path);
    assert.deepEqual([text, broken, headers["content-length"], headers.etag], [HIDDEN, false, undefined, undefined], path);
  }
  const { status, message, headers } = await send("/pieces");
  assert.deepEqual([status, message, headers["x-kept"]], [201, "Fine", "1, 2"]);
  assert.equal(drains.callbacks, 2 * pieces(BODY, 3).length);
  assert.equal((await send("/listened")).headers["set-cookie"][0], "s=1");
  assert.equal((await send("/json")).headers["x-kept"], "1");
});

test("a slow client slows the application down", async () => {
  const { text, broken } = await send("/big", { pause: 300 });
  assert.ok(!broken && drains.full > 0 && drains.full === drains.drained, JSON.stringify(drains));
  assert.equal(text, BIG.replaceAll(/"secret-\d+"/g, '"[redacted]"'));
});

test("what cannot be redacted is not sent", async () => {
  for (const path of ["/text", "/gzip", "/flushed", "/nowhere"]) {
    const { status, text, headers } = await send(path);
    assert.deepEqual([status, JSON.parse(text).reasons, headers["x-secret"]], [403, ["respond.unredactable"], undefined], path);
    assert.equal(headers["content-type"], "application/problem+json");
  }
});

test("a response without a body has none and tells of none", async () => {
  // A tag or digest of the whole is enough to guess what is hidden.
  for (const [path, method, wanted] of [["/json", "HEAD", 200], ["/tagged", "GET", 304], ["/reset", "GET", 205]]) {
    const { status, headers, text } = await send(path, { method });
    assert.deepEqual([status, text, headers.etag, headers["content-digest"]], [wanted, "", undefined, undefined], path);
    assert.equal(headers["content-length"], undefined, path);
  }
  const upgrade = await send("/upgrade");
  assert.deepEqual([upgrade.status, upgrade.headers.upgrade], [403, undefined]);
});

test("headers that do not hold are not sent late", async () => {
  const listened = await send("/always");
  assert.deepEqual([listened.text, listened.headers.etag], [HIDDEN, undefined]);
  const { text, trailers } = await send("/trailers");
  assert.deepEqual([text, trailers], [HIDDEN, { "x-kept": "1" }]);
});

test("a response that is refused is observed once", () => {
  const before = observed;
  return send("/text").then(() => assert.equal(observed - before, 1));
});

test("what is not JSON breaks off", async () => {
  const { status, text, broken } = await send("/broken");
  assert.deepEqual([status, broken], [200, true]);
  assert.ok(!text.includes("078"), text);
  const cut = await send("/cut").catch(() => ({ broken: true, text: "" }));
  assert.ok(cut.broken && !cut.text.includes("078"));
});

test("an empty body needs no redaction, and monitor mode changes nothing", async () => {
  assert.equal((await send("/empty")).status, 204);
  assert.equal((await send("/nothing")).status, 200);
  assert.equal((await send("/json", { to: monitor })).text, BODY);
  assert.equal((await send("/text", { to: monitor })).text, "secret");
});
