// Tokens alone.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Verified, Verifier } from "zt";

const NOW = 1_772_446_530_123;
const SECRET = "a secret of the tests, of 32 bytes or more";

const part = (data) => Buffer.from(data).toString("base64url");

function token(claims = {}, secret = SECRET) {
  const base = { iss: "https://idp.test", sub: "anna", aud: "https://api.test", exp: Math.floor(NOW / 1000) + 60, roles: ["buyer"] };
  const signed = [{ alg: "HS256", typ: "at+jwt" }, { ...base, ...claims }].map((it) => part(JSON.stringify(it))).join(".");
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

const KEYS = JSON.stringify({ keys: [{ kty: "oct", alg: "HS256", k: part(SECRET) }] });
const CONFIG = `
version = 1
[[verify.issuer]]
issuer = "https://idp.test"
audiences = ["https://api.test"]
algorithms = ["HS256"]
jwks = '${KEYS}'
`;

test("a token that holds", () => {
  const verifier = Verifier.fromToml(CONFIG);
  const shown = token();
  // The second time from memory, from another string of the same characters.
  for (const form of [shown, Buffer.from(shown).toString("latin1")]) {
    const verified = verifier.verifyToken(form, NOW);
    assert.ok(verified instanceof Verified && verified.accepted);
    assert.equal(verified.principal, "anna");
    assert.deepEqual(verified.roles, ["buyer"]);
    assert.equal(verified.identity.issuer, "https://idp.test");
    assert.equal(verified.claims.exp, Math.floor(NOW / 1000) + 60);
    assert.equal(verified.code, undefined);
    assert.equal(verified.challenge, undefined);
  }
});

test("the answers to many tokens are each their own", () => {
  const verifier = Verifier.fromToml(CONFIG);
  const tokens = Array.from({ length: 40_000 }, (_, at) => token({ sub: `user-${at}` }));
  for (let round = 0; round < 2; round += 1) {
    tokens.forEach((shown, at) => assert.equal(verifier.verifyToken(shown, NOW).principal, `user-${at}`));
  }
});

test("what is read later is what was proven then", () => {
  for (const cache of ["", '[verify.cache]\nmemory = "0B"\n']) {
    const verifier = Verifier.fromToml(CONFIG.replace("[[", `${cache}[[`));
    const strange = 'a"\\ü\u{1f600}';
    const verified = [strange, "bob", strange].map((sub) => verifier.verifyToken(token({ sub, note: "\0" }), NOW));
    verifier.revoke({ revoke: "subject", issuer: "https://idp.test", id: "bob", expires_ms: NOW + 60_000 }, NOW);
    assert.equal(verifier.verifyToken(token({ sub: "bob", note: "\0" }), NOW).code, "verify.revoked");
    assert.deepEqual(verified.map((it) => it.principal), [strange, "bob", strange]);
    for (const it of verified) {
      const { identity, claims, ...other } = JSON.parse(JSON.stringify(it));
      assert.deepEqual([identity.principal, claims.sub, claims.note, other], [it.principal, it.principal, "\0", {}]);
      assert.equal(it.claims, it.claims);
    }
  }
});

test("what one request holds, another cannot change", () => {
  const verifier = Verifier.fromToml(CONFIG);
  const { claims, roles } = verifier.verifyToken(token(), NOW);
  assert.throws(() => claims.roles.push("admin"), TypeError);
  assert.throws(() => { claims.sub = "root"; }, TypeError);
  assert.throws(() => roles.push("admin"), TypeError);
});

test("refusals", () => {
  const verifier = Verifier.fromToml(CONFIG);
  assert.ok(verifier.verifyToken(token(), NOW).accepted);
  for (const [shown, now, code] of [
    [token({}, "b".repeat(32)), NOW, "verify.bad_signature"],
    [token(), NOW + 200_000, "verify.expired"],
    [token({ aud: "https://other.test" }), NOW, "verify.wrong_audience"],
    // Its low byte is `A`.
    [token() + "\u0141", NOW, "verify.malformed_token"],
    [token() + "\ud800", NOW, "verify.malformed_token"],
    [`Bearer ${token()}`, NOW, "verify.malformed_token"],
    ["", NOW, "verify.malformed_token"],
    ["é".repeat(10_000), NOW, "verify.token_too_long"],
  ]) {
    const refused = verifier.verifyToken(shown, now);
    assert.equal(refused.code, code);
    assert.equal(refused.accepted, false);
    for (const field of ["principal", "identity", "claims"]) assert.equal(refused[field], undefined);
    assert.deepEqual(refused.roles, []);
    assert.match(refused.challenge, /^Bearer realm="[^"]+", error="invalid_token"/);
  }
});

test("a revoked subject is refused at once", () => {
  const verifier = Verifier.fromToml(CONFIG);
  assert.ok(verifier.verifyToken(token(), NOW).accepted);
  verifier.revoke({ revoke: "subject", issuer: "https://idp.test", id: "anna", expires_ms: NOW + 60_000 }, NOW);
  assert.equal(verifier.verifyToken(token(), NOW).code, "verify.revoked");
  assert.equal(verifier.verifyToken(token({ sub: "bob" }), NOW).principal, "bob");
});

test("a long token is read to its end", () => {
  const verifier = Verifier.fromToml(CONFIG);
  for (let length = 2_500; length < 3_000; length += 1) {
    assert.equal(verifier.verifyToken(token({ note: "n".repeat(length) }), NOW).principal, "anna", `${length}`);
  }
});

test("what is no token", () => {
  const verifier = Verifier.fromToml(CONFIG);
  for (const other of [undefined, null, 7, {}, Buffer.from(token())]) assert.throws(() => verifier.verifyToken(other, NOW), /string/);
});

test("mistakes have lines, files are read", () => {
  assert.throws(() => Verifier.fromToml(CONFIG.replace(KEYS, "{}")), /zt\.toml:7/);
  const folder = mkdtempSync(join(tmpdir(), "zt-"));
  writeFileSync(join(folder, "keys.json"), KEYS);
  writeFileSync(join(folder, "zt.toml"), CONFIG.replace(`jwks = '${KEYS}'`, 'jwks_file = "keys.json"'));
  assert.equal(Verifier.fromFile(join(folder, "zt.toml")).verifyToken(token(), NOW).principal, "anna");
});

test("another key set stops the tokens of the old one", () => {
  const verifier = Verifier.fromToml(CONFIG);
  const other = "another secret of the tests, of 32 bytes or more";
  const keys = JSON.stringify({ keys: [{ kty: "oct", alg: "HS256", kid: "new", k: part(other) }] });
  assert.ok(verifier.verifyToken(token(), NOW).accepted);
  assert.throws(() => verifier.replaceKeys("https://idp.test", "{}"), /keys/);
  assert.ok(verifier.verifyToken(token(), NOW).accepted);
  verifier.replaceKeys("https://idp.test", keys);
  assert.equal(verifier.verifyToken(token(), NOW).code, "verify.bad_signature");
  assert.equal(verifier.verifyToken(token({}, other), NOW).principal, "anna");
  assert.equal(verifier.verifyToken(token({}, other), NOW).refresh_wanted, undefined);
});
