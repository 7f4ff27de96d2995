// Zero-trust security for APIs, inside the process it protects.
"use strict";

const { randomBytes } = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const native = load();

const OPS = Object.freeze(native.ops());

/** Runs one of `OPS` on a document. */
function op(name, document = null) {
  return JSON.parse(native.op(name, typeof document === "string" ? document : JSON.stringify(document)));
}

/** A compiled configuration with its state. */
class Engine {
  #handle;

  /** Use `fromToml`, `fromFile` or `fromBundle`. */
  constructor(handle) {
    this.#handle = handle;
  }

  /**
   * Compiles the text of a configuration and of the files it names. Throws every mistake, one a line.
   *
   * The state's hash tables are keyed by the configuration's seed, else by `seed`, else by 0, which makes a replay
   * exact. A server passes a random one; `fromFile` does.
   */
  static fromToml(text, { files = {}, seed = 0n } = {}) {
    return new Engine(native.fromToml(text, Object.entries(files).flat(), BigInt(seed)));
  }

  /** Reads and compiles a configuration and the files it names, relative to its directory. */
  static fromFile(file, { seed = randomBytes(8).readBigUInt64LE() } = {}) {
    const [text, files] = read(file);
    return Engine.fromToml(text, { files, seed });
  }

  /**
   * Loads a bundle of `zt compile`. With a `key`, the text of a public Ed25519 JWK or JWK set, one that is not signed by
   * it is refused; without one the bundle is trusted like the file that it came from. `seed` as for `fromToml`.
   */
  static fromBundle(bundle, options = {}) {
    return new Engine(native.fromBundle(bundle, trusted(options), BigInt(options.seed ?? 0n)));
  }

