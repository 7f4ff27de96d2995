// The instance behind every engine of this isolate, and what replaces it when it traps.

import * as wasm from "./pkg/zt_wasm.js";
import module from "./pkg/zt_wasm_bg.wasm";

wasm.initSync({ module });

/** Engines that a new instance must be made for: they share one WebAssembly memory. */
const engines = new Set();

let replaceInstance;

const NO_COMPILER = "this build has no compiler";

export const OPS = Object.freeze(wasm.ops());

/** Runs one of `OPS` on a document. */
export function op(name, document = null) {
  return JSON.parse(guarded(() => wasm.op(name, typeof document === "string" ? document : JSON.stringify(document))));
}

/** A compiled configuration with its state. */
export class Engine {
  #make;
  #seed;
  #instance;
  /** Key sets that replaced those of the configuration, by issuer. */
  #keys = new Map();
  /** How the decision log started, and its last line: it goes on in a new instance. */
  #log;

  /** Use `fromToml` or `fromBundle`. */
  constructor(make, seed) {
    this.#make = make;
    this.#seed = seed;
    this.#instance = guarded(make);
    engines.add(this);
  }

  /** Compiles the text of a `zt.toml`; `files` holds the text of each file it names. Throws every mistake, one a line. */
  static fromToml(text, { files = {}, seed = 0n } = {}) {
    if (wasm.Instance.from_toml === undefined) throw new Error(`${NO_COMPILER}: use \`Engine.fromBundle\``);
    const pairs = Object.entries(files).flat();
    return new Engine(() => wasm.Instance.from_toml(text, pairs, BigInt(seed)), seed);
  }

  /**
   * Loads a bundle of `zt compile`. With a `key`, the text of a public Ed25519 JWK or JWK set, one that is not signed by
   * it is refused; without one the bundle is trusted like the file that it came from.
   */
  static fromBundle(bundle, options = {}) {
    const { seed = 0n } = options;
    return new Engine(fromBundle(bundle, trusted(options), seed), seed);
  }

