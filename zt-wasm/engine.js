// The instance behind every engine of this isolate, and what replaces it when it traps.

import * as wasm from "./pkg/zt_wasm.js";
import module from "./pkg/zt_wasm_bg.wasm";

wasm.initSync({ module });

/** Engines that a new instance must be made for: they share one WebAssembly memory. */
const engines = new Set();

export const OPS = Object.freeze(wasm.ops());

/** An engine and a state; documents are objects. */
export class Engine {
  #make;
  #instance;

  constructor(make) {
    this.#make = make;
    this.#instance = make();
    engines.add(this);
  }

  /** Compiles the text of a `zt.toml`; `files` holds the text of each file it names. Throws every mistake, one a line. */
  static fromToml(text, { files = {}, seed = 0n } = {}) {
    const pairs = Object.entries(files).flat();
    return new Engine(() => guarded(() => wasm.Instance.from_toml(text, pairs, BigInt(seed))));
  }

  /** The longest body, in bytes, that the host has to read. */
  get bodyLimit() {
    return guarded(() => this.#instance.body_limit());
  }

  /** Decides about a request; the hot lane. `now` is the host's clock, in milliseconds. Never throws: what fails refuses. */
  decide(request, now) {
    const { id = "", method, scheme = "", host = "", target, httpVersion = "", peer, headers, body, bodyLength } = request;
    try {
      return guarded(() => {
        let count = 7;
        let fields = `${id}\0${method}\0${scheme}\0${host}\0${target}\0${httpVersion}\0${peer ? JSON.stringify(peer) : ""}`;
        for (const [name, value] of headers) {
          fields += `\0${name}\0${value}`;
          count += 2;
        }
        const verdict = this.#instance.decide(fields, count, body, bodyLength ?? -1, now);
        const passes = (verdict & 1) === 1;
        return new Decision(this.#instance.document(), passes, verdict >>> 1, passes ? null : this.#instance.problem());
      });
    } catch {
      const text = wasm.panic_decision(id, now);
      return new Decision(text, false, JSON.parse(text).status, wasm.op("problem", text));
    }
  }

  /** Event -> decision; its clock is the event's `time_ms`. */
  decideEvent(event) {
    return JSON.parse(this.decideEventText(JSON.stringify(event)));
  }

  /** The same on JSON texts. */
  decideEventText(event) {
    try {
      return guarded(() => this.#instance.decide_event(event));
    } catch (error) {
      if (!isTrap(error)) throw error;
      const { id = "", time_ms } = JSON.parse(event);
      return wasm.panic_decision(id, time_ms);
    }
  }

  /** Event with a response, and its decision -> response decision. */
  observeEvent(event, decision) {
    return JSON.parse(this.observeEventText(JSON.stringify(event), JSON.stringify(decision)));
  }

  /** The same on JSON texts. */
  observeEventText(event, decision) {
    return guarded(() => this.#instance.observe_event(event, decision));
  }

  /** The state as bytes. */
  snapshot() {
    return guarded(() => this.#instance.snapshot());
  }

  /** Replaces the state by a snapshot. */
  restore(bytes) {
    guarded(() => this.#instance.restore(bytes));
  }

  /** Joins a snapshot with the state; the order of merges never matters. */
  merge(bytes) {
    guarded(() => this.#instance.merge(bytes));
  }

  /** Runs one of `OPS` on a document. */
  op(name, document) {
    return JSON.parse(guarded(() => wasm.op(name, JSON.stringify(document ?? null))));
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
      const state = states.get(engine);
      if (state) engine.#instance.restore(state);
    }
  }

  static {
    replaceInstance = Engine.#replace;
  }
}

/** A decision. Its fields are those of the contract's document and are read from it when first asked for. */
export class Decision {
  #text;
  #document;

  constructor(text, passes, status, problem) {
    this.#text = text;
    /** Whether the host passes the request on. */
    this.passes = passes;
    this.status = status;
    /** Body of the refusal, `application/problem+json`; null when the request passes. */
    this.problem = problem;
  }

  /** The document. */
  toJSON() {
    return (this.#document ??= JSON.parse(this.#text));
  }
}

const FIELDS = ["id", "outcome", "enforced", "time_ms", "identity", "endpoint", "risk", "score", "scores", "reasons",
  "obligations", "response_headers", "policy_version"];
for (const field of FIELDS) {
  Object.defineProperty(Decision.prototype, field, { enumerable: true, get() { return this.toJSON()[field]; } });
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

var replaceInstance;

function isTrap(error) {
  return error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
}
