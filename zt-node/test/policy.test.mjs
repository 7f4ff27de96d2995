// Policies alone.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import test from "node:test";
import { fileURLToPath } from "node:url";

import { Policy } from "zt";

const CONFIG = `
version = 1
[[endpoint]]
id = "readOrder"
method = "GET"
path = "/orders/{id}"
[[endpoint]]
id = "pay"
method = "POST"
path = "/pay"
[policy]
text = '''
@id("buyers") permit(principal in Role::"buyer", action, resource);
@id("careful") @on_deny("step_up") forbid(principal, action == Action::"pay", resource) when { context.risk > 500 };
@id("scoped") permit(principal in Scope::"read", action in Action::"GET", resource) when { context has acr && context.acr == "mfa" };
'''
`;
const policy = Policy.fromToml(CONFIG);

test("who may what", () => {
  const answer = policy.authorize("readOrder", "anna", ["buyer"]);
  assert.deepEqual([answer.allowed, answer.outcome, answer.policies, answer.errors], [true, "allow", ["buyers"], []]);
  assert.equal(policy.authorize("readOrder", "anna", ["seller"]).allowed, false);
  assert.equal(policy.authorize("readOrder").allowed, false);
  assert.equal(policy.authorize("readOrder", "anna", [], { scopes: ["read"] }).allowed, false);
  assert.equal(policy.authorize("readOrder", "anna", [], { scopes: ["read"], acr: "mfa" }).allowed, true);
  assert.equal(policy.authorize("pay", "anna", [], { scopes: ["read"], acr: "mfa" }).allowed, false);
  const careful = policy.authorize("pay", "anna", ["buyer"], { risk: 0.6 });
  assert.deepEqual([careful.allowed, careful.outcome, careful.policies], [false, "step_up", ["careful"]]);
});

test("an option that there is not throws", () => {
  assert.throws(() => policy.authorize("readOrder", "anna", ["buyer"], { now_ms: 0 }), /`now_ms`/);
});

test("a name cannot pass for two", () => {
  for (const asked of [["readOrder", "anna\0+\0buyer"], ["readOrder", "anna", ["x\0buyer"]], ["readOrder\0+buyer", "anna"]]) {
    assert.throws(() => policy.authorize(...asked), /NUL/);
  }
  assert.equal(policy.authorize("readOrder", "+anna", ["+buyer"]).allowed, false);
});

test("what is no name becomes none", () => {
  const named = Policy.fromToml(CONFIG.replace("@id(\"buyers\")", `
permit(principal, action, resource) when { principal in [User::"null", User::"\\u{fffd}", User::"1"] };
permit(principal, action, resource) when { context has acr && context.acr == "null" };
permit(principal in Role::"a", action, resource);
permit(principal in Role::"undefined", action, resource);
$&`));
  assert.equal(named.authorize("readOrder", "null").allowed, true);
  assert.equal(named.authorize("readOrder", null, ["buyer"]).allowed, false);
  assert.equal(named.authorize("readOrder", "anna", [], { acr: null }).allowed, false);
  const options = [{ scopes: "read" }, { scopes: [["read"]] }, { acr: 1 }];
  for (const asked of [
    ["readOrder", 1], ["readOrder", {}], [["readOrder"], "anna", ["buyer"]], ["readOrder", "\ud800"],
    ["readOrder", "anna", "a"], ["readOrder", "anna", [["buyer"]]], ["readOrder", "anna", [undefined]], ["readOrder", "anna", [,]],
    ["readOrder", "anna", [{ toString: () => "buyer" }]], ["readOrder", "anna", new Set(["buyer"])], ["readOrder", "anna", null],
    // One letter to read and two to count: room for one NUL.
    ["readOrder", "anna\0+mfa", "\u{1f600}"],
    ...options.map((option) => ["readOrder", "anna", [], option]),
  ]) {
    assert.throws(() => named.authorize(...asked), TypeError, JSON.stringify(asked));
  }
  for (const option of [{ now: NaN }, { now: Infinity }, { now: 1n }, { issuedAt: Infinity }]) {
    assert.throws(() => policy.authorize("readOrder", "anna", ["buyer"], option), TypeError, Object.keys(option)[0]);
  }
});

test("what is no question", () => {
  assert.throws(() => policy.authorize("nowhere", "anna"), /no endpoint `nowhere`/);
  assert.throws(() => Policy.fromToml(CONFIG.split("[policy]")[0]).authorize("pay", "anna"), /no `\[policy\]`/);
});

test("the guide's JavaScript runs", () => {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const guide = readFileSync(`${root}/docs/policies.md`, "utf8");
  const before = process.cwd();
  process.chdir(root);
  try {
    new Function("require", /```js\n([^]*?)```/.exec(guide)[1])(createRequire(import.meta.url));
  } finally {
    process.chdir(before);
  }
});
