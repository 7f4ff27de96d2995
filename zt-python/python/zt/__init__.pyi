import os
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from typing import Any, ClassVar, Literal, final

from typing_extensions import Self

__all__ = ["OPS", "Authorized", "Decision", "Engine", "Policy", "Verified", "Verifier", "__version__", "op"]

__version__: str

OPS: tuple[str, ...]
"""Names of the operations of `op`."""

Outcome = Literal["allow", "flag", "step_up", "throttle", "deny", "suspend"]

def op(name: str, document: Any = None) -> Any:
    """Runs one of `OPS` on a document."""

class Engine:
    """A compiled configuration with its state. Threads may share it.

    Every mistake in the configuration is told at once, one a line, in a `ValueError`.
    """

    def __new__(
        cls,
        text: str,
        files: list[tuple[str, str]] = ...,
        seed: int | None = None,
        *,
        bundle: bytes | None = None,
        key: str | None = None,
    ) -> Self: ...
    @classmethod
    def from_toml(cls, text: str, files: Mapping[str, str] | None = None, *, seed: int | None = None) -> Self:
        """Compiles the text of a configuration and of the files it names, by name.

        The state's hash tables are keyed by the configuration's seed, else by `seed`, else by 0, which makes a replay
        exact. A server passes a random one; `from_file` does.
        """

    @classmethod
    def from_file(cls, path: str | os.PathLike[str], *, seed: int | None = None) -> Self:
        """Reads and compiles a configuration and the files it names, relative to its directory."""

    @classmethod
    def from_bundle(cls, bundle: bytes, key: str | None = None, *, seed: int | None = None) -> Self:
        """Loads a bundle of `zt compile`.

        With a `key`, the text of a public Ed25519 JWK or JWK set, one that is not signed by it is refused; without one
        the bundle is trusted like the file that it came from. `seed` as for `from_toml`. `ValueError` when it is refused.
        """

    def decide(
        self,
        method: str | bytes,
        raw_target: str | bytes,
        headers: Iterable[tuple[bytes | str, bytes | str]],
        body: bytes | None = None,
        peer: str | None = None,
        *,
        now: int | None = None,
        id: str | None = None,
        scheme: str | bytes | None = None,
        host: str | bytes | None = None,
        http_version: str | bytes | None = None,
        body_len: int | None = None,
    ) -> Decision:
        """Decides one request.

        `raw_target` is path and query as received, percent-encoding untouched; `peer` is the address of the other end;
        `now` is milliseconds since the Unix epoch, the system's clock when not given; `body_len` is the true length of
        a body that was cut.
        """

    def decide_asgi(
        self,
        scope: MutableMapping[str, Any],
        body: bytes | None = None,
        now: int | None = None,
        *,
        body_len: int | None = None,
    ) -> Decision:
        """Decides the request of an ASGI connection scope, `http` or `websocket`.

        A server that gives no `raw_path` has decoded the path already: an encoded slash in it cannot be told from a
        plain one then, and is read as the application reads it.
        """

    def observe(
        self,
        decision: Decision,
        status: int,
        headers: Iterable[tuple[bytes | str, bytes | str]] | None = None,
        body: bytes | None = None,
        now: int | None = None,
        *,
        body_len: int | None = None,
        latency_ms: float | None = None,
        cost: int | None = None,
        verdict: Literal["false_positive", "confirmed"] | None = None,
    ) -> dict[str, Any]:
        """Observes the response to a request that was decided; returns a response decision.

        A `verdict` about a decision that was flagged for being unusual may come later, in a second call; the status is 0
        where it comes alone.
        """

    def observe_json(
        self,
        decision: Decision,
        status: int,
        headers: Iterable[tuple[bytes | str, bytes | str]] | None = None,
        body: bytes | None = None,
        now: int | None = None,
        *,
        body_len: int | None = None,
        latency_ms: float | None = None,
        cost: int | None = None,
        verdict: Literal["false_positive", "confirmed"] | None = None,
    ) -> str:
        """`observe`, as JSON text."""

    def redactor(
        self,
        decision: Decision,
        status: int,
        headers: Iterable[tuple[bytes | str, bytes | str]] | None = None,
    ) -> Redactor | None:
        """What hides members of the response with this head; `None` where nothing is to be hidden.

        `Unredactable` when it cannot be done: unless its body is empty the response must not be sent then.
        """

    def decide_event(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Event -> decision, with the event's `time_ms` as the clock."""

    def decide_event_json(self, event: str) -> str:
        """`decide_event` on JSON text: what goes in and comes out byte for byte."""

    def explain_event(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Event -> why it is decided as it is, and what would have to change; the state is left as it is.

        `decision` is the decision as if the event were the first; `policy`, where policies are asked, says what determined
        their answer (`determining`, `errors`), where each stands and what of it `held`, and for a denial the `nearest`
        permits with all that `failed` of them; `notes` says what to know about it.
        """

    def explain_event_json(self, event: str) -> str:
        """`explain_event` on JSON text."""

    def observe_event(self, event: Mapping[str, Any], decision: Mapping[str, Any]) -> dict[str, Any]:
        """Event with a response, and its decision -> response decision."""

    def observe_event_json(self, event: str, decision: str) -> str:
        """`observe_event` on JSON text."""

    def log_start(self, *, after: str | None = None, key: str | None = None, inputs_key: str | None = None) -> None:
        """Starts the decision log, or goes on after the last line of one that is there.

        With a `key` of 16 bytes or more nobody without it can change a line and mend the chain; with an `inputs_key` nobody
        without it can try out what a request may have been. `ValueError` when a key is shorter, or the line is not a whole
        record. A log that was never started starts with its first line, without keys.
        """

    def log_start_json(self, options: str) -> None:
        """`log_start` on JSON text."""

    def log_record(self, event: Mapping[str, Any], decision: Mapping[str, Any] | Decision) -> str:
        """Event and its decision -> the line of the log, without a line break.

        Write the lines in the order in which they are made.
        """

    def log_record_json(self, event: str, decision: str) -> str:
        """`log_record` on JSON text."""

    def decide_logged(self, event: Mapping[str, Any], *, timings: bool = False) -> dict[str, Any]:
        """Event -> `{"decision", "line"}`; with `timings` the line has the microseconds of each stage."""

    def decide_logged_json(self, event: str, *, timings: bool = False) -> str:
        """`decide_logged` on JSON text."""

    @staticmethod
    def op(name: str, document: Any = None) -> Any:
        """Runs one of `OPS` on a document."""

    def snapshot(self) -> bytes:
        """The state as versioned, checksummed bytes."""

    def restore(self, snapshot: bytes) -> None:
        """Replaces the state by a snapshot. `ValueError` when it is not one; the state is untouched then."""

    def merge(self, snapshot: bytes) -> None:
        """Joins a snapshot or a delta with the state; the order of merges never matters."""

    def delta_since(self, epoch: int = 0) -> tuple[bytes, int]:
        """What has changed since an epoch that an earlier delta of this engine gave, for `merge` of others, and the epoch to
        ask since next. Whoever begins, or has lost track, asks since 0."""

    def state_report(self) -> dict[str, Any]:
        """What the state holds and had to give up: `{"memory": {"limit", "verify", "respond", "total"}, "stores":
        [{"store", "memory", "entries", "capacity", "evicted"}]}`, in bytes and entries. Where `[anomaly]` is asked for, also
        `"anomaly": {"drift": {"budget", "course", "confidence", "needs", "rate", ...}, "verdicts": {...}}`: whether the
        budget of false alarms is kept, and which verdicts were given."""

    def state_report_json(self) -> str:
        """`state_report` as JSON text."""

    def revoke(self, revocation: Mapping[str, Any], now: int | None = None) -> None:
        """Refuses from now on what this is about, until it expires: `{"revoke": "token" | "session" | "subject" | "key",
        "issuer": ..., "id": ..., "issued_before_ms": ..., "expires_ms": ...}`, named as decisions name them.
        `ValueError` when it is not a revocation, or one that would stop nothing: of a token or session without `issuer`,
        or until a time in seconds."""

    def revoke_json(self, revocation: str, now: int | None = None) -> None:
        """`revoke` on JSON text."""

    def replace_toml(self, text: str, files: Mapping[str, str] | None = None) -> None:
        """Puts a configuration and the files it names in force in place of the engine; the state stays.

        `ValueError` with every mistake, or when its limits are others than those of the state; the old engine stays in
        force then.
        """

    def replace_file(self, path: str | os.PathLike[str]) -> None:
        """Reads a configuration and the files it names again, and puts them in force as `replace_toml` does."""

    def replace_text(self, text: str, files: list[tuple[str, str]]) -> None:
        """`replace_toml` with the files as pairs."""

    def suspend(self, suspension: Mapping[str, Any], now: int | None = None) -> dict[str, Any]:
        """Suspends whom this names until then: `{"subject": "credential" | "session" | "identity" | "peer" | "peer_prefix",
        "kind": ..., "issuer": ..., "id": ..., "until_ms": ...}`, named as decisions name them. Returns the action, for the
        log. `ValueError` when it is not a suspension, or one that names nobody or has no end."""

    def suspend_json(self, suspension: str, now: int | None = None) -> str:
        """`suspend` on JSON text."""

    def unsuspend(self, suspension: Mapping[str, Any], now: int | None = None) -> dict[str, Any]:
        """Frees whom this names, whether a ladder or a person suspended it, and forgives its strikes; `until_ms` is not
        needed. Returns the action, for the log."""

    def unsuspend_json(self, suspension: str, now: int | None = None) -> str:
        """`unsuspend` on JSON text."""

    def receive(self, token: str | bytes, now: int | None = None) -> dict[str, Any]:
        """Receives a Security Event Token (RFC 8417) in its compact form, and does what its events call for.

        Returns `{"accepted": True, "jti": ..., "issuer": ..., "events": [{"type": ..., "applied": ...}]}`, or
        `{"accepted": False, "code": ..., "detail": ..., "err": ...}`, where `err` is what RFC 8935 answers the transmitter;
        absent for one that was received before."""

    def receive_json(self, token: bytes, now: int | None = None) -> str:
        """`receive`, answered as JSON text."""

    def replace_bundle(self, bundle: bytes, key: str | None = None) -> None:
        """Puts a bundle in force in place of the engine; the state stays.

        `ValueError` when it is refused, or its limits are others than those of the state; the old engine stays in force
        then.
        """

    def replace_keys(self, issuer: str, jwks: str) -> None:
        """Replaces the key set of one issuer: its `iss`, or `spiffe://` and the name of a trust domain.

        The state stays; a removed key stops at once. `ValueError` when no key of the set can be used; the old set stays
        in force then.
        """

    @property
    def body_limit(self) -> int:
        """The longest body, in bytes, that the host has to read: a longer one is refused for its length alone."""

    @property
    def notices(self) -> list[str]:
        """What is worth knowing about the configuration."""

    @property
    def version(self) -> str:
        """Prefix of the SHA-256 of the configuration and of every file it names, hex."""

@final
class Unredactable(ValueError):
    """The response is to be redacted and cannot be: nothing more of it may be sent."""

class Redactor:
    """Hides members of one JSON response, piece by piece."""

    stale_headers: ClassVar[tuple[bytes, ...]]
    """Headers, in lower case, that no longer hold."""

    def push(self, piece: bytes) -> bytes:
        """Takes the next piece of the body; returns what is to be sent of it. `Unredactable` when it is not JSON."""

    def finish(self) -> None:
        """To be called at the end of the body. `Unredactable` when it is not whole."""

class Decision:
    """What to do with a request; what it says is made into Python objects only when it is asked for."""

    @property
    def id(self) -> str:
        """The request's id."""

    @property
    def outcome(self) -> Outcome:
        """What to do."""

    @property
    def status(self) -> int:
        """HTTP status: 200 passes."""

    @property
    def enforced(self) -> bool:
        """False in monitor mode: the outcome is what would have been done."""

    @property
    def passes(self) -> bool:
        """Whether the host passes the request on: its outcome passes, or nothing is enforced."""

    @property
    def holds(self) -> bool:
        """Whether a limit waits for the end of the request: its response is to be observed, once."""

    @property
    def redacts(self) -> bool:
        """Whether the response has to be sent through `Engine.redactor`."""

    @property
    def time_ms(self) -> int:
        """The clock of the decision."""

    @property
    def principal(self) -> str | None:
        """Subject of the token or id of the key, when that was proven."""

    @property
    def identity(self) -> dict[str, Any] | None:
        """Who it is, when that was proven."""

    @property
    def endpoint(self) -> dict[str, Any]:
        """What it was for."""

    @property
    def risk(self) -> float:
        """Calibrated risk, 0..=1."""

    @property
    def score(self) -> float:
        """Raw anomaly evidence."""

    @property
    def scores(self) -> dict[str, float]:
        """The channels that were computed, by name."""

    @property
    def codes(self) -> list[str]:
        """The codes of the reasons, in their order."""

    @property
    def reasons(self) -> list[dict[str, Any]]:
        """Why, by weight, then code."""

    @property
    def obligations(self) -> list[dict[str, Any]]:
        """What the host must do besides passing or refusing."""

    @property
    def actions(self) -> list[dict[str, Any]]:
        """What was done to subjects of the request because of what they did."""

    @property
    def response_headers(self) -> list[tuple[bytes, bytes]]:
        """Headers that the host adds to the response."""

    @property
    def workload(self) -> dict[str, Any] | None:
        """The workload that carries the request for the caller, where that was proven."""

    @property
    def refresh_wanted(self) -> list[str]:
        """Issuers whose key sets the host should fetch again and hand to `Engine.replace_keys`; asked at a bounded rate."""

    @property
    def policy_version(self) -> str:
        """Prefix of the compiled configuration's SHA-256, hex."""

    def problem(self) -> bytes:
        """The body of a refusal: a problem document (RFC 9457), `application/problem+json`."""

    def to_json(self) -> str:
        """The decision's document as text."""

    def to_dict(self) -> dict[str, Any]:
        """The decision's document."""

class Authorized:
    """What policies say. True when the request goes on to the handler."""

    def __bool__(self) -> bool: ...
    @property
    def allowed(self) -> bool:
        """Whether the request goes on to the handler."""

    @property
    def outcome(self) -> str:
        """`allow`, `flag`, `step_up`, `throttle` or `deny`."""

    @property
    def policies(self) -> list[str]:
        """Names of the policies that made it so: forbids where one forbids, else permits."""

    @property
    def errors(self) -> list[str]:
        """Names of the policies that could not be evaluated."""

    @property
    def redact(self) -> list[str]:
        """Members of a JSON response that the host has to hide."""

class Policy:
    """Authorizes by the `[policy]` part of a configuration, and nothing else: for hosts that route and verify on their own.
    Threads may share it.

    Every mistake in the configuration is told at once, one a line, in a `ValueError`.
    """

    def __new__(cls, text: str, files: list[tuple[str, str]] = ...) -> Self: ...
    @classmethod
    def from_toml(cls, text: str, files: Mapping[str, str] | None = None) -> Self:
        """Compiles the text of a configuration and of the files it names, by name."""

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Self:
        """Reads and compiles a configuration and the files it names, relative to its directory."""

    def authorize(
        self,
        endpoint: str,
        principal: str | None = None,
        roles: Sequence[str] | None = None,
        *,
        scopes: Sequence[str] | None = None,
        acr: str | None = None,
        issued_at_ms: int | None = None,
        risk: float = 0.0,
        now_ms: int | None = None,
    ) -> Authorized:
        """Whether the caller, an asserted one, may use the endpoint with this id. What a decision would read of the
        request itself is absent from the context. Raises `ValueError` when there is no such endpoint or no `[policy]`."""

class Verifier:
    """Verifies tokens alone, by the `[verify]` part of a configuration: for hosts that route and authorize on their own.
    Threads may share it.

    Every mistake in the configuration is told at once, one a line, in a `ValueError`.
    """

    def __new__(cls, text: str, files: list[tuple[str, str]] = ..., seed: int | None = None) -> Self: ...
    @classmethod
    def from_toml(cls, text: str, files: Mapping[str, str] | None = None) -> Self:
        """Compiles the text of a configuration and of the files it names, by name."""

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Self:
        """Reads and compiles a configuration and the files it names, relative to its directory."""

    def verify_token(self, token: str | bytes, now_ms: int | None = None) -> Verified:
        """Verifies one JSON Web Token, without the scheme before it. Never raises for what the token is.

        `now_ms` is milliseconds since the Unix epoch, the system's clock when not given. A token that is bound to a key
        of its sender is refused: without the request that proof cannot be checked.
        """

    def replace_keys(self, issuer: str, jwks: str) -> None:
        """Replaces the key set of one issuer; a removed key stops at once. `ValueError` when no key of the set can be used;
        the old set stays in force then."""

    def revoke(self, revocation: Mapping[str, Any], now_ms: int | None = None) -> None:
        """Refuses from now on what this is about, until it expires: the document of `Engine.revoke`."""

    def revoke_json(self, revocation: str, now_ms: int | None = None) -> None:
        """`revoke` on JSON text."""

@final
class Verified:
    """What a token proves; true when it holds. What it says is made into Python objects only when it is asked for."""

    def __bool__(self) -> bool: ...
    @property
    def principal(self) -> str | None:
        """Subject of a token that holds."""

    @property
    def roles(self) -> tuple[str, ...]:
        """Roles of a token that holds."""

    @property
    def identity(self) -> dict[str, Any] | None:
        """Who it is, when the token holds."""

    @property
    def claims(self) -> dict[str, Any] | None:
        """The claims of a token that holds."""

    @property
    def code(self) -> str | None:
        """The reason's code when the token is refused: for the log, not for the client."""

    @property
    def refresh_wanted(self) -> str | None:
        """The issuer whose key set should be fetched again; asked at a bounded rate."""

    @property
    def challenge(self) -> str | None:
        """The `WWW-Authenticate` header of a refusal."""