  /** Puts a configuration in force in place of the engine; the state stays. One with a mistake leaves the old in force. */
  replaceToml(text, { files = {} } = {}) {
    if (wasm.Instance.from_toml === undefined) throw new Error(`${NO_COMPILER}: use \`replaceBundle\``);
    const pairs = Object.entries(files).flat();
    guarded(() => this.#instance.replace_toml(text, pairs));
    this.#make = () => wasm.Instance.from_toml(text, pairs, BigInt(this.#seed));
    this.#keys.clear();
  }

  /** Puts a bundle in force in place of the engine; the state stays. One that is refused leaves the old in force. */
  replaceBundle(bundle, options = {}) {
    const key = trusted(options);
    guarded(() => this.#instance.replace_bundle(bundle, key));
    this.#make = fromBundle(bundle, key, this.#seed);
    this.#keys.clear();
  }

  /** The longest body, in bytes, that the host has to read: a longer one is refused for its length alone. */
  get bodyLimit() {
    return guarded(() => this.#instance.body_limit());
  }

  /** What is worth knowing about the configuration. */
  get notices() {
    return guarded(() => this.#instance.notices());
  }

  /** Prefix of the SHA-256 of the configuration and of every file it names, hex. */
  get version() {
    return guarded(() => this.#instance.version());
  }

  /** Decides about a request; the hot lane. `now` is the host's clock, in milliseconds. Never throws: what fails refuses. */
  decide(request, now) {
    const { id = "", method, scheme = "", host = "", target, httpVersion = "", peer, headers, body, bodyLength } = request;
    try {
      return guarded(() => {
        const from = peer ? JSON.stringify(peer) : "";
        const head = `${id}\0${method}\0${scheme}\0${host}\0${target}\0${httpVersion}\0${from}`;
        const lines = [...headers].flat();
        const length = bodyLength ?? body?.length ?? -1;
        return new Decision(this.#instance.decide(head, lines.join("\0"), lines.length, body, length, now));
      });
    } catch {
      return new Decision(`${403 << 3}${wasm.panic_decision(id, now)}`);
    }
  }

  /** Observes the response to a request that was decided; a response decision. `headers` are names and values in turn. */
  observe(decision, { status, headers = [], latencyMs = 0, cost, verdict }, now) {
    const lines = headers.join("\0");
    const given = Decision.text(decision);
    const { length } = headers;
    return JSON.parse(guarded(() => this.#instance.observe(given, status, lines, length, latencyMs, cost, verdict, now)));
  }

  /**
   * What hides members of the response with this head; `undefined` where nothing is to be hidden. Throws when it cannot
   * be done: unless its body is empty the response must not be sent then.
   */
  redactor(decision, { status, headers = [] }) {
    const lines = headers.join("\0");
    const inner = guarded(() => this.#instance.redactor(Decision.text(decision), status, lines, headers.length));
    return inner === undefined ? undefined : new Redactor(inner);
  }

  /** Verifies one JSON Web Token and nothing else: `identity` and `claims` of one that holds, else `code` and `challenge`. */
  verifyToken(token, now) {
    return JSON.parse(guarded(() => this.#instance.verify_token(token, now)));
  }

  /** Event -> decision; its clock is the event's `time_ms`. */
  decideEvent(event) {
    return JSON.parse(this.decideEventJson(JSON.stringify(event)));
  }

  /** `decideEvent` on JSON text: what goes in and comes out byte for byte. */
  decideEventJson(event) {
    try {
      return guarded(() => this.#instance.decide_event(event));
    } catch (error) {
      if (!isTrap(error)) throw error;
      const { id = "", time_ms } = JSON.parse(event);
      return wasm.panic_decision(id, time_ms);
    }
  }

  /** Event -> why it is decided as it is, and what would have to change; the state is left as it is. */
  explainEvent(event) {
    return JSON.parse(guarded(() => this.#instance.explain_event(JSON.stringify(event))));
  }

  /** Event with a response, and its decision -> response decision. */
  observeEvent(event, decision) {
    return JSON.parse(this.observeEventJson(JSON.stringify(event), JSON.stringify(decision)));
  }

  /** `observeEvent` on JSON text. */
  observeEventJson(event, decision) {
    return guarded(() => this.#instance.observe_event(event, decision));
  }

  /** Starts the decision log, or goes on after the last line of one that is there. */
  logStart({ after, key, inputsKey } = {}) {
    const options = { after, key, inputs_key: inputsKey };
    guarded(() => this.#instance.log_start(JSON.stringify(options)));
    this.#log = options;
  }

  /** Event and its decision -> the line of the log, without a line break. */
  logRecord(event, decision) {
    const text = typeof decision === "string" ? decision : JSON.stringify(decision);
    const line = guarded(() => this.#instance.log_record(JSON.stringify(event), text));
    this.#log = { ...this.#log, after: line };
    return line;
  }

  /** Event -> `{ decision, line }`. */
  decideLogged(event) {
    const logged = this.#decideLogged(JSON.stringify(event));
    this.#log = { ...this.#log, after: logged.line };
    return logged;
  }

  #decideLogged(event) {
    try {
      return JSON.parse(guarded(() => this.#instance.decide_logged(event)));
    } catch (error) {
      if (!isTrap(error)) throw error;
      const { id = "", time_ms } = JSON.parse(event);
      const decision = wasm.panic_decision(id, time_ms);
      return { decision: JSON.parse(decision), line: this.logRecord(JSON.parse(event), decision) };
    }
  }

  /** The state as bytes. */
  snapshot() {
    return guarded(() => this.#instance.snapshot());
  }

  /** Replaces the state by a snapshot. */
  restore(bytes) {
    guarded(() => this.#instance.restore(bytes));
  }

  /** What has changed since an epoch that an earlier delta gave, for `merge` of others; since 0, everything. */
  deltaSince(epoch = 0) {
    return guarded(() => {
      const delta = this.#instance.delta_since(epoch);
      try {
        return { bytes: delta.bytes, epoch: delta.epoch };
      } finally {
        delta.free();
      }
    });
  }

  /** What the state holds and had to give up, by module and store. */
  stateReport() {
    return JSON.parse(guarded(() => this.#instance.state_report()));
  }

  /** Joins a snapshot or a delta with the state; the order of merges never matters. */
  merge(bytes) {
    guarded(() => this.#instance.merge(bytes));
  }

  /** Refuses from now on what a revocation is about, until it expires. */
  revoke(revocation, now = Date.now()) {
    guarded(() => this.#instance.revoke(JSON.stringify(revocation), now));
  }

  /** Suspends whom this names until its `until_ms`; returns the action, for the log. */
  suspend(suspension, now = Date.now()) {
    return JSON.parse(guarded(() => this.#instance.suspend(JSON.stringify(suspension), now)));
  }

  /** Frees whom this names and forgives its strikes; returns the action, for the log. */
  unsuspend(suspension, now = Date.now()) {
    return JSON.parse(guarded(() => this.#instance.unsuspend(JSON.stringify(suspension), now)));
  }

  /** Receives a Security Event Token and does what its events call for; returns what was done. */
  receive(token, now = Date.now()) {
    const text = typeof token === "string" ? token : new TextDecoder("latin1").decode(token);
    return JSON.parse(guarded(() => this.#instance.receive(text, now)));
  }

  /** Replaces the key set of one issuer; a bad set throws and leaves the old in force. */
  replaceKeys(issuer, jwks) {
    guarded(() => this.#instance.replace_keys(issuer, jwks));
    this.#keys.set(issuer, jwks);
  }

  /** Runs one of `OPS` on a document. */
  op(name, document) {
    return op(name, document);
  }

  /** Frees its memory at once. */
  free() {
    engines.delete(this);
    this.#instance.free();
  }

  /** Called around the replacement of the WebAssembly instance: the state is carried over if it still can be read. */
  static #replace() {
    const states = new Map();
    for (const engine of engines) {
      try {
        states.set(engine, engine.#instance.snapshot());
      } catch {
        // It was in use when the instance trapped: this engine starts with an empty state.
      }
    }
    wasm.__wbg_reset_state();
    for (const engine of engines) {
      engine.#instance = engine.#make();
      for (const [issuer, jwks] of engine.#keys) engine.#instance.replace_keys(issuer, jwks);
      const state = states.get(engine);
      if (state) engine.#instance.restore(state);
      if (engine.#log) engine.#instance.log_start(JSON.stringify(engine.#log));
    }
  }

  static {
    replaceInstance = Engine.#replace;
  }
}

/** Makes an instance of a bundle, now and when the WebAssembly instance has to be replaced. */
function fromBundle(bundle, key, seed) {
  const kept = new Uint8Array(bundle);
  return () => wasm.Instance.from_bundle(kept, key, BigInt(seed));
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
export class Decision {
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
    return wasm.op("problem", Decision.text(this));
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

/** Hides members of one JSON response, piece by piece. One that outlives its WebAssembly instance throws. */
export class Redactor {
  #inner;

  /** Use `Engine.redactor`. */
  constructor(inner) {
    this.#inner = inner;
  }

  /** Headers, in lower case, that no longer hold. */
  static staleHeaders = Object.freeze(wasm.stale_headers());

  /** Takes the next piece of the body; what is to be sent of it. Throws when it is not JSON. */
  push(piece) {
    return guarded(() => this.#inner.push(piece));
  }

  /** To be called at the end of the body. Throws when it is not whole. */
  finish() {
    guarded(() => this.#inner.finish());
  }

  /** Frees its memory at once. */
  free() {
    this.#inner.free();
  }
}

/** After a trap nothing of the old instance may be used: its stack and its locks are as the panic left them. */
function guarded(call) {
  try {
    return call();
  } catch (error) {
    if (isTrap(error)) replaceInstance();
    throw error;
  }
}

function isTrap(error) {
  return error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
}
