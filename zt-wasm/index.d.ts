/** Names of the operations of `op`. */
export const OPS: readonly string[];

/**
 * Runs one of `OPS` on a document. A string is taken as the document's JSON text: whole numbers beyond 2^53, which Cedar
 * has and JavaScript rounds, reach the operation only so.
 */
export function op(name: string, document?: unknown): any;

export type Outcome = "allow" | "flag" | "step_up" | "throttle" | "deny" | "suspend";

export interface Identity {
  kind: "jwt" | "api_key" | "jwt_svid" | "certificate" | "http_signature" | "aws_sigv4" | "webhook" | "asserted";
  principal: string;
  issuer?: string;
  credential_id?: string;
  /** `sid` of the token. */
  session?: string;
  /** Who acts for the principal, the present actor first (RFC 8693). */
  actors?: string[];
  roles: string[];
  scopes: string[];
  assurance: { acr?: string; auth_time_ms?: number; issued_at_ms?: number; bound?: string };
}

export interface Endpoint {
  id?: string;
  template?: string;
  segment?: string;
  known: boolean;
}

export interface Reason {
  /** `family.problem`, stable for ever. */
  code: string;
  stage: string;
  weight: number;
  detail: string;
}

export type Obligation =
  | { type: "step_up"; acr_values?: string; max_age_s?: number }
  | { type: "redact"; fields: string[] };

/** What is struck and suspended. */
export type SubjectKind = "credential" | "session" | "identity" | "peer" | "peer_prefix";

/** What was done to a subject of a request. */
export interface Action {
  type: "rung" | "suspended" | "lifted";
  /** Absent when a person did it. */
  ladder?: string;
  subject: SubjectKind;
  rung?: "flag" | "step_up" | "throttle" | "suspend";
  until_ms?: number;
  /** The how manieth suspension in a row it is. */
  level?: number;
  /** The ladder is in monitor mode: this is what would have been done. */
  monitor?: boolean;
}

/** Whom a person suspends or frees, named as decisions name them. */
export interface Suspension {
  subject: SubjectKind;
  /** Of a credential or an identity: the kind of its `identity`. */
  kind?: string;
  /** Issuer of the tokens; absent for what has none. */
  issuer?: string;
  /** `credential_id`, `session` or `principal`; an address, or a network such as `203.0.113.0/24`. */
  id: string;
  /** When it is over; not needed to lift one. */
  until_ms?: number;
}

/** What to do with a request: the contract's document. */
export interface DecisionDocument {
  id: string;
  outcome: Outcome;
  /** False in monitor mode: the outcome is what would have been done. */
  enforced: boolean;
  /** HTTP status: 200 passes. */
  status: number;
  time_ms: number;
  identity?: Identity;
  /** The workload that carries the request for the identity. */
  workload?: Identity;
  /** The client, where proxies tell its address (`[peer]`); without `ip` it is not known. */
  client?: { ip?: string };
  endpoint: Endpoint;
  risk: number;
  score: number;
  scores: Record<string, number>;
  reasons: Reason[];
  obligations: Obligation[];
  /** What was done to subjects of the request because of what they did; absent when nothing was. */
  actions?: Action[];
  response_headers: [name: string, value: string][];
  /** Issuers whose key sets the host should fetch again and hand to `replaceKeys`; asked at a bounded rate. */
  refresh_wanted?: string[];
  /** What the request holds until its response is observed. */
  tickets?: { limit: string; key: string; span: number }[];
  policy_version: string;
}

/** A policy, where it stands (without `file`: in the text that the configuration holds), and what of it held. */
export interface ShownPolicy {
  id: string;
  file?: string;
  line: number;
  column: number;
  effect: "permit" | "forbid";
  text: string;
  reason?: string;
  held: string[];
}

/** What policies say about a request, and what would have to change. */
export interface PolicyExplanation {
  decision: "allow" | "deny";
  /** Whether any policy permits, whatever forbids. */
  permitted: boolean;
  determining: ShownPolicy[];
  errors: { policy: ShownPolicy; condition: string; why: string }[];
  /** Where nothing permits: the permits that come nearest to it, and all that failed of each. */
  nearest: {
    policy: ShownPolicy;
    failed: { part: "principal" | "action" | "resource" | "condition"; text: string; why: string }[];
    unknown?: string[];
  }[];
  /** Policies that were looked at. */
  policies: number;
  /** Policies that `determining` and `errors` have no room for. */
  left_out: number;
}

