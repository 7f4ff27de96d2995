// The document lane, for tests outside: `/run` a vector, `/replay` events, `/surface`, `/trap`.

import * as edge from "../edge/worker.js";
import * as zt from "../worker.js";
import { run } from "../../zt-core/tests/vectors/match.mjs";

const { Engine, OPS, op } = zt;
let replayed;

const bytes = (base64) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

const answers = {
  /** From the text, and from its bundle in the build without a compiler: the same bytes. */
  "/run"(vector) {
    const bundle = bytes(op("compile", { config: vector.config }).bundle);
    const engines = [Engine.fromToml(vector.config), Engine.fromBundle(bundle), edge.Engine.fromBundle(bundle)];
    const [full, bundled, alone] = engines.map((engine) => run(vector, engine));
    engines.forEach((engine) => engine.free());
    const same = [bundled, alone].every(({ decisions }) => decisions.every((text, at) => text === full.decisions[at]));
    return [...full.problems, ...bundled.problems, ...alone.problems, ...(same ? [] : ["decisions from the bundle differ"])];
  },
  /** The build without a compiler: what it refuses, and a bundle in place of another. */
  "/bundle"({ configs, signed, key, event }) {
    const [first, second, others] = configs.map((config) => bytes(op("compile", { config }).bundle));
    const refused = (make) => {
      try {
        make();
        return "";
      } catch (error) {
        return error.message;
      }
    };
    const engine = edge.Engine.fromBundle(first);
    const before = engine.decideEvent(event);
    engine.replaceBundle(second);
    const after = engine.decideEvent(event);
    const given = bytes(signed);
    const trusted = edge.Engine.fromBundle(given, { key });
    const answers = {
      before,
      after,
      version: trusted.version,
      others: refused(() => engine.replaceBundle(others)),
      unsigned: refused(() => edge.Engine.fromBundle(first, { key })),
      forgotten: refused(() => edge.Engine.fromBundle(first, key)),
      wrong: refused(() => edge.Engine.fromBundle(given.with(given.length - 40, given.at(-40) ^ 1), { key })),
      foreign: refused(() => edge.Engine.fromBundle(new Uint8Array(9))),
      text: refused(() => edge.Engine.fromToml("version = 1")),
      compile: refused(() => edge.op("compile", { config: "version = 1" })),
      still: engine.decideEvent(event).policy_version,
    };
    engine.free();
    trusted.free();
    return answers;
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
    const told = a.deltaSince();
    b.merge(told.bytes);
    const state = { moved: a.deltaSince(told.epoch).epoch > told.epoch, refused: false, report: b.stateReport() };
    try {
      b.restore(told.bytes);
    } catch {
      state.refused = true;
    }
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
    let broken = "";
    try {
      b.replaceToml(`${config}\n[policy]\ntext = 'permit('\n`);
    } catch (error) {
      broken = error.message;
    }
    const replaced = [b.decide(request, now).passes];
    b.replaceToml(`${config}\n[policy]\ntext = 'forbid(principal, action, resource);'\n`);
    replaced.push(b.decide(request, now).passes);
    a.free();
    b.free();
    return { documents, state, passes, status, observed, seen, refused, codes, shifted, broken, replaced, problem: JSON.parse(shifted.problem()) };
  },
  /** The decision log, also when the instance traps between two lines. */
  "/log"({ config, event, request, key, now }) {
    const engine = Engine.fromToml(config);
    engine.logStart({ key });
    const { decision, line } = engine.decideLogged(event);
    const headers = { [Symbol.iterator]() { throw new WebAssembly.RuntimeError("unreachable"); } };
    engine.decide({ ...request, headers }, now);
    const lines = [line, engine.logRecord(event, decision), engine.logRecord(event, engine.decide(request, now))];
    const report = op("log_verify", { log: lines.join("\n"), key });
    engine.free();
    return { decision, lines, report };
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
