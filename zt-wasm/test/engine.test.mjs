// The engine's calls, its surface, and what a trap leaves behind.

import assert from "node:assert/strict";
import { createHash, createHmac, generateKeyPairSync, sign as signBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { call, start } from "./runtime.mjs";

const KEY = "test-key-of-partner-7";
const CONFIG = `
version = 1
[[verify.api_key]]
id = "partner-7"
sha256 = "${createHash("sha256").update(KEY).digest("hex")}"
roles = ["partner"]
[[endpoint]]
method = "*"
path = "/v1/orders/{id}"
[[limit]]
name = "per-peer"
key = ["peer"]
rate = "2/1m"
burst = 2
`;
const NOW = 1772446530123;
const headers = [["host", "api.example.com"], ["x-api-key", KEY]];
const request = { id: "r-1", method: "GET", target: "/v1/orders/42?x=1", headers, peer: { ip: "203.0.113.7" } };
const event = { id: "r-1", time_ms: NOW, request: { method: "GET", path: "/v1/orders/42", query: "x=1", headers, peer: { ip: "203.0.113.7" } } };
const codes = (decision) => decision.reasons.map((reason) => reason.code);

const worker = start("documents.worker.mjs");
after(() => worker.dispose());

const ENGINE = ["bodyLimit", "decide", "decideEvent", "decideEventJson", "decideLogged", "deltaSince", "explainEvent", "free",
  "logRecord", "logStart", "merge", "notices", "observe", "observeEvent", "observeEventJson", "op", "receive", "redactor",
  "replaceBundle", "replaceKeys", "replaceToml", "restore", "revoke", "snapshot", "stateReport", "suspend", "unsuspend",
  "verifyToken", "version"];
const DECISION = ["actions", "endpoint", "enforced", "id", "identity", "obligations", "outcome", "passes", "policy_version",
  "problem", "reasons", "redacts", "refresh_wanted", "response_headers", "risk", "score", "scores", "status", "time_ms", "toJSON",
  "workload"];

test("the names, and a type for each", async () => {
  const { names, engine, decision, ops } = await call(worker, "/surface");
  assert.deepEqual(names, ["Decision", "Engine", "OPS", "Redactor", "cloudflarePeer", "op", "randomSeed", "withZt"]);
  assert.deepEqual(engine, ENGINE);
  assert.deepEqual(decision, DECISION);
  assert.ok(ops.includes("policy_evaluate"));
  const types = readFileSync(new URL("../index.d.ts", import.meta.url), "utf8");
  for (const name of [...names, ...ENGINE, ...DECISION]) assert.match(types, new RegExp(`\\b${name}\\b`), name);
});

test("the lanes decide alike, and a state moves", async () => {
  const answer = await call(worker, "/engine", { config: CONFIG, request, event, now: NOW });
  assert.deepEqual(answer.documents[0], answer.documents[1]);
  assert.deepEqual([answer.passes, answer.status, answer.refused, answer.observed.id], [true, 200, true, "r-1"]);
  assert.deepEqual([answer.state.moved, answer.state.refused], [true, true]);
  const { memory, stores } = answer.state.report;
  assert.ok(memory.total > 0 && memory.total <= 64 << 20);
  assert.ok(stores.some(({ store, capacity }) => store === "verify.proofs" && capacity > 0));
  assert.deepEqual([answer.seen.id, answer.seen.time_ms], ["r-1", NOW + 2]);
  assert.deepEqual(answer.codes, ["inspect.json_duplicate_key"]);
  assert.deepEqual(codes(answer.shifted), ["internal.panic"]);
  assert.equal(answer.problem.status, 403);
  assert.match(answer.broken, /policy.text/);
  assert.deepEqual(answer.replaced, [true, false]);
});

test("a token alone", async () => {
  const part = (data) => Buffer.from(data).toString("base64url");
  const secret = "a secret of the tests, of 32 bytes or more";
  const claims = { iss: "https://idp.test", sub: "anna", aud: "https://api.test", exp: Math.floor(NOW / 1000) + 60 };
  const signed = [{ alg: "HS256", typ: "at+jwt" }, claims].map((it) => part(JSON.stringify(it))).join(".");
  const token = `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
  const keys = JSON.stringify({ keys: [{ kty: "oct", alg: "HS256", k: part(secret) }] });
  const config = `
version = 1
[[verify.issuer]]
issuer = "https://idp.test"
audiences = ["https://api.test"]
algorithms = ["HS256"]
jwks = '${keys}'
`;
  const found = await call(worker, "/token", { config, token, now: NOW });
  assert.deepEqual([found.identity.principal, found.claims, found.code], ["anna", claims, undefined]);
  const refused = await call(worker, "/token", { config, token, now: NOW + 200_000 });
  assert.deepEqual([refused.identity, refused.claims, refused.code], [undefined, undefined, "verify.expired"]);
});

test("a trap refuses, and every engine goes on with its state", async () => {
  const { before, trapped, problem, after } = await call(worker, "/trap", { config: CONFIG, request, now: NOW });
  assert.deepEqual(before.map((decision) => decision.outcome), ["allow", "allow"]);
  assert.deepEqual([trapped.id, trapped.outcome, codes(trapped), problem.status], ["r-1", "deny", ["internal.panic"], 403]);
  // One of two was taken before the trap: one more passes.
  const outcomes = after.map((decisions) => decisions.map((decision) => decision.outcome));
  assert.deepEqual(outcomes, [["allow", "throttle"], ["allow", "throttle"]]);
});

test("a decision log goes on when the instance traps", async () => {
  const answer = await call(worker, "/log", { config: CONFIG, event, request, key: "a key of this test", now: NOW });
  const records = answer.lines.map((line) => JSON.parse(line));
  assert.deepEqual(records.map(({ seq, id, outcome }) => [seq, id, outcome]), [0, 1, 2].map((seq) => [seq, "r-1", records[seq].outcome]));
  assert.equal(answer.decision.outcome, records[0].outcome);
  assert.deepEqual(answer.report, { ok: true, records: 3, last: `2:${records[2].digest}` });
});

test("every mistake of a configuration is told at once", async () => {
  const message = await call(worker, "/mistakes", 'version = 1\nmoed = "x"\n[state]\nmemroy = "1MiB"\n');
  assert.match(message, /mode/);
  assert.match(message, /memory/);
});

test("bundles, in the build without a compiler", async () => {
  const op = (name, document) => call(worker, "/op", { name, document });
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const key = JSON.stringify(publicKey.export({ format: "jwk" }));
  const unsigned = Buffer.from((await op("compile", { config: CONFIG })).bundle, "base64");
  const signed = sign(unsigned, privateKey, publicKey).toString("base64");
  const configs = [CONFIG, CONFIG.replace('roles = ["partner"]', 'roles = ["friend"]'), CONFIG.replace("per-peer", "by-peer")];
  const answer = await call(worker, "/bundle", { configs, signed, key, event });
  assert.deepEqual([answer.before.identity.roles, answer.after.identity.roles], [["partner"], ["friend"]]);
  assert.equal(answer.version, answer.before.policy_version);
  assert.equal(answer.still, answer.after.policy_version);
  assert.notEqual(answer.still, answer.version);
  assert.match(answer.others, /limits/);
  assert.match(answer.unsigned, /not signed/);
  assert.match(answer.forgotten, /options/);
  assert.match(answer.wrong, /corrupt/);
  assert.match(answer.foreign, /not a zt bundle/);
  assert.match(answer.text, /fromBundle/);
  assert.match(answer.compile, /no compiler/);
});

/** The format, written a second time: what is signed, and where the signature stands. */
function sign(bundle, privateKey, publicKey) {
  const sha256 = (...parts) => createHash("sha256").update(Buffer.concat(parts)).digest();
  const body = Buffer.from(bundle.subarray(0, -32));
  body[4] = 1;
  const { crv, kty, x } = publicKey.export({ format: "jwk" });
  const thumbprint = sha256(Buffer.from(JSON.stringify({ crv, kty, x })));
  const signature = signBytes(null, Buffer.concat([Buffer.from("zt bundle\0"), sha256(body)]), privateKey);
  const sealed = Buffer.concat([body, thumbprint, signature]);
  return Buffer.concat([sealed, sha256(sealed)]);
}
