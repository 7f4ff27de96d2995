// `authorize.mjs FILE`: median nanoseconds of one decision by each Node peer and by zt, of the policies and requests in FILE.
//
// Prints one JSON document once every engine has given the right answers to a sample; `cargo xtask bench policy` reads it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import * as cedar from "@cedar-policy/cedar-wasm/nodejs";
import { newEnforcer, newModelFromString, StringAdapter } from "casbin";

import { Policy } from "../../../zt-node/index.mjs";

const version = (name) => `${name} ${JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url))).version}`;

const BLOCKS = 101;
const BLOCK_MS = 2;
const IN_ALL_MS = 4_000;

// The cheap comparisons first.
const MODEL = `[request_definition]
r = sub, seg, act, risk, mfa, age, hour
[policy_definition]
p = role, seg, act, cond, eft
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = r.act == p.act && r.seg == p.seg && g(r.sub, p.role) && eval(p.cond)
`;

const CONDITIONS = {
  none: () => "true",
  mfa_and_risk: ({ a }) => `r.mfa && r.risk < ${a}`,
  token_age: ({ a }) => `r.age < ${a}`,
  hours: ({ a, b }) => `r.hour >= ${a} && r.hour < ${b}`,
  risk: ({ a }) => `r.risk > ${a}`,
  no_mfa: () => "!r.mfa",
};

/** Policies parsed once; entities have no such way. */
function cedarStateful(given) {
  const preparsed = cedar.preparsePolicySet("policies", { staticPolicies: given.cedar });
  assert.equal(preparsed.type, "success");
  return (asked) => {
    const { response } = cedar.statefulIsAuthorized({
      principal: { type: "User", id: asked.user },
      action: { type: "Action", id: asked.method },
      resource: { type: "Endpoint", id: asked.endpoint },
      context: {
        risk: asked.risk, hour: asked.hour, token_age_s: asked.token_age_s, ...(asked.mfa ? { acr: "mfa" } : {}),
      },
      preparsedPolicySetId: "policies",
      entities: [
        { uid: { type: "User", id: asked.user }, attrs: {}, parents: asked.roles.map((id) => ({ type: "Role", id })) },
        { uid: { type: "Endpoint", id: asked.endpoint }, attrs: {}, parents: [{ type: "Segment", id: asked.segment }] },
      ],
    });
    return response.decision === "allow";
  };
}

async function nodeCasbin(given) {
  const rule = (one) =>
    `p, ${one.role}, ${one.segment}, ${one.method}, ${CONDITIONS[one.kind](one)}, ${one.permits ? "allow" : "deny"}`;
  const roles = given.users.flatMap(({ id, roles }) => roles.map((role) => `g, ${id}, ${role}`));
  // It keeps no two policies that are the same.
  const lines = [...new Set(given.rules.map(rule)), ...roles];
  const enforcer = await newEnforcer(newModelFromString(MODEL), new StringAdapter(lines.join("\n")));
  return (asked) =>
    enforcer.enforceSync(
      asked.user, asked.segment, asked.method, asked.risk, asked.mfa, asked.token_age_s, asked.hour,
    );
}

function ztPolicy(given) {
  const policy = Policy.fromToml(given.config);
  return (asked) =>
    policy.authorize(
      asked.endpoint, asked.user, asked.roles,
      {
        acr: asked.mfa ? "mfa" : undefined, issuedAt: asked.now_ms - asked.token_age_s * 1000, risk: asked.risk / 1000,
        now: asked.now_ms,
      },
    ).allowed;
}

const { version: own } = createRequire(import.meta.url)("../../../zt-node/package.json");
const ENGINES = [
  [`zt ${own}`, ztPolicy],
  [version("@cedar-policy/cedar-wasm"), cedarStateful],
  [`node-${version("casbin")}`, nodeCasbin],
];

function measure(decide, requests) {
  let [at, calls] = [0, 1];
  const samples = [];
  const started = performance.now();
  while (samples.length < BLOCKS && (performance.now() - started < IN_ALL_MS || samples.length === 0)) {
    const picked = Array.from({ length: calls }, (_, call) => requests[(at + call) % requests.length]);
    at += calls;
    const block = performance.now();
    for (const asked of picked) decide(asked);
    const took = performance.now() - block;
    if (took * 2 < BLOCK_MS) calls *= 2;
    else samples.push((took * 1e6) / calls);
  }
  samples.sort((a, b) => a - b);
  return samples[samples.length >> 1];
}

const given = JSON.parse(readFileSync(process.argv[2], "utf8"));
const sample = given.requests.slice(0, given.policies > 100 ? 40 : 200);
const rows = [];
for (const [engine, make] of ENGINES) {
  const decide = await make(given);
  sample.forEach((asked, at) => assert.equal(decide(asked), asked.allowed, `${engine} answers request ${at} wrongly`));
  rows.push({ engine, ns: measure(decide, given.requests) });
}
console.log(JSON.stringify({ runtime: `Node ${process.versions.node}`, rows }));
