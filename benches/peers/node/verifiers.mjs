// The verifiers of Node.js, each with the hardened options that it documents: pinned algorithm, prebuilt key, and
// `exp`, `iss` and `aud` required and checked. Each takes a JWK and answers with a function that throws on refusal.

import { createPublicKey, createSecretKey } from "node:crypto";
import { createRequire } from "node:module";

import { createVerifier } from "fast-jwt";
import { createLocalJWKSet, importJWK, jwtVerify } from "jose";
import jsonwebtoken from "jsonwebtoken";

const require = createRequire(import.meta.url);
const version = (name) => `${name} ${require(`${name}/package.json`).version}`;

const TYP = "at+jwt";
const REQUIRED = ["exp", "iss", "aud", "sub"];

const keyObject = (jwk) =>
  jwk.kty === "oct" ? createSecretKey(Buffer.from(jwk.k, "base64url")) : createPublicKey({ key: jwk, format: "jwk" });

/** fast-jwt takes bytes or PEM. */
const pemOrBytes = (jwk) =>
  jwk.kty === "oct" ? Buffer.from(jwk.k, "base64url") : keyObject(jwk).export({ type: "spki", format: "pem" });

const joseOptions = (alg, issuer, audience) =>
  ({ algorithms: [alg], issuer, audience, typ: TYP, requiredClaims: REQUIRED });

async function joseKey(jwk, alg, issuer, audience) {
  const key = await importJWK(jwk, alg);
  const options = joseOptions(alg, issuer, audience);
  return async (token) => (await jwtVerify(token, key, options)).payload;
}

async function joseKeySet(jwk, alg, issuer, audience) {
  // Secrets are no part of a public set.
  if (jwk.kty === "oct") return joseKey(jwk, alg, issuer, audience);
  const keys = createLocalJWKSet({ keys: [jwk] });
  const options = joseOptions(alg, issuer, audience);
  return async (token) => (await jwtVerify(token, keys, options)).payload;
}

const fastJwt = (cache) => (jwk, alg, issuer, audience) =>
  createVerifier({
    key: pemOrBytes(jwk), algorithms: [alg], allowedIss: issuer, allowedAud: audience, requiredClaims: REQUIRED,
    checkTyp: TYP, cache,
  });

function nodeJsonwebtoken(jwk, alg, issuer, audience) {
  const key = keyObject(jwk);
  const options = { algorithms: [alg], issuer, audience };
  return (token) => jsonwebtoken.verify(token, key, options);
}

export const PEERS = [
  { name: `${version("jose")} key set`, way: "each", make: joseKeySet },
  { name: version("jose"), way: "each", make: joseKey },
  { name: version("fast-jwt"), way: "each", make: fastJwt(false) },
  { name: version("jsonwebtoken"), way: "each", make: nodeJsonwebtoken, without: ["EdDSA"] },
];

/** A verifier that remembers tokens; `live` of them. */
export const CACHED = { name: version("fast-jwt"), way: "repeated", make: (live, ...of) => fastJwt(live)(...of) };
