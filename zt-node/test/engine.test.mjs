// The engine's calls, and what reaches the core as bytes.

import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Decision, Engine, op } from "zt";

const KEY = "test-key-of-partner-7";
const CONFIG = `
version = 1
[[verify.api_key]]
id = "partner-7"
sha256 = "${createHash("sha256").update(KEY).digest("hex")}"
roles = ["partner"]
[[endpoint]]
method = "GET"
path = "/v1/orders/{id}"
[[limit]]
name = "per-peer"
key = ["peer"]
rate = "5/1m"
burst = 5
`;

const REQUEST = { method: "GET", target: "/v1/orders/42?x=1", rawHeaders: ["Host", "api.example.com", "X-API-Key", KEY], peer: "203.0.113.7" };
const NOW = 1772446530123;
const codes = (decision) => decision.reasons.map((reason) => reason.code);

test("the hot lane and the document lane decide alike", () => {
  const decision = Engine.fromToml(CONFIG).decide({ ...REQUEST, id: "r-1" }, NOW);
  assert.ok(decision instanceof Decision);
  const event = {
    id: "r-1",
    time_ms: NOW,
    request: {
      method: "GET", path: "/v1/orders/42", query: "x=1",
      headers: [["Host", "api.example.com"], ["X-API-Key", KEY]], peer: { ip: "203.0.113.7" },
    },
  };
  assert.deepEqual(decision.toJSON(), Engine.fromToml(CONFIG).decideEvent(event));
  assert.equal(decision.identity.principal, "partner-7");
  assert.ok(decision.passes);
});

test("a refusal has a problem document", () => {
  const decision = Engine.fromToml(CONFIG).decide({ ...REQUEST, rawHeaders: [] }, NOW);
  assert.equal(decision.passes, false);
  assert.equal(decision.status, 401);
  const problem = JSON.parse(decision.problem());
  assert.deepEqual([problem.status, problem.instance, problem.reasons], [401, decision.id, ["verify.no_credential"]]);
});

test("a NUL in a field refuses and shifts nothing", () => {
  const rawHeaders = ["a", "b\0X-API-Key", KEY, "c\0d"];
  const decision = Engine.fromToml(CONFIG).decide({ ...REQUEST, rawHeaders }, NOW);
  assert.deepEqual([decision.passes, decision.outcome, codes(decision)], [false, "deny", ["internal.panic"]]);
});

test("a peer that is not an address refuses", () => {
  assert.deepEqual(codes(Engine.fromToml(CONFIG).decide({ ...REQUEST, peer: "nobody" }, NOW)), ["internal.panic"]);
});

test("header bytes are the bytes of the wire, and none is lost", () => {
  const config = CONFIG.replace(createHash("sha256").update(KEY).digest("hex"),
    createHash("sha256").update(Buffer.from([0xc3, 0xa9])).digest("hex"));
  const with_ = (value) => Engine.fromToml(config).decide({ ...REQUEST, rawHeaders: ["X-API-Key", value] }, NOW);
  // Node reads the wire's c3 a9 as two characters.
  assert.equal(with_("\u00c3\u00a9").identity?.principal, "partner-7");
  assert.equal(with_("\u00e9").identity, undefined);
  // Latin-1 would cut U+01C3 to c3.
  assert.equal(with_("\u01c3\u01a9").identity, undefined);
});

test("a long header is not cut", () => {
  const rawHeaders = ["X-Long", "\u00e9".repeat(5000), "X-API-Key", KEY];
  const decision = (limit) => Engine.fromToml(`${CONFIG}\n[inspect]\nmax_header_bytes = "${limit}"\n`).decide({ ...REQUEST, rawHeaders }, NOW);
  assert.ok(decision("6KiB").passes);
  assert.deepEqual(codes(decision("4KiB")), ["inspect.headers_too_large"]);
});

test("a state moves", () => {
  const [a, b] = [Engine.fromToml(CONFIG), Engine.fromToml(CONFIG)];
  for (let i = 0; i < 5; i++) assert.ok(a.decide(REQUEST, NOW).passes);
  b.restore(a.snapshot());
  assert.deepEqual(codes(b.decide(REQUEST, NOW)), ["limit.exceeded"]);
  b.merge(a.snapshot());
  assert.throws(() => b.restore(Buffer.from("nonsense")));
});