/** Why an event is decided as it is, as if it were the first. */
export interface Explanation {
  decision: DecisionDocument;
  /** Bytes that a state holds, and its stores. */
export interface StateReport {
  memory: { limit: number; verify: { cache: number; revocations: number; proofs: number }; respond: number; total: number };
  /** `limit:NAME` for each count of each limit (`limit:NAME/fallback` for coarser ones), `verify.cache`, `verify.revocations`, `verify.proofs`. */
  stores: { store: string; memory: number; entries: number; capacity: number; evicted: number }[];
  /** Where `[anomaly]` is asked for: whether the budget of false alarms is kept, and which verdicts were given. */
  anomaly?: { drift: Drift; verdicts: Feedback };
}

/** What became known of a request that was called unusual: that it was normal, or an attack. */
export type Verdict = "false_positive" | "confirmed";

/** The budget of false alarms beside what became of it. */
export interface Drift {
  budget: number;
  course: "not_calibrated" | "calm" | "drifting";
  /** How sure it is that the budget is kept, 0..1; 0 where nothing was judged yet. */
  confidence: number;
  /** Requests that say what scores mean, and how many more it takes before any is called unusual. */
  calibrated_on: number;
  needs: number;
  /** Requests of the last window, those that were called unusual, and these with each client counted once. */
  judged: number;
  alarms: number;
  clients: number;
  /** `alarms` of `judged`, and its upper bound with 95 % confidence. */
  rate: number;
  rate_at_most: number;
}

/** Verdicts on what was flagged. */
export interface Feedback {
  /** Flagged decisions that a verdict can still be about. */
  awaited: number;
  /** False positives that were taken on the last day that had one, and the most of one day. */
  false_positives: number;
  most_false_positives: number;
  /** Clients that teach nothing after a confirmed attack, or lately did. */
  distrusted: number;
}

/** Absent where there are no policies, or where they are not asked. */
  policy?: PolicyExplanation;
  notes: string[];
}

export interface Revocation {
  revoke: "token" | "session" | "subject" | "key";
  /** Issuer of the tokens; absent for credentials without one. */
  issuer?: string;
  /** `jti`, `sid`, principal or key id. */
  id: string;
  /** For a subject: what was issued at this time or later is good. */
  issued_before_ms?: number;
  expires_ms: number;
}

/** What became of a Security Event Token. */
export type Received =
  | { accepted: true; jti: string; issuer: string; events: ReceivedEvent[] }
  | {
    accepted: false;
    /** Reason code. */
    code: string;
    detail: string;
    /** What RFC 8935 answers the transmitter; absent for one that was received before. */
    err?: "invalid_request" | "invalid_key" | "invalid_issuer" | "invalid_audience";
  };

export interface ReceivedEvent {
  /** URI of the event type. */
  type: string;
  applied: "revoked_token" | "revoked_session" | "revoked_subject" | "reauthenticate" | "revoked_and_reauthenticate"
    | "disabled" | "enabled" | "noted" | "nothing" | "unknown";
  /** Why nothing was done, or how it is more than was asked. */
  detail?: string;
  /** Of a verification event. */
  state?: string;
  /** Of a stream-updated event. */
  status?: string;
}

export interface ResponseDecision {
  id: string;
  outcome: Outcome;
  enforced: boolean;
  /** HTTP status: 200 passes the response on as it is, another is that of the refusal in its place. */
  status: number;
  time_ms: number;
  /** About `1 - risk` of normal responses are at least as unusual; 0 where that is not asked. */
  risk: number;
  /** Anomaly evidence in status, size and latency, in nats; larger is stranger. */
  score: number;
  reasons: Reason[];
  obligations: Obligation[];
  /** The body to be sent in place of the one that was observed, where that was to be redacted. */
  body?: string | { base64: string };
}

/** What the host knows of the other end of the connection. */
export interface Peer {
  ip?: string;
  asn?: number;
  country?: string;
  lat?: number;
  lon?: number;
  accuracy_km?: number;
  ip_class?: string;
  tls_fingerprint?: string;
  client_cert_sha256?: string;
  client_cert_uris?: string[];
}

export interface RequestFields {
  id?: string;
  method: string;
  scheme?: string;
  host?: string;
  /** Path and query as received, percent-encoding untouched. */
  target: string;
  httpVersion?: string;
  /** Names and values; one character a byte, or UTF-8 where one is above U+00FF. */
  headers: Iterable<readonly [name: string, value: string]>;
  body?: Uint8Array;
  /** True length of a body that was cut. */
  bodyLength?: number;
  peer?: Peer;
}

