// zt for edge functions: `export default { fetch: withZt(handler, { engine }) }`.

import { Engine, Redactor, op } from "./engine.js";

export { Decision, Engine, OPS, Redactor, op } from "./engine.js";

/**
 * Wraps a `fetch` handler: every request is decided before the handler sees it, and a refused one is answered with a
 * problem document (RFC 9457). The handler finds the decision as `ctx.zt`, and may say what the request cost by
 * `ctx.ztCost`.
 *
 * Where a policy hides members (`@redact`), the response is redacted while it streams: the handler has to answer with
 * plain JSON. The edge compresses after this, if it does.
 */
export function withZt(handler, { engine: given, peer = cloudflarePeer, onDecision } = {}) {
  let engine = given instanceof Engine ? given : undefined;
  return async function fetch(request, env, ctx) {
    // Once: an edge clock stands still between I/O, and one request is decided at one time.
    const now = Date.now();
    // Made in the first request: at module scope an edge has neither `env` nor randomness.
    if (engine === undefined) {
      const made = await given(env);
      // Another request may have been faster; its engine has counted already.
      if (engine === undefined) engine = made;
      else made.free();
    }
    const read = await readBody(request, engine.bodyLimit);
    const decision = engine.decide(describe(request, read, peer), now);
    let response;
    try {
      onDecision?.(request, decision);
      if (!decision.passes) return refusal(decision);
      ctx.zt = decision;
      response = await handler(replay(request, read), env, ctx);
    } catch (error) {
      // There will be no response: what the request holds is given back.
      if (decision.passes) observe(engine, decision, { status: 500 }, ctx, now);
      throw error;
    }
    return observed(engine, decision, request, response, ctx, now);
  };
}

/** A seed for `fromToml` that nobody can guess; to be called within a request. */
export function randomSeed() {
  return crypto.getRandomValues(new BigUint64Array(1))[0];
}

/** What Cloudflare knows of the other end of the connection. */
export function cloudflarePeer(request) {
  const peer = { ip: request.headers.get("cf-connecting-ip") ?? undefined };
  const cf = request.cf;
  if (cf === undefined || cf === null) return peer;
  const { asn, country, latitude, longitude } = cf;
  const certificate = cf.tlsClientAuth?.certVerified === "SUCCESS" ? cf.tlsClientAuth.certFingerprintSHA256 : undefined;
  return {
    ...peer,
    asn: Number.isInteger(asn) ? asn : undefined,
    country: country ?? undefined,
    lat: number(latitude),
    lon: number(longitude),
    tls_fingerprint: cf.botManagement?.ja4 ?? undefined,
    client_cert_sha256: certificate ? base64url(certificate) : undefined,
  };
}

