// How a vector's expectation is compared, for every JavaScript runtime. Plain ESM without imports, so that it also runs
// inside an edge runtime.

/** Runs one vector on an engine; the mismatches, one a line, and what was decided, as text. */
export function run(vector, engine) {
  const [problems, decisions] = [[], []];
  for (const [index, step] of vector.steps.entries()) {
    // Explained first: it must not change what is decided.
    const explained = step.explain ? unexplained(step.explain, engine.explainEvent(step.event)) : [];
    const decided = step.event ? decision(engine, step, decisions) : operation(engine, step);
    const found = [...explained, ...decided];
    for (const problem of found) problems.push(`step ${index}: ${problem}`);
  }
  return { problems, decisions };
}

/** What of `expect` the decision does not hold, and of `expect_response` the response decision. */
function decision(engine, { event, expect, expect_response }, decisions) {
  decisions.push(engine.decideEventJson(JSON.stringify(event)));
  const decided = JSON.parse(decisions.at(-1));
  const found = mismatches(expect, decided);
  if (expect_response === undefined) return found;
  return [...found, ...mismatches(expect_response, engine.observeEvent(event, decided)).map((problem) => `response: ${problem}`)];
}

/**
 * A step between requests: `{"replace_keys": {"issuer", "jwks"}}`, or `revoke`, `suspend` or `unsuspend` as `{"revoke": {...}, "time_ms": ...}`; with `"refused": true` it fails.
 * Or `{"receive": "a Security Event Token", "expect": {...}}`, whose answer holds at least what is expected.
 */
function operation(engine, { replace_keys, revoke, suspend, unsuspend, receive, expect, time_ms, refused = false }) {
  if (receive) {
    const received = engine.receive(receive, time_ms);
    return subset(expect, received) ? [] : [`expected ${JSON.stringify(expect)}, got ${JSON.stringify(received)}`];
  }
  try {
    if (replace_keys) engine.replaceKeys(replace_keys.issuer, replace_keys.jwks);
    else if (revoke) engine.revoke(revoke, time_ms);
    else if (suspend) engine.suspend(suspend, time_ms);
    else if (unsuspend) engine.unsuspend(unsuspend, time_ms);
    else return ["not a step"];
  } catch (error) {
    return refused ? [] : [`${error}`];
  }
  return refused ? ["it was to be refused"] : [];
}

/** What an explanation does not say: values by JSON pointer (RFC 6901); `null` for what is absent. */
function unexplained(expect, explanation) {
  return Object.entries(expect).flatMap(([pointer, wanted]) => {
    const given = pointer.split("/").slice(1).reduce((at, key) => at?.[key], explanation);
    return subset(wanted, given) ? [] : [`${pointer}: expected ${JSON.stringify(wanted)}, got ${JSON.stringify(given)}`];
  });
}

/** What of `expect` the decision does not hold. */
export function mismatches(expect, decision) {
  const problems = [];
  for (const [key, wanted] of Object.entries(expect)) {
    const given = key === "codes" ? decision.reasons.map((reason) => reason.code) : decision[key];
    const holds = key === "codes" ? equal(wanted, given)
      : key === "response_headers" || key === "obligations" ? wanted.every((w) => given.some((g) => subset(w, g)))
      : subset(wanted, given);
    if (!holds) problems.push(`${key}: expected ${JSON.stringify(wanted)}, got ${JSON.stringify(given)}`);
  }
  return problems;
}

/** Objects may hold more than is expected; everything else is equal. A `null` expects absence. */
function subset(wanted, given) {
  if (wanted === null) return given === undefined || given === null;
  if (typeof wanted !== "object" || Array.isArray(wanted)) return equal(wanted, given);
  return typeof given === "object" && given !== null && Object.entries(wanted).every(([key, value]) => subset(value, given[key]));
}

function equal(a, b) {
  if (typeof a !== "object" || a === null || typeof b !== "object" || b === null) return Object.is(a, b) || a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => equal(a[key], b[key]));
}
