// Express middleware: `app.use(zt({ engine }))`, before any body parser. Connect and plain `node:http` fit it too.
"use strict";

const { Engine, Redactor } = require("./index.js");

/**
 * Every request is decided before the application sees it; a refused one is answered with a problem document
 * (RFC 9457). The application finds the decision as `req.zt`, and may say what the request cost by `req.ztCost`.
 *
 * A body is read up to the engine's limit and put back, so that parsers behind this find it whole.
 *
 * Where a policy hides members (`@redact`), the response is redacted while it streams: the application has to answer
 * with plain JSON, so what compresses is used before this.
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
        // It is not acted upon: what the request holds is given back.
        if (decision?.passes) observe(engine, decision, req, res, now);
        return next(error);
      }
      req.zt = decision;
      for (const [name, value] of decision.response_headers) res.appendHeader(name, value);
      if (!decision.passes) return refuse(res, decision);
      // Once, however the response ends: what the request holds is given back once.
      let over = false;
      const ended = (tell) => {
        if (!over) tell();
        over = true;
      };
      for (const event of ["finish", "close"]) res.once(event, () => ended(() => observe(engine, decision, req, res, now)));
      // Whose client has gone already, of whose end nothing more is heard.
      if (res.closed || res.destroyed) ended(() => observe(engine, decision, req, res, now));
      // A response that was refused has been observed by then.
      if (decision.redacts) redact(engine, decision, req, res, () => ended(() => {}));
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

/**
 * Sends everything that the application writes through a redactor. A response that cannot be redacted is answered with a
 * problem document in its place, and `observed` is called; one that turns out not to be JSON breaks off.
 */
function redact(engine, decision, req, res, observed) {
  const { write, end, writeHead, flushHeaders, addTrailers } = res;
  let redactor;
  let state = "waiting";
  /** Headers that must not be sent. */
  let stale = [];

  /** Before the first byte: what is to be done with the body. */
  function begin(empty) {
    // Whoever else waits for this moment to set headers does so now.
    if (res.writeHead !== head) res.writeHead(res.statusCode);
    state = "plain";
    // What upgrades has an empty body too, and then a connection of its own.
    if (req.method === "HEAD" || (empty && res.statusCode !== 101)) {
      stale = Redactor.staleHeaders.filter((name) => req.method === "HEAD" || name !== "content-length");
      return removeStale();
    }
    try {
      redactor = engine.redactor(decision, { status: res.statusCode, headers: headersOf(res) });
    } catch {
      refuseResponse();
      return;
    }
    if (redactor === undefined) return;
    state = "redacting";
    stale = Redactor.staleHeaders;
    removeStale();
  }

  function removeStale() {
    for (const name of stale) res.removeHeader(name);
  }

  function refuseResponse() {
    state = "refused";
    const answer = engine.observe(decision, { status: res.statusCode, headers: headersOf(res) });
    observed();
    for (const name of res.getHeaderNames()) res.removeHeader(name);
    for (const [name, value] of decision.response_headers) res.appendHeader(name, value);
    res.statusMessage = undefined;
    res.statusCode = answer.status;
    res.setHeader("Content-Type", "application/problem+json");
    res.setHeader("Cache-Control", "no-store");
    end.call(res, JSON.stringify(engine.op("problem", answer)));
  }

  function swallow(...given) {
    const callback = given.find((argument) => typeof argument === "function");
    if (callback) process.nextTick(callback);
    return true;
  }

  function hidden(chunk, encoding) {
    return redactor.push(typeof chunk === "string" ? Buffer.from(chunk, encoding) : chunk);
  }

  function head(status, reason, headers) {
    if (state !== "waiting") {
      // Once more, from whoever sets headers at this moment each time it is asked to.
      if (!this.headersSent) removeStale();
      return writeHead.call(this, status, reason, headers);
    }
    this.statusCode = status;
    if (typeof reason === "string") this.statusMessage = reason;
    else headers = reason;
    setHeaders(this, headers);
    return this;
  }
  res.writeHead = head;

  res.flushHeaders = function () {
    if (state === "waiting") begin(false);
    if (state !== "refused") flushHeaders.call(this);
  };

  res.write = function (chunk, encoding, callback) {
    if (state === "waiting" && chunk?.length > 0) begin(false);
    if (state === "waiting" || state === "refused") return swallow(encoding, callback);
    if (state === "plain") return write.call(this, chunk, encoding, callback);
    if (typeof encoding === "function") [encoding, callback] = [undefined, encoding];
    let out;
    try {
      out = hidden(chunk, encoding);
    } catch (error) {
      this.destroy(error);
      return false;
    }
    return write.call(this, out, callback);
  };

  res.end = function (chunk, encoding, callback) {
    if (typeof chunk === "function") [chunk, encoding, callback] = [undefined, undefined, chunk];
    if (typeof encoding === "function") [encoding, callback] = [undefined, encoding];
    if (state === "waiting") begin(!(chunk?.length > 0));
    if (state === "refused") {
      swallow(callback);
      return this;
    }
    if (state === "plain") return end.call(this, chunk, encoding, callback);
    let out;
    try {
      if (chunk?.length > 0) out = hidden(chunk, encoding);
      redactor.finish();
    } catch (error) {
      this.destroy(error);
      return this;
    }
    return end.call(this, out, undefined, callback);
  };

  res.addTrailers = function (headers) {
    const holds = ([name]) => !Redactor.staleHeaders.includes(`${name}`.toLowerCase());
    if (state === "refused") return;
    addTrailers.call(this, Array.isArray(headers) ? headers.filter(holds) : Object.fromEntries(Object.entries(headers).filter(holds)));
  };

}

/** Headers as `writeHead` takes them: an object, pairs, or names and values in turn. */
function setHeaders(res, headers) {
  if (headers === undefined || headers === null) return;
  let pairs = Object.entries(headers);
  if (Array.isArray(headers)) {
    pairs = headers.flat();
    pairs = pairs.flatMap((name, at) => (at % 2 === 0 ? [[name, pairs[at + 1]]] : []));
    for (const [name] of pairs) res.removeHeader(name);
    for (const [name, value] of pairs) res.appendHeader(name, value);
    return;
  }
  for (const [name, value] of pairs) if (value !== undefined) res.setHeader(name, value);
}

/** Header lines as names and values in turn. */
function headersOf(res) {
  const headers = [];
  for (const [name, value] of Object.entries(res.getHeaders())) {
    for (const line of Array.isArray(value) ? value : [value]) headers.push(name, line);
  }
  return headers;
}

/** What the engine takes for a cost: what is none must not keep it from hearing of the end. */
function costOf(cost) {
  return cost >= 0 ? Math.min(Math.ceil(cost), 0xffff_ffff) : undefined;
}

function observe(engine, decision, req, res, start) {
  const now = Date.now();
  const response = { status: res.statusCode, headers: headersOf(res), latencyMs: now - start, cost: costOf(req.ztCost) };
  try {
    engine.observe(decision, response, now);
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