function describe(request, read, peer) {
  // The URL is as the edge parsed it: the form before that is not to be had, nor the authority that was sent, which
  // stands in the `host` header.
  const [, scheme, target] = /^([a-z]+):\/\/[^/?#]*([^#]*)/.exec(request.url) ?? [];
  return {
    id: request.headers.get("cf-ray") ?? "",
    method: request.method,
    scheme,
    target: target?.startsWith("/") ? target : `/${target ?? ""}`,
    httpVersion: request.cf?.httpProtocol?.replace("HTTP/", "") ?? "",
    headers: wireHeaders(request.headers),
    body: read.bytes,
    bodyLength: read.length,
    peer: peer(request),
  };
}

/** Header values as one character a byte. The edge has read them as UTF-8; the core takes what was on the wire. */
function* wireHeaders(headers) {
  for (const [name, value] of headers) yield [name, /[^\x00-\x7f]/.test(value) ? bytesOf(value) : value];
}

function bytesOf(value) {
  let bytes = "";
  for (const byte of new TextEncoder().encode(value)) bytes += String.fromCharCode(byte);
  return bytes;
}

/** Reads at most one chunk past the limit. A body that announces more than the limit is not read at all. */
async function readBody(request, limit) {
  if (request.body === null) return { bytes: undefined, length: undefined };
  const announced = Number(request.headers.get("content-length") ?? NaN);
  if (announced > limit) return { bytes: new Uint8Array(), length: announced, rest: request.body };
  const reader = request.body.getReader();
  const chunks = [];
  let length = 0;
  let ended = false;
  while (length <= limit) {
    const { done, value } = await reader.read();
    if (done) {
      ended = true;
      break;
    }
    chunks.push(value);
    length += value.byteLength;
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  if (!ended) reader.releaseLock();
  return { bytes, length, rest: ended ? undefined : request.body };
}

/** The same request again: what was read, then what was not. */
function replay(request, { bytes, rest }) {
  if (bytes === undefined) return request;
  if (rest === undefined) return new Request(request, { body: bytes });
  const { readable, writable } = new TransformStream();
  const writer = writable.getWriter();
  const wrote = writer.write(bytes).then(() => {
    writer.releaseLock();
    return rest.pipeTo(writable);
  });
  // The reader of the new body sees the failure; nobody else has to.
  wrote.catch(() => {});
  return new Request(request, { body: readable, duplex: "half" });
}

function refusal(decision) {
  const headers = new Headers({ "content-type": "application/problem+json", "cache-control": "no-store" });
  for (const [name, value] of decision.response_headers) headers.append(name, value);
  return new Response(decision.problem(), { status: decision.status, headers });
}

/** What the engine takes for a cost: what is none must not keep it from hearing of the end. */
function costOf(cost) {
  return cost >= 0 ? Math.min(Math.ceil(cost), 0xffff_ffff) : undefined;
}

/** Tells the engine how a request ended. */
function observe(engine, decision, head, ctx, start) {
  const now = Date.now();
  try {
    return engine.observe(decision, { ...head, latencyMs: now - start, cost: costOf(ctx.ztCost) }, now);
  } catch {
    // The request has been decided: a failure here lets nothing pass.
    return undefined;
  }
}

function observed(engine, decision, request, response, ctx, start) {
  const head = { status: response.status, headers: [...response.headers].flat() };
  const seen = observe(engine, decision, head, ctx, start);
  const answer = decision.redacts ? redacted(engine, decision, request, head, response, seen) : response;
  const added = decision.response_headers;
  if (added.length === 0) return answer;
  const more = answer === response ? new Response(response.body, response) : answer;
  for (const [name, value] of added) more.headers.append(name, value);
  return more;
}

/** The response, redacted while it streams, or a problem document in its place. */
function redacted(engine, decision, request, head, response, seen) {
  const headers = new Headers(response.headers);
  for (const name of Redactor.staleHeaders) headers.delete(name);
  const { status, statusText } = response;
  // No body, but headers that could tell of one.
  const bodiless = request.method === "HEAD" || response.body === null;
  if (bodiless && !response.webSocket) return new Response(null, { status, statusText, headers });
  let redactor;
  try {
    redactor = engine.redactor(decision, head);
  } catch {
    const instead = { "content-type": "application/problem+json", "cache-control": "no-store" };
    const problem = seen === undefined ? null : op("problem", seen);
    return new Response(problem && JSON.stringify(problem), { status: seen?.status ?? 403, headers: instead });
  }
  if (redactor === undefined) return response;
  const through = new TransformStream({
    transform(piece, controller) {
      const out = redactor.push(piece);
      if (out.length > 0) controller.enqueue(out);
    },
    flush() {
      redactor.finish();
      redactor.free();
    },
  });
  return new Response(response.body.pipeThrough(through), { status, statusText, headers });
}

function number(text) {
  const value = text === undefined || text === null ? NaN : Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** Cloudflare writes a fingerprint in hexadecimal. */
function base64url(hex) {
  const bytes = hex.match(/../g).map((pair) => parseInt(pair, 16));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