  /**
   * Decides about a request. Throws only for a `request` that is none: what fails here refuses, with `internal.panic`.
   *
   * `target` is path and query as received; `rawHeaders` names and values in turn, as Node has them; `peer` an address
   * or the contract's object; `bodyLength` the true length of a body that was cut.
   */
  decide(request, now = Date.now()) {
    const { id = "", method, scheme = "", host = "", target, httpVersion = "", peer = "", rawHeaders, body } = request;
    const from = typeof peer === "string" ? peer : JSON.stringify(peer);
    const head = `${id}\0${method}\0${scheme}\0${host}\0${target}\0${httpVersion}\0${from}`;
    const length = request.bodyLength ?? body?.length ?? -1;
    // One string for all lines: a crossing of its own for each would cost more than the decision.
    const lines = rawHeaders?.join?.("\0");
    if (lines === undefined) throw new TypeError("`rawHeaders` is not a list of names and values in turn");
    return new Decision(native.decide(this.#handle, head, lines, rawHeaders.length, body, length, now));
  }

  /** Observes the response to a request that was decided; a response decision. `headers` are names and values in turn. */
  observe(decision, { status, headers = [], latencyMs, cost, verdict }, now = Date.now()) {
    const lines = headers.join("\0");
    const text = Decision.text(decision);
    const measured = { latencyMs, cost, verdict };
    return JSON.parse(native.observe(this.#handle, text, status, lines, headers.length, measured, now));
  }

  /**
   * What hides members of the response with this head; `undefined` where nothing is to be hidden. Throws when it cannot
   * be done: unless its body is empty the response must not be sent then.
   */
  redactor(decision, { status, headers = [] }) {
    const lines = headers.join("\0");
    const handle = native.redactor(this.#handle, Decision.text(decision), status, lines, headers.length);
    return handle ? new Redactor(handle) : undefined;
  }

  /** Event -> decision; the clock is the event's `time_ms`. */
  decideEvent(event) {
    return JSON.parse(native.decideEvent(this.#handle, JSON.stringify(event)));
  }

  /** `decideEvent` on JSON text: what goes in and comes out byte for byte. */
  decideEventJson(event) {
    return native.decideEvent(this.#handle, event);
  }

  /** Event -> why it is decided as it is, and what would have to change; the state is left as it is. */
  explainEvent(event) {
    return JSON.parse(native.explainEvent(this.#handle, JSON.stringify(event)));
  }

  /** Event with a response, and its decision -> response decision. */
  observeEvent(event, decision) {
    return JSON.parse(native.observeEvent(this.#handle, JSON.stringify(event), JSON.stringify(decision)));
  }

  /** `observeEvent` on JSON text. */
  observeEventJson(event, decision) {
    return native.observeEvent(this.#handle, event, decision);
  }

  /** Starts the decision log, or goes on after the last line of one that is there. */
  logStart({ after, key, inputsKey } = {}) {
    native.logStart(this.#handle, JSON.stringify({ after, key, inputs_key: inputsKey }));
  }

  /** Event and its decision -> the line of the log, without a line break. */
  logRecord(event, decision) {
    return native.logRecord(this.#handle, JSON.stringify(event), JSON.stringify(decision));
  }

  /** Event -> `{ decision, line }`; with `timings` the line has the microseconds of each stage. */
  decideLogged(event, { timings = false } = {}) {
    return JSON.parse(native.decideLogged(this.#handle, JSON.stringify(event), timings));
  }

  /** The state as versioned, checksummed bytes. */
  snapshot() {
    return native.snapshot(this.#handle);
  }

  /** Replaces the state by a snapshot; the state is untouched when it is not one. */
  restore(snapshot) {
    native.restore(this.#handle, snapshot);
  }

  /** What has changed since an epoch that an earlier delta gave, for `merge` of others; since 0, everything. */
  deltaSince(epoch = 0) {
    return native.deltaSince(this.#handle, epoch);
  }

  /** What the state holds and had to give up, by module and store. */
  stateReport() {
    return JSON.parse(native.stateReport(this.#handle));
  }

  /** Joins a snapshot or a delta with the state; the order of merges never matters. */
  merge(snapshot) {
    native.merge(this.#handle, snapshot);
  }

  /** Refuses from now on what a revocation is about, until it expires. */
  revoke(revocation, now = Date.now()) {
    native.revoke(this.#handle, JSON.stringify(revocation), now);
  }

  /** Suspends whom this names until its `until_ms`; returns the action, for the log. */
  suspend(suspension, now = Date.now()) {
    return JSON.parse(native.suspend(this.#handle, JSON.stringify(suspension), now));
  }

  /** Frees whom this names and forgives its strikes; returns the action, for the log. */
  unsuspend(suspension, now = Date.now()) {
    return JSON.parse(native.unsuspend(this.#handle, JSON.stringify(suspension), now));
  }

  /** Receives a Security Event Token and does what its events call for; returns what was done. */
  receive(token, now = Date.now()) {
    const text = typeof token === "string" ? token : Buffer.from(token).toString("latin1");
    return JSON.parse(native.receive(this.#handle, text, now));
  }

  /** Replaces the key set of one issuer; a bad set throws and leaves the old in force. */
  replaceKeys(issuer, jwks) {
    // The native call would write what it was given into its error, secret keys and all.
    if (typeof jwks !== "string") throw new TypeError("`jwks` is not the text of a JWK set");
    native.replaceKeys(this.#handle, issuer, jwks);
  }

  /** Puts a bundle in force in place of the engine; the state stays. One that is refused leaves the old in force. */
  replaceBundle(bundle, options = {}) {
    native.replaceBundle(this.#handle, bundle, trusted(options));
  }

  /** Puts a configuration and the files it names in force in place of the engine; the state stays. */
  replaceToml(text, { files = {} } = {}) {
    native.replaceToml(this.#handle, text, Object.entries(files).flat());
  }

  /** Reads a configuration and the files it names again, and puts them in force; the state stays. */
  replaceFile(file) {
    const [text, files] = read(file);
    this.replaceToml(text, { files });
  }

  /** Runs one of `OPS` on a document. */
  op(name, document) {
    return op(name, document);
  }

  /** The longest body, in bytes, that the host has to read: a longer one is refused for its length alone. */
  get bodyLimit() {
    return native.bodyLimit(this.#handle);
  }

  /** What is worth knowing about the configuration. */
  get notices() {
    return native.notices(this.#handle);
  }

  /** Prefix of the SHA-256 of the configuration and of every file it names, hex. */
  get version() {
    return native.version(this.#handle);
  }
}

/** The key of the options. One that is given and is no text, `undefined` too, must not become none. */
function trusted(options) {
  const { key } = options;
  if (typeof options !== "object" || ("key" in options && typeof key !== "string")) {
    throw new TypeError("`key` is not the text of a JWK in an object of options");
  }
  return key;
}

/** What to do with a request. What it says is made into objects only when it is asked for. */
class Decision {
  #answer;
  #verdict;
  #document;

  constructor(answer) {
    this.#answer = answer;
    // The verdict stands before the document; an answer without one refuses.
    this.#verdict = Number.parseInt(answer, 10) || 403 << 3;
  }

  /** Whether the host passes the request on. */
  get passes() {
    return (this.#verdict & 1) === 1;
  }

  /** HTTP status: 200 passes. */
  get status() {
    return this.#verdict >>> 3;
  }

  /** Whether the response has to be sent through `Engine.redactor`. */
  get redacts() {
    return (this.#verdict & 4) !== 0;
  }

  /** Headers that the host adds to the response, as pairs. */
  get response_headers() {
    return (this.#verdict & 2) === 0 ? [] : this.toJSON().response_headers;
  }

  /** The body of a refusal: a problem document (RFC 9457), `application/problem+json`. */
  problem() {
    return native.op("problem", Decision.text(this));
  }

  /** The decision's document. */
  toJSON() {
    return (this.#document ??= JSON.parse(Decision.text(this)));
  }

  /** The decision's document, as text. */
  static text(decision) {
    return decision.#answer.slice(decision.#answer.indexOf("{"));
  }
}

for (const field of [
  "id", "outcome", "enforced", "time_ms", "identity", "endpoint", "risk", "score", "scores", "reasons", "obligations",
  "actions", "policy_version", "workload", "refresh_wanted",
]) {
  Object.defineProperty(Decision.prototype, field, { get() { return this.toJSON()[field]; }, configurable: true });
}

/** Hides members of one JSON response, piece by piece. */
class Redactor {
  #handle;

  /** Use `Engine.redactor`. */
  constructor(handle) {
    this.#handle = handle;
  }

  /** Headers, in lower case, that no longer hold. */
  static staleHeaders = Object.freeze(native.staleHeaders());

  /** Takes the next piece of the body; what is to be sent of it. Throws when it is not JSON. */
  push(piece) {
    return native.redactorPush(this.#handle, piece);
  }

  /** To be called at the end of the body. Throws when it is not whole. */
  finish() {
    native.redactorFinish(this.#handle);
  }
}

const OUTCOMES = ["allow", "flag", "step_up", "throttle", "deny", "suspend"];

/** What policies say. */
class Authorized {
  #outcome;
  #why;

  constructor(outcome, why) {
    this.#outcome = outcome;
    this.#why = why;
  }

  /** Whether the request goes on to the handler. */
  get allowed() { return this.#outcome < 2; }
  /** The most severe of what the policies call for. */
  get outcome() { return OUTCOMES[this.#outcome]; }
  /** Names of the policies that made it so: forbids where one forbids, else permits. Asked for when they are read. */
  get policies() { return this.#why()[0]; }
  /** Names of the policies that could not be evaluated. */
  get errors() { return this.#why()[1]; }
  /** Members of a JSON response that the host has to hide. */
  get redact() { return this.#why()[2]; }
}

/** A string as it is: what is none would become the name of somebody, `null` or `admin` for `["admin"]`. */
function text(value, what) {
  if (typeof value !== "string") throw new TypeError(`\`${what}\` is not a string`);
  return value;
}

/** A string behind a mark, or nothing. */
function marked(value, what) {
  return value === undefined || value === null ? "" : `+${text(value, what)}`;
}

/** Authorizes by the `[policy]` part of a configuration, and nothing else: for hosts that route and verify on their own. */
class Policy {
  #handle;

  /** Use `fromToml` or `fromFile`. */
  constructor(text, files) {
    this.#handle = native.fromToml(text, Object.entries(files).flat(), 0n);
  }

  /** Compiles the text of a configuration and of the files it names. Throws every mistake, one a line. */
  static fromToml(text, { files = {} } = {}) {
    return new Policy(text, files);
  }

  /** Reads and compiles a configuration and the files it names, relative to its directory. */
  static fromFile(file) {
    return new Policy(...read(file));
  }

  /**
   * Whether a caller, an asserted one, may use the endpoint with this id. What a decision would read of the request
   * itself is absent from the context. Without a principal nobody in particular asks. Throws when there is no such
   * endpoint, no `[policy]`, or a name that is no string.
   */
  authorize(endpoint, principal, roles = [], options = {}) {
    const { scopes = [], acr, issuedAt = NaN, risk = 0, now = Date.now(), ...others } = options;
    for (const name in others) throw new TypeError(`there is no option \`${name}\``);
    let names = `${text(endpoint, "endpoint")}\0${marked(principal, "principal")}\0${marked(acr, "acr")}`;
    const counts = [[roles, "roles"], [scopes, "scopes"]].map(([list, what]) => {
      // A string is not a list of its letters.
      if (!Array.isArray(list)) throw new TypeError(`\`${what}\` is not an array`);
      const { length } = list;
      for (let at = 0; at < length; at += 1) names += `\0${text(list[at], `${what}[${at}]`)}`;
      return length;
    });
    // Half a character would be read as the sign for what cannot be read, which is another name.
    if (!names.isWellFormed()) throw new TypeError("a name has half a surrogate pair in it");
    if (!Number.isFinite(now)) throw new TypeError("`now` is not a time");
    if (issuedAt === Infinity || issuedAt === -Infinity) throw new TypeError("`issuedAt` is not a time");
    const asked = [this.#handle, names, ...counts, risk, issuedAt, now];
    return new Authorized(native.authorize(...asked), () => native.determining(...asked));
  }
}

/** Verifies tokens alone, by the `[verify]` part of a configuration: for hosts that route and authorize on their own. */
class Verifier {
  #handle;
  #verify;
  /** What the native side answers with its number alone, by place. */
  #held = Array.from({ length: PLACES });

  /** Use `fromToml` or `fromFile`. */
  constructor(text, files) {
    this.#handle = native.verifier(text, Object.entries(files).flat(), randomBytes(8).readBigUInt64LE());
    this.#verify = native.tokenVerifier(this.#handle);
  }

  /** Compiles the text of a configuration and of the files it names. Throws every mistake, one a line. */
  static fromToml(text, { files = {} } = {}) {
    return new Verifier(text, files);
  }

  /** Reads and compiles a configuration and the files it names, relative to its directory. */
  static fromFile(file) {
    return new Verifier(...read(file));
  }

  /** Verifies one JSON Web Token, without the scheme before it. Throws only when it is no string. */
  verifyToken(token, now = Date.now()) {
    const answer = this.#verify(token, now);
    if (typeof answer === "number") {
      const held = this.#held[answer & (PLACES - 1)];
      // An exception may have kept it from being held.
      return numberOf(held) === answer ? held : new Verified(native.tokenAnswer(this.#handle, token, now));
    }
    const verified = new Verified(answer);
    const number = numberOf(verified);
    if (number !== 0) this.#held[number & (PLACES - 1)] = verified;
    return verified;
  }

  /** Replaces the key set of one issuer; a bad set throws and leaves the old in force. */
  replaceKeys(issuer, jwks) {
    // The native call would write what it was given into its error, secret keys and all.
    if (typeof jwks !== "string") throw new TypeError("`jwks` is not the text of a JWK set");
    native.replaceTokenKeys(this.#handle, issuer, jwks);
  }

  /** Refuses from now on what a revocation is about, until it expires. */
  revoke(revocation, now = Date.now()) {
    native.revokeToken(this.#handle, JSON.stringify(revocation), now);
  }
}

/** As many as `verifier.rs` counts. */
const PLACES = 1 << 14;

/** The number under which the answer to a token is held; 0 is none. For `Verifier` alone. */
let numberOf;

/**
 * What a token proves: frozen, because everyone who shows the same token is answered with the same object. Identity,
 * claims and refusal are texts until they are asked for.
 */
class Verified {
  #number = 0;
  #principal;
  #identity;
  #claims;
  #refusal;

  constructor(answer) {
    const first = answer.indexOf("\0");
    if (first < 0) {
      this.#refusal = answer;
      return;
    }
    const second = answer.indexOf("\0", first + 1);
    const third = answer.indexOf("\0", second + 1);
    this.#number = Number(answer.slice(0, first));
    this.#principal = JSON.parse(answer.slice(first + 1, second));
    this.#identity = answer.slice(second + 1, third);
    this.#claims = answer.slice(third + 1);
  }

  static {
    numberOf = (verified) => verified?.#number;
  }

  /** Whether the token holds. */
  get accepted() {
    return this.#refusal === undefined;
  }

  /** Subject of a token that holds. */
  get principal() {
    return this.#principal;
  }

  /** Roles of a token that holds. */
  get roles() {
    return this.identity?.roles ?? NONE;
  }

  /** Who it is, when the token holds. */
  get identity() {
    return (this.#identity = made(this.#identity));
  }

  /** The claims of a token that holds. */
  get claims() {
    return (this.#claims = made(this.#claims));
  }

  /** The reason's code of a refusal. */
  get code() {
    return this.#refused()?.code;
  }

  /** The `WWW-Authenticate` header of a refusal. */
  get challenge() {
    return this.#refused()?.challenge;
  }

  /** The issuer whose key set should be fetched again. */
  get refresh_wanted() {
    return this.#refused()?.refresh_wanted;
  }

  #refused() {
    return (this.#refusal = made(this.#refusal));
  }

  /** All that was found. */
  toJSON() {
    return this.#refused() ?? Object.freeze({ identity: this.identity, claims: this.claims });
  }
}

/** The frozen value of a text; a value that was made before. */
function made(value) {
  return typeof value === "string" ? frozen(JSON.parse(value)) : value;
}

const NONE = Object.freeze([]);

/** Frozen through and through; claims are at most 16 deep. */
function frozen(value) {
  if (typeof value === "object" && value !== null) Object.values(Object.freeze(value)).forEach(frozen);
  return value;
}

/** A configuration and the files it names. */
function read(file) {
  const text = fs.readFileSync(file, "utf8");
  const directory = path.dirname(file);
  const files = {};
  for (const named of op("named_files", { config: text })) {
    for (const name of expand(directory, named)) files[name] = fs.readFileSync(path.join(directory, name), "utf8");
  }
  return [text, files];
}

/** The files that a name with `*` fits, or the one it names; a missing one is told by the compiler, with its line. */
function expand(directory, name) {
  let found = [""];
  for (const part of name.split("/")) {
    const pattern = new RegExp(`^${part.split("*").map((text) => text.replace(/[.+?^${}()|[\]\\]/g, "\\$&")).join(".*")}$`);
    found = found.flatMap((folder) => {
      const join = (entry) => (folder === "" ? entry : `${folder}/${entry}`);
      if (!part.includes("*")) return [part === "" ? `${folder}/` : join(part)];
      const here = path.join(directory, folder);
      const entries = fs.existsSync(here) ? fs.readdirSync(here).sort() : [];
      return entries.filter((entry) => pattern.test(entry) && !entry.startsWith(".")).map(join);
    });
  }
  return found.filter((file) => fs.existsSync(path.join(directory, file)));
}

/** The library beside this file, else that of the package for this platform. No variable of the environment has a say. */
function load() {
  const own = path.join(__dirname, "zt.node");
  if (fs.existsSync(own)) return require(own);
  const { platform, arch } = process;
  const libc = platform !== "linux" ? "" : process.report.getReport().header.glibcVersionRuntime ? "-gnu" : "-musl";
  const name = `zt-${platform}-${arch}${libc}`;
  try {
    return require(name);
  } catch (cause) {
    const build = "cargo build --release -p zt-node, then copy its library to zt-node/zt.node";
    throw new Error(`zt has no library for this platform: neither zt.node nor the package \`${name}\`; build it: ${build}`, { cause });
  }
}

module.exports = { Authorized, Decision, Engine, OPS, Policy, Redactor, Verified, Verifier, op };
