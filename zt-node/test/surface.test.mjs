// What is public, and that the types say the same.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import * as zt from "zt";

const require = createRequire(import.meta.url);

const ENGINE = ["bodyLimit", "decide", "decideEvent", "decideEventJson", "decideLogged", "deltaSince", "explainEvent", "logRecord",
  "logStart", "merge", "notices", "observe", "observeEvent", "observeEventJson", "op", "receive", "redactor", "replaceBundle",
  "replaceFile", "replaceKeys", "replaceToml", "restore", "revoke", "snapshot", "stateReport", "suspend", "unsuspend", "version"];
const DECISION = ["actions", "endpoint", "enforced", "id", "identity", "obligations", "outcome", "passes", "policy_version",
  "problem", "reasons", "redacts", "refresh_wanted", "response_headers", "risk", "score", "scores", "status", "time_ms", "toJSON",
  "workload"];

const VERIFIED = ["accepted", "challenge", "claims", "code", "identity", "principal", "refresh_wanted", "roles", "toJSON"];

const methods = (c) => Object.getOwnPropertyNames(c.prototype).filter((name) => name !== "constructor").sort();
const statics = (c) => Object.getOwnPropertyNames(c).filter((name) => !["length", "name", "prototype"].includes(name)).sort();

test("the names", () => {
  assert.deepEqual(Object.keys(zt).sort(), ["Authorized", "Decision", "Engine", "OPS", "Policy", "Redactor", "Verified", "Verifier", "op"]);
  assert.deepEqual(methods(zt.Engine), ENGINE);
  assert.deepEqual(statics(zt.Engine), ["fromBundle", "fromFile", "fromToml"]);
  assert.deepEqual(methods(zt.Decision), DECISION);
  assert.deepEqual(methods(zt.Verified), VERIFIED);
  assert.deepEqual([methods(zt.Redactor), statics(zt.Redactor)], [["finish", "push"], ["staleHeaders"]]);
  assert.deepEqual(methods(zt.Verifier), ["replaceKeys", "revoke", "verifyToken"]);
  assert.deepEqual(statics(zt.Verifier), ["fromFile", "fromToml"]);
});

test("one class for both module systems", () => assert.equal(require("zt").Engine, zt.Engine));

test("every name has a type", () => {
  const types = readFileSync(new URL("../index.d.ts", import.meta.url), "utf8");
  for (const name of [...ENGINE, ...DECISION, ...VERIFIED, ...Object.keys(zt), "authorize", "verifyToken", "fromBundle", "fromFile", "fromToml", "staleHeaders"]) {
    assert.match(types, new RegExp(`\\b${name}\\b`), name);
  }
});

test("every operation answers or names what it wants", () => {
  assert.ok(zt.OPS.includes("policy_evaluate"));
  for (const name of zt.OPS) {
    try {
      zt.op(name, {});
    } catch (error) {
      assert.doesNotMatch(error.message, /no operation/, name);
    }
  }
  assert.throws(() => zt.op("frobnicate"), /policy_evaluate/);
});
