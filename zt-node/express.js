// Express middleware: `app.use(zt({ engine }))`, before any body parser. Connect and plain `node:http` fit it too.
"use strict";

const { Engine } = require("./index.js");

/**
 * Every request is decided before the application sees it; a refused one is answered with a problem document
 * (RFC 9457). The application finds the decision as `req.zt`.
 *
 * A body is read up to the engine's limit and put back, so that parsers behind this find it whole.
 */
function zt({ engine, config = "zt.toml", peer = remoteAddress, onDecision } = {}) {
  engine ??= Engine.fromFile(config);
  const limit = engine.bodyLimit;

  return function ztMiddleware(req, res, next) {
    const now = Date.now();
    // HTTP/2 says nowhere in advance whether there is a body; a body that is not looked at must not pass.
    if (req.httpVersionMajor > 1) return next(new Error("zt/express decides about HTTP/1 requests only"));
    const announced = announcedLength(req);
    if (announced === 0) return proceed(undefined, 0);
    // A body over the limit is refused for its length: nothing of it needs to be held.
    if (announced > limit) return proceed(Buffer.alloc(0), announced);
    readBody(req, limit, (body) => proceed(body, body.length));

    function proceed(body, bodyLength) {
      let decision;
      try {
        decision = engine.decide(describe(req, peer(req), body, bodyLength), now);
        onDecision?.(req, decision);
      } catch (error) {
        return next(error);
      }
      req.zt = decision;
      for (const [name, value] of decision.response_headers) res.appendHeader(name, value);
      if (!decision.passes) return refuse(res, decision);
      res.once("finish", () => observe(engine, decision, res, now));
      next();
    }
  };
}

function describe(req, peer, body, bodyLength) {
  return {
    method: req.method,
    scheme: req.socket.encrypted ? "https" : "http",
    // Routers rewrite `url`.
    target: req.originalUrl ?? req.url,
    httpVersion: req.httpVersion,
    rawHeaders: req.rawHeaders,
    peer,
    body,
    bodyLength,
  };
}

function refuse(res, decision) {
  res.statusCode = decision.status;
  res.setHeader("Content-Type", "application/problem+json");
  res.setHeader("Cache-Control", "no-store");
  res.end(decision.problem());
}

function observe(engine, decision, res, start) {
  const headers = [];
  for (const [name, value] of Object.entries(res.getHeaders())) {
    for (const line of Array.isArray(value) ? value : [value]) headers.push(name, line);
  }
  const now = Date.now();
  try {
    engine.observe(decision, { status: res.statusCode, headers, latencyMs: now - start }, now);
  } catch {
    // The request has been decided: a failure here lets nothing pass.
  }
}

/** Length of the body in bytes, 0 without one, NaN when it is not announced (chunked). */
function announcedLength({ headers }) {
  return headers["transfer-encoding"] === undefined ? Number(headers["content-length"] ?? 0) : NaN;
}

/** Calls back with at most one chunk more than the limit, which is put back for whoever reads the request next. */
function readBody(req, limit, done) {
  const chunks = [];
  let length = 0;
  const read = () => {
    for (let chunk; length <= limit && (chunk = req.read()) !== null;) {
      chunks.push(chunk);
      length += chunk.length;
    }
    if (length <= limit && !req.complete) return;
    finish();
    const body = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, length);
    // Before the stream has said that it ended: after that nothing can be put back.
    if (length > 0) req.unshift(body);
    done(body);
  };
  // A client that goes away is owed no decision.
  const finish = () => {
    req.removeListener("readable", read);
    req.removeListener("error", finish);
    req.removeListener("close", finish);
  };
  req.on("readable", read);
  req.on("error", finish);
  req.on("close", finish);
}

function remoteAddress(req) {
  return req.socket.remoteAddress ?? "";
}

module.exports = zt;
