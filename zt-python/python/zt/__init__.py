"""Zero-trust security for APIs, inside the process it protects.

An `Engine` is a compiled configuration with its state. `Engine.decide` and `Engine.decide_asgi` are the calls for live
requests and return a `Decision`; the methods that end in `_event`, and `op`, take and give the documents of the
contract, as dictionaries or, where they end in `_json`, as text. A `Verifier` verifies tokens and nothing else, a `Policy` authorizes
and nothing else.
"""

from __future__ import annotations

import glob as _glob
import json as _json
import os as _os
import secrets as _secrets
from pathlib import Path as _Path

from . import _zt
from ._zt import OPS, Authorized, Decision, Redactor, Unredactable, Verified, __version__

__all__ = [
    "OPS", "Authorized", "Decision", "Engine", "Policy", "Redactor", "Unredactable", "Verified", "Verifier", "__version__", "op",
]


def op(name, document=None):
    """Runs one of `OPS` on a document."""
    return _json.loads(_zt.op_json(name, _text(document)))


class Engine(_zt.Engine):
    """A compiled configuration with its state. Threads may share it."""

    __slots__ = ()

    @classmethod
    def from_toml(cls, text, files=None, *, seed=None):
        """Compiles the text of a configuration and of the files it names, by name.

        The state's hash tables are keyed by the configuration's seed, else by `seed`, else by 0, which makes a replay
        exact. A server passes a random one; `from_file` does.
        """
        return cls(text, list((files or {}).items()), seed)

    @classmethod
    def from_file(cls, path, *, seed=None):
        """Reads and compiles a configuration and the files it names, relative to its directory."""
        text, files = _read(path)
        return cls.from_toml(text, files, seed=_secrets.randbits(64) if seed is None else seed)

    @classmethod
    def from_bundle(cls, bundle, key=None, *, seed=None):
        """Loads a bundle of `zt compile`.

        With a `key`, the text of a public Ed25519 JWK or JWK set, one that is not signed by it is refused; without one
        the bundle is trusted like the file that it came from. `seed` as for `from_toml`.
        """
        return cls("", [], seed, bundle=bundle, key=key)

    def replace_toml(self, text, files=None):
        """Puts a configuration and the files it names in force in place of the engine; the state stays."""
        self.replace_text(text, list((files or {}).items()))

    def replace_file(self, path):
        """Reads a configuration and the files it names again, and puts them in force; the state stays."""
        self.replace_toml(*_read(path))

    def observe(
        self,
        decision,
        status,
        headers=None,
        body=None,
        now=None,
        *,
        body_len=None,
        latency_ms=None,
        cost=None,
        verdict=None,
    ):
        """Observes the response to a request that was decided; returns a response decision."""
        measured = {"body_len": body_len, "latency_ms": latency_ms, "cost": cost, "verdict": verdict}
        return _json.loads(self.observe_json(decision, status, headers, body, now, **measured))

    def decide_event(self, event):
        """Event -> decision, with the event's `time_ms` as the clock."""
        return _json.loads(self.decide_event_json(_text(event)))

    def explain_event(self, event):
        """Event -> why it is decided as it is, and what would have to change; the state is left as it is."""
        return _json.loads(self.explain_event_json(_text(event)))

    def observe_event(self, event, decision):
        """Event with a response, and its decision -> response decision."""
        return _json.loads(self.observe_event_json(_text(event), _text(decision)))

    def log_start(self, *, after=None, key=None, inputs_key=None):
        """Starts the decision log, or goes on after the last line of one that is there."""
        options = {"after": after, "key": key, "inputs_key": inputs_key}
        self.log_start_json(_text(options))

    def log_record(self, event, decision):
        """Event and its decision -> the line of the log, without a line break."""
        text = decision.to_json() if isinstance(decision, Decision) else _text(decision)
        return self.log_record_json(_text(event), text)

    def decide_logged(self, event, *, timings=False):
        """Event -> `{"decision", "line"}`."""
        return _json.loads(self.decide_logged_json(_text(event), timings=timings))

    def revoke(self, revocation, now=None):
        """Refuses from now on what a revocation is about, until it expires."""
        self.revoke_json(_text(revocation), now)

    def state_report(self):
        """What the state holds and had to give up, by module and store."""
        return _json.loads(self.state_report_json())

    def suspend(self, suspension, now=None):
        """Suspends whom this names until its `until_ms`; returns the action, for the log."""
        return _json.loads(self.suspend_json(_text(suspension), now))

    def unsuspend(self, suspension, now=None):
        """Frees whom this names and forgives its strikes; returns the action, for the log."""
        return _json.loads(self.unsuspend_json(_text(suspension), now))

    def receive(self, token, now=None):
        """Receives a Security Event Token and does what its events call for; returns what was done."""
        return _json.loads(self.receive_json(token.encode() if isinstance(token, str) else token, now))

    @staticmethod
    def op(name, document=None):
        """Runs one of `OPS` on a document."""
        return op(name, document)


class Policy(_zt.Policy):
    """Authorizes by the `[policy]` part of a configuration and nothing else. Threads may share it."""

    __slots__ = ()

    @classmethod
    def from_toml(cls, text, files=None):
        """Compiles the text of a configuration and of the files it names, by name."""
        return cls(text, list((files or {}).items()))

    @classmethod
    def from_file(cls, path):
        """Reads and compiles a configuration and the files it names, relative to its directory."""
        return cls.from_toml(*_read(path))


class Verifier(_zt.Verifier):
    """Verifies tokens alone, by the `[verify]` part of a configuration. Threads may share it."""

    __slots__ = ()

    @classmethod
    def from_toml(cls, text, files=None):
        """Compiles the text of a configuration and of the files it names, by name."""
        return cls(text, list((files or {}).items()), _secrets.randbits(64))

    @classmethod
    def from_file(cls, path):
        """Reads and compiles a configuration and the files it names, relative to its directory."""
        return cls.from_toml(*_read(path))

    def revoke(self, revocation, now_ms=None):
        """Refuses from now on what a revocation is about, until it expires."""
        self.revoke_json(_text(revocation), now_ms)


def _text(document):
    return _json.dumps(document, allow_nan=False)


def _read(path):
    """A configuration and the files it names, by name."""
    path = _Path(path)
    text = path.read_text(encoding="utf-8")
    files = {}
    for name in op("named_files", {"config": text}):
        files.update(_read_named(path.parent, name))
    return text, files


def _read_named(directory, name):
    """The file of this name, or all that fit when it has a `*`; a missing one is told by the compiler, with its line."""
    if "*" in name:
        pattern = _glob.escape(name).replace("[*]", "*")
        names = sorted(found.replace(_os.sep, "/") for found in _glob.glob(pattern, root_dir=directory))
    else:
        names = [name] if (directory / name).exists() else []
    return {name: (directory / name).read_text(encoding="utf-8") for name in names}