test("changes of a state travel, and it reports", () => {
  const [a, b] = [Engine.fromToml(CONFIG), Engine.fromToml(CONFIG)];
  const { bytes, epoch } = a.deltaSince();
  b.merge(bytes);
  for (let i = 0; i < 5; i++) assert.ok(a.decide(REQUEST, NOW).passes);
  const delta = a.deltaSince(epoch);
  assert.ok(delta.epoch > epoch);
  b.merge(delta.bytes);
  assert.deepEqual(codes(b.decide(REQUEST, NOW)), ["limit.exceeded"]);
  assert.ok(a.deltaSince(delta.epoch).bytes.length < delta.bytes.length);
  assert.throws(() => b.restore(delta.bytes), /merge it/);
  const { memory, stores } = b.stateReport();
  assert.ok(memory.total > 0 && memory.total <= 64 << 20);
  assert.equal(stores.find(({ store }) => store.startsWith("limit:")).entries, 1);
  assert.ok(stores.every(({ evicted }) => evicted === 0));
});

test("a verdict is told, and the budget reported", () => {
  const engine = Engine.fromToml(`${CONFIG}\n[anomaly]\nbudget = 0.05\n`);
  const decision = engine.decide({ ...REQUEST, id: "r-8" }, NOW);
  assert.equal(engine.observe(decision, { status: 0, verdict: "confirmed" }, NOW).outcome, "allow");
  assert.throws(() => engine.observe(decision, { status: 0, verdict: "maybe" }, NOW), /false_positive/);
  const { drift } = engine.stateReport().anomaly;
  assert.deepEqual([drift.course, drift.needs], ["not_calibrated", 59]);
});

test("a response is observed", () => {
  const engine = Engine.fromToml(CONFIG);
  const decision = engine.decide({ ...REQUEST, id: "r-9" }, NOW);
  const observed = engine.observe(decision, { status: 200, headers: ["Content-Type", "application/json"], latencyMs: 2 }, NOW + 2);
  assert.deepEqual([observed.id, observed.time_ms], ["r-9", NOW + 2]);
  const event = { time_ms: NOW, request: { method: "GET", path: "/" }, response: { status: 200 } };
  assert.equal(engine.observeEvent(event, decision).id, "r-9");
});

test("every mistake of a configuration is told at once", () => {
  assert.throws(() => Engine.fromToml('version = 1\nmoed = "x"\n[state]\nmemroy = "1MiB"\n'), (error) => {
    assert.match(error.message, /mode/);
    assert.match(error.message, /memory/);
    return true;
  });
});

