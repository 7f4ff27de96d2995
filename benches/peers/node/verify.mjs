// `verify.mjs measure TOKENS`: median nanoseconds of one verification, by verifier, algorithm and way.
// `verify.mjs attacks CASES`: the cases that each peer accepts, by id.
//
// Prints one JSON document; `cargo xtask bench verify` reads it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { CACHED, PEERS } from "./verifiers.mjs";

const WINDOW_NS = 2_000_000;
const WINDOWS = 101;

/** Every verifier on the tokens of one algorithm. */
async function subjects(given, { alg, jwk, issuer, tokens }) {
  const { Verifier } = await import("../../../zt-node/index.mjs");
  const { version } = createRequire(import.meta.url)("../../../zt-node/package.json");
  const of = [jwk, alg, issuer, given.audience];
  const all = [];
  for (const { name, way, make, without = [] } of PEERS) {
    if (without.includes(alg)) continue;
    const verify = await make(...of);
    assert.equal((await verify(tokens[0])).sub, given.subject, name);
    all.push({ name, way, verify });
  }
  const cached = CACHED.make(tokens.length, ...of);
  assert.equal(cached(tokens[0]).sub, given.subject);
  all.push({ name: CACHED.name, way: CACHED.way, verify: cached });

  const { now_ms: now } = given;
  for (const [way, config] of [["cold", given.config_uncached], ["repeated", given.config]]) {
    const zt = Verifier.fromToml(config);
    all.push({ name: `zt ${version}`, way, verify: (token) => zt.verifyToken(token, now).principal });
    all.push({ name: `zt ${version}, claims read`, way, verify: (token) => zt.verifyToken(token, now).claims });
    for (const token of tokens) assert.equal(zt.verifyToken(token, now).claims.sub, given.subject);
  }
  return all;
}

async function window({ way, verify }, tokens, calls) {
  const picked = Array.from({ length: calls }, (_, at) => tokens[at % tokens.length]);
  const start = process.hrtime.bigint();
  // Only what answers with a promise is awaited.
  if (verify(picked[0]) instanceof Promise) for (const token of picked) await verify(token);
  else for (const token of picked) verify(token);
  return Number(process.hrtime.bigint() - start) / (calls + 1);
}

async function measure(given) {
  const rows = [];
  for (const one of given.cases) {
    const all = await subjects(given, one);
    for (const subject of all) {
      await window(subject, one.tokens, one.tokens.length);
      subject.calls = Math.max(1, Math.floor(WINDOW_NS / (await window(subject, one.tokens, 200))));
      subject.samples = [];
    }
    // By turns, so that all meet the same noise.
    for (let turn = 0; turn < WINDOWS; turn += 1) {
      for (const subject of all) subject.samples.push(await window(subject, one.tokens, subject.calls));
    }
    for (const { name, way, samples } of all) {
      samples.sort((a, b) => a - b);
      rows.push({ verifier: name, alg: one.alg, way, ns: samples[samples.length >> 1] });
    }
  }
  return rows;
}

async function accepts(make, { jwk, alg, token }) {
  try {
    await (await make(jwk, alg, "https://auth.example.com/", "https://api.example.com"))(token);
    return true;
  } catch {
    return false;
  }
}

async function attacks(cases) {
  const rows = [];
  for (const { name, make } of PEERS) {
    const accepted = [];
    for (const one of cases) if (await accepts(make, one)) accepted.push(one.id);
    rows.push({ verifier: name, accepted });
  }
  return rows;
}

const [mode, file] = process.argv.slice(2);
const given = JSON.parse(readFileSync(file, "utf8"));
const rows = await { measure, attacks }[mode](given);
console.log(JSON.stringify({ runtime: `Node ${process.versions.node}`, rows }));
