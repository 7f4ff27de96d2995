// The document lane, for tests outside: `/run` a vector, `/replay` events, `/surface`, `/trap`.

import * as zt from "../worker.js";
import { run } from "../../zt-core/tests/vectors/match.mjs";

const { Engine, OPS, op } = zt;
let replayed;

const answers = {
  "/run"(vector) {
    let engine;
    const problems = run(vector, (...given) => (engine = Engine.fromToml(...given)));
    engine?.free();
    return problems;
  },
  "/load"(config) {
    replayed = Engine.fromToml(config);
    return null;
  },
  "/replay"(events) {
    return events.map((event) => replayed.decideEventJson(event));
  },
  "/surface"() {
    const methods = (c) => Object.getOwnPropertyNames(c.prototype).filter((name) => name !== "constructor").sort();
    return { names: Object.keys(zt).sort(), engine: methods(Engine), decision: methods(zt.Decision), ops: OPS };
  },
  "/op"({ name, document }) {
    return op(name, document);
  },
  "/ops"(asked) {
    return asked.map(({ name, document }) => {
      try {
        return { answer: op(name, document), error: null };
      } catch (error) {
        return { answer: null, error: error.message };
      }
    });
  },
  "/token"({ config, token, now }) {
    const engine = Engine.fromToml(config);
    const found = engine.verifyToken(token, now);
    engine.free();
    return found;
  },
  "/mistakes"(config) {
    try {
      Engine.fromToml(config);
    } catch (error) {
      return error.message;
    }
  },
  /** A state that moves; lanes that agree. */
  "/engine"({ config, request, event, now }) {
    const [a, b] = [Engine.fromToml(config), Engine.fromToml(config)];
    const hot = a.decide(request, now);
    const documents = [hot, b.decideEvent(event)];
    const { passes, status } = hot;
    b.restore(a.snapshot());
    b.merge(a.snapshot());
    const observed = a.observeEvent({ ...event, response: { status: 200 } }, hot);
    const seen = a.observe(hot, { status: 200, headers: ["x-a", "b"], latencyMs: 2 }, now + 2);
    let refused = false;
    try {
      b.restore(new Uint8Array([1, 2, 3]));
    } catch {
      refused = true;
    }
    const body = { ...request, method: "POST", body: new TextEncoder().encode('{"a":1,"a":2}'), headers: [...request.headers, ["content-type", "application/json"]] };
    const inspected = a.decide(body, now);
    const codes = inspected.reasons.map((reason) => reason.code);
    const shifted = a.decide({ ...request, headers: [["a", "b\0c"]] }, now);
    a.free();
    b.free();
    return { documents, passes, status, observed, seen, refused, codes, shifted, problem: JSON.parse(shifted.problem()) };
  },
  /** What happens when the instance traps in the middle of a decision. */
  "/trap"({ config, request, now }) {
    const [a, b] = [Engine.fromToml(config), Engine.fromToml(config)];
    const before = [a, b].map((engine) => engine.decide(request, now));
    const headers = { [Symbol.iterator]() { throw new WebAssembly.RuntimeError("unreachable"); } };
    const trapped = a.decide({ ...request, headers }, now);
    const after = [a, b].map((engine) => [engine.decide(request, now), engine.decide(request, now)]);
    a.free();
    b.free();
    return { before, trapped, problem: JSON.parse(trapped.problem()), after };
  },
};

export default {
  async fetch(request) {
    try {
      return Response.json(answers[new URL(request.url).pathname](await request.json()) ?? null);
    } catch (error) {
      return new Response(`${error.stack ?? error}`, { status: 500 });
    }
  },
};