test("a configuration is read from a file with what it names", () => {
  const folder = mkdtempSync(join(tmpdir(), "zt-"));
  try {
    mkdirSync(join(folder, "policies"));
    writeFileSync(join(folder, "policies", "a.cedar"), "permit(principal, action, resource);");
    writeFileSync(join(folder, "zt.toml"), `${CONFIG}\n[policy]\nfiles = ["policies/*.cedar"]\n`);
    const engine = Engine.fromFile(join(folder, "zt.toml"));
    assert.ok(engine.decide(REQUEST, NOW).passes);
    assert.notEqual(engine.version, Engine.fromToml(CONFIG).version);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("an operation", () => {
  assert.ok(op("codes").some((row) => row.code === "internal.panic"));
});

test("a configuration can be replaced, and a broken one leaves the old in force", () => {
  const engine = Engine.fromToml(CONFIG);
  assert.ok(engine.decide(REQUEST, NOW).passes);
  const { version } = engine;
  const before = engine.snapshot();
  for (const broken of ["version = 9", `${CONFIG}\n[policy]\ntext = 'permit('\n`, "\0"]) {
    assert.throws(() => engine.replaceToml(broken));
  }
  assert.deepEqual([engine.version, engine.snapshot()], [version, before]);
  engine.replaceToml(`${CONFIG}\n[policy]\ntext = 'forbid(principal, action, resource);'\n`);
  assert.deepEqual(engine.snapshot(), before);
  assert.ok(!engine.decide(REQUEST, NOW).passes);
  const folder = mkdtempSync(join(tmpdir(), "zt-"));
  try {
    writeFileSync(join(folder, "zt.toml"), CONFIG);
    engine.replaceFile(join(folder, "zt.toml"));
  } finally {
    rmSync(folder, { recursive: true });
  }
  assert.equal(engine.version, version);
  assert.ok(engine.decide(REQUEST, NOW).passes);
});

test("a bundle decides as its text does, and can be swapped in", () => {
  const bundle = Buffer.from(op("compile", { config: CONFIG }).bundle, "base64");
  const [engine, bundled] = [Engine.fromToml(CONFIG), Engine.fromBundle(bundle)];
  assert.deepEqual([bundled.version, bundled.notices], [engine.version, engine.notices]);
  engine.decide(REQUEST, NOW);
  const before = engine.snapshot();
  engine.replaceBundle(bundle);
  assert.deepEqual(engine.snapshot(), before);
  for (const wrong of [bundle.subarray(1), bundle.subarray(0, -1), Buffer.alloc(0)]) {
    assert.throws(() => Engine.fromBundle(wrong), /bundle/);
    assert.throws(() => engine.replaceBundle(wrong), /bundle/);
  }
});

test("with a key a bundle has to be signed with it", () => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const { crv, kty, x } = publicKey.export({ format: "jwk" });
  const key = JSON.stringify({ crv, kty, x });
  const bundle = Buffer.from(op("compile", { config: CONFIG }).bundle, "base64");
  // The format, written a second time: what is signed, and where the signature stands.
  const sha256 = (...parts) => createHash("sha256").update(Buffer.concat(parts)).digest();
  const body = Buffer.from(bundle.subarray(0, -32));
  body[4] = 1;
  const signature = sign(null, Buffer.concat([Buffer.from("zt bundle\0"), sha256(body)]), privateKey);
  const sealed = Buffer.concat([body, sha256(Buffer.from(key)), signature]);
  const signed = Buffer.concat([sealed, sha256(sealed)]);
  assert.equal(Engine.fromBundle(signed, { key }).version, Engine.fromBundle(bundle).version);
  const other = JSON.stringify(generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" }));
  assert.throws(() => Engine.fromBundle(signed, { key: other }), /not given/);
  assert.throws(() => Engine.fromBundle(bundle, { key }), /not signed/);
  // A key that was looked up and not found is not "no key".
  assert.throws(() => Engine.fromBundle(bundle, { key: process.env.ZT_NO_SUCH_KEY }), TypeError);
  for (const options of [key, { key: JSON.parse(key) }, { key: null }]) {
    assert.throws(() => Engine.fromBundle(signed, options), TypeError);
  }
});

test("a decision log", () => {
  const engine = Engine.fromToml(CONFIG);
  const event = { id: "e-1", time_ms: NOW, request: { method: "GET", path: "/health", query: "q=planted" } };
  const key = "a key of this test";
  engine.logStart({ key, inputsKey: "another key of this test" });
  const { decision, line } = engine.decideLogged(event, { timings: true });
  const record = JSON.parse(line);
  assert.ok(record.seq === 0 && record.id === decision.id && record.stages_us.route > 0 && !line.includes("planted"));
  assert.deepEqual(op("log_inputs", { event, key: "another key of this test" }), { inputs: record.inputs });

  const following = Engine.fromToml(CONFIG);
  following.logStart({ key, after: line });
  const lines = [line, following.logRecord(event, following.decide(REQUEST, NOW)), following.decideLogged(event).line];
  const last = `2:${JSON.parse(lines[2]).digest}`;
  assert.deepEqual(op("log_verify", { log: lines.join("\n"), key }), { ok: true, records: 3, last });
  assert.equal(op("log_verify", { log: lines.slice(1).join("\n"), key }).broken.problem, "head_missing");
  assert.throws(() => engine.logStart({ key: "short" }), /shorter/);
  assert.throws(() => engine.logStart({ after: line }), /cannot go on/);
});