export interface EngineOptions {
  /** The text of each file that the configuration names. */
  files?: Record<string, string>;
  /** Keys the state's hash tables where the configuration does not. */
  seed?: bigint | number;
}

/** What to do with a request. What it says is made into objects only when it is asked for. */
export class Decision implements Readonly<DecisionDocument> {
  private constructor();
  readonly id: string;
  readonly outcome: Outcome;
  readonly enforced: boolean;
  readonly status: number;
  readonly time_ms: number;
  readonly identity?: Identity;
  readonly endpoint: Endpoint;
  readonly risk: number;
  readonly score: number;
  readonly scores: Record<string, number>;
  readonly reasons: Reason[];
  readonly obligations: Obligation[];
  readonly actions: Action[] | undefined;
  readonly response_headers: [name: string, value: string][];
  readonly workload: Identity | undefined;
  readonly refresh_wanted: string[] | undefined;
  readonly policy_version: string;
  /** Whether the host passes the request on: its outcome passes, or nothing is enforced. */
  readonly passes: boolean;
  /** Whether the response has to be sent through `Engine.redactor`. */
  readonly redacts: boolean;
  /** The body of a refusal: a problem document (RFC 9457), `application/problem+json`. */
  problem(): string;
  /** The decision's document. */
  toJSON(): DecisionDocument;
  /** The decision's document, as text. */
  static text(decision: Decision): string;
}

/** What a token proves: `identity` and `claims` when it holds, else `code`. */
export interface Verified {
  identity?: Identity;
  claims?: Record<string, any>;
  /** The reason's code: for the log, not for the client. */
  code?: string;
  /** The `WWW-Authenticate` header of a refusal. */
  challenge?: string;
  refresh_wanted?: string;
}

/** Hides members of one JSON response, piece by piece. */
export class Redactor {
  private constructor();
  /** Headers, in lower case, that no longer hold. */
  static readonly staleHeaders: readonly string[];
  /** Takes the next piece of the body; what is to be sent of it. Throws when it is not JSON. */
  push(piece: Uint8Array): Uint8Array;
  /** To be called at the end of the body. Throws when it is not whole. */
  finish(): void;

  /** Frees its memory at once; without it that is left to the garbage collector. */
  free(): void;
}

/** A compiled configuration with its state. All engines of an isolate share one WebAssembly memory. */
export class Engine {
  private constructor();
  /**
   * Compiles the text of a configuration and of the files it names. Throws every mistake, one a line. Not in `zt-wasm/edge`.
   *
   * The state's hash tables are keyed by the configuration's seed, else by `seed`, else by 0, which makes a replay
   * exact. A server passes `randomSeed()`.
   */
  static fromToml(text: string, options?: EngineOptions): Engine;
  /**
   * Loads a bundle of `zt compile`. With a `key`, the text of a public Ed25519 JWK or JWK set, one that is not signed by
   * it is refused; without one the bundle is trusted like the file that it came from. `seed` as for `fromToml`.
   */
  static fromBundle(bundle: Uint8Array, options?: { key?: string; seed?: bigint | number }): Engine;

  /** Decides about a request. Never throws: what fails here refuses, with `internal.panic`. */
  decide(request: RequestFields, now: number): Decision;
  /**
   * Observes the response to a request that was decided. `headers` are names and values in turn. A `verdict` about a decision
   * that was flagged for being unusual may come later, in a second call; `status: 0` where it comes alone.
   */
  observe(
    decision: Decision,
    response: { status: number; headers?: readonly string[]; latencyMs?: number; cost?: number; verdict?: Verdict },
    now: number,
  ): ResponseDecision;

  /** Verifies one JSON Web Token, without the scheme before it, and nothing else of a request. */
  verifyToken(token: string, now: number): Verified;

  /**
   * What hides members of the response with this head; `undefined` where nothing is to be hidden. Throws when it cannot
   * be done: unless its body is empty the response must not be sent then. `headers` are names and values in turn.
   */
  redactor(decision: Decision, response: { status: number; headers?: readonly string[] }): Redactor | undefined;

  /** Event -> decision; the clock is the event's `time_ms`. */
  decideEvent(event: object): DecisionDocument;
  /** `decideEvent` on JSON text: what goes in and comes out byte for byte. */
  decideEventJson(event: string): string;
  /** Event -> why it is decided as it is, and what would have to change; the state is left as it is. */
  explainEvent(event: object): Explanation;
  /** Event with a response, and its decision -> response decision. */
  observeEvent(event: object, decision: DecisionDocument | Decision): ResponseDecision;
  /** `observeEvent` on JSON text. */
  observeEventJson(event: string, decision: string): string;

  /**
   * Starts the decision log, or goes on after the last line of one that is there. With a `key` of 16 bytes or more nobody
   * without it can change a line and mend the chain; with an `inputsKey` nobody without it can try out what a request may
   * have been. A log that was never started starts with its first line, without keys.
   */
  logStart(options?: { after?: string; key?: string; inputsKey?: string }): void;
  /** Event and its decision -> the line of the log, without a line break. Write lines in the order in which they are made. */
  logRecord(event: object, decision: DecisionDocument | Decision): string;
  /** Event -> decision and line. Without the time of each stage: the clock of an edge runtime stands still meanwhile. */
  decideLogged(event: object): { decision: DecisionDocument; line: string };

  /** The state as versioned, checksummed bytes. */
  snapshot(): Uint8Array;
  /** Replaces the state by a snapshot; the state is untouched when it is not one. */
  restore(snapshot: Uint8Array): void;
  /** Joins a snapshot or a delta with the state; the order of merges never matters. */
  merge(snapshot: Uint8Array): void;
  /**
   * What has changed since an epoch that an earlier delta of this engine gave, for `merge` of others, and the epoch to ask
   * since next. Whoever begins, or has lost track, asks since 0.
   */
  deltaSince(epoch?: number): { bytes: Uint8Array; epoch: number };
  /** What the state holds and had to give up. */
  stateReport(): StateReport;
  /**
   * Refuses from now on what this is about, until it expires.
   * The document names things as decisions do.
   */
  revoke(revocation: Revocation, now?: number): void;
  /** Suspends whom this names until its `until_ms`; returns the action, for the log. */
  suspend(suspension: Suspension, now?: number): Action;
  /** Frees whom this names, whoever suspended it, and forgives its strikes; returns the action, for the log. */
  unsuspend(suspension: Suspension, now?: number): Action;

  /**
   * Puts a configuration and the files it names in force in place of the engine; the state stays. Throws every mistake, or
   * when its limits are others than those of the state; the old engine stays in force then.
   */
  replaceToml(text: string, options?: { files?: Record<string, string> }): void;

  /** Receives a Security Event Token (RFC 8417) in its compact form, and does what its events call for. */
  receive(token: string | Uint8Array, now?: number): Received;

  /**
   * Puts a bundle in force in place of the engine; the state stays. Throws when it is refused, or its limits are others
   * than those of the state; the old engine stays in force then.
   */
  replaceBundle(bundle: Uint8Array, options?: { key?: string }): void;

  /**
   * Replaces the key set of one issuer: its `iss`, or `spiffe://` and the name of a trust domain. The state stays; a
   * removed key stops at once. Throws when no key of the set can be used; the old set stays in force then.
   */
  replaceKeys(issuer: string, jwks: string): void;

  /** Runs one of `OPS` on a document. */
  op(name: string, document?: unknown): any;

  /** Frees its memory at once; without it an engine lives as long as its isolate. */
  free(): void;

  /** The longest body, in bytes, that the host has to read: a longer one is refused for its length alone. */
  readonly bodyLimit: number;
  /** What is worth knowing about the configuration. */
  readonly notices: string[];
  /** Prefix of the SHA-256 of the configuration and of every file it names, hex. */
  readonly version: string;
}

export interface ZtOptions<Env> {
  /** An engine, or how to make one in the first request, where `env` and randomness are at hand. */
  engine: Engine | ((env: Env) => Engine | Promise<Engine>);
  /** The other end of the connection; what Cloudflare says of it unless told otherwise. */
  peer?: (request: Request) => Peer | undefined;
  /** Called for every decision, before it is acted upon. */
  onDecision?: (request: Request, decision: Decision) => void;
}

/**
 * Wraps a `fetch` handler: only requests that pass reach it, and it finds their decision as `ctx.zt`; it may set
 * `ctx.ztCost`, what the request turned out to cost.
 */
export function withZt<Env = unknown, Context extends object = any>(
  handler: (request: Request, env: Env, ctx: Context & { zt: Decision; ztCost?: number }) => Response | Promise<Response>,
  options: ZtOptions<Env>,
): (request: Request, env: Env, ctx: Context) => Promise<Response>;

/** A seed that nobody can guess; to be called within a request. */
export function randomSeed(): bigint;

/** What Cloudflare knows of the other end of the connection: trust it only behind Cloudflare. */
export function cloudflarePeer(request: Request): Peer;
