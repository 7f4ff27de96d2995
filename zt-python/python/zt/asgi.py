"""ASGI middleware: Starlette, FastAPI, Litestar, Quart, Django's ASGI handler, or a bare application.

    app = ZtMiddleware(app, engine=zt.Engine.from_file("zt.toml"))
    app.add_middleware(ZtMiddleware, engine=engine)         # Starlette, FastAPI

The application sees only requests that pass. Their decision is `scope["state"]["zt"]`, in Starlette
`request.state.zt`.

Where a policy hides members (`@redact`), the response is redacted while it streams: the application has to answer with
plain JSON, so middleware that compresses belongs outside of this one.
"""

from __future__ import annotations

import json

from ._zt import Redactor, Unredactable, op_json

__all__ = ["ZtMiddleware"]

#: Extensions without a way around `send` for the body. Of others it is not known, and nothing would be hidden in one.
_EXTENSIONS = frozenset({"http.response.early_hint", "http.response.push", "http.response.trailers", "tls"})
#: Messages of those.
_MESSAGES = frozenset({"http.response.early_hint", "http.response.push"})


class ZtMiddleware:
    """Decides every HTTP request and WebSocket handshake before the application sees it.

    `max_body` is the longest body that is read, the engine's own limit when it is not given; a longer one is refused
    without reading the rest. `on_decision(scope, decision)` is called for every decision, before it is acted upon.
    """

    def __init__(self, app, *, engine, max_body=None, on_decision=None):
        self.app = app
        self.engine = engine
        self.max_body = engine.body_limit if max_body is None else min(max_body, engine.body_limit)
        self.on_decision = on_decision

    async def __call__(self, scope, receive, send):
        kind = scope["type"]
        if kind == "http":
            await self._http(scope, receive, send)
        elif kind == "websocket":
            await self._websocket(scope, receive, send)
        elif kind == "lifespan":
            await self.app(scope, receive, send)
        else:
            raise RuntimeError(f"zt knows no ASGI scope of type {kind!r}, and lets nothing pass that it does not know")

    async def _http(self, scope, receive, send):
        body, more = await _read(receive, self.max_body)
        if body is None:
            return
        length = len(body)
        if length > self.max_body:
            # Refused for its length by the engine, whose own limit may be higher than the one given here.
            decision = self._decide(scope, body[: self.max_body], max(length, self.engine.body_limit + 1))
        else:
            decision = self._decide(scope, body, length)
        if decision.passes:
            replay = _Replay(body, more, receive)
            ending = _Ending(self.engine, decision, scope["state"], send) if decision.holds else None
            send = _adding(ending or send, decision, "http.response.start")
            if decision.redacts:
                extensions = scope.get("extensions") or {}
                scope = {**scope, "extensions": {name: extensions[name] for name in extensions if name in _EXTENSIONS}}
                send = _Redacting(send, self.engine, decision, scope["method"])
            try:
                await self.app(scope, replay.receive, send)
            finally:
                if ending is not None and not getattr(send, "observed", False):
                    ending.tell()
        else:
            await _refuse(send, decision, "http.response")

    async def _websocket(self, scope, receive, send):
        decision = self._decide(scope, None, None)
        # Messages of a WebSocket are no JSON response: where something is to be hidden, there is none.
        problem = _unredactable(self.engine, decision, 101, ()) if decision.redacts else None
        if decision.passes and problem is None:
            try:
                await self.app(scope, receive, _adding(send, decision, "websocket.accept"))
            finally:
                # Where something would be hidden, the engine has been told already.
                if decision.holds and not decision.redacts:
                    self.engine.observe(decision, 101, cost=_cost(scope["state"]))
            return
        if (await receive())["type"] != "websocket.connect":
            return
        if "websocket.http.response" in scope.get("extensions", ()):
            await _refuse(send, decision, "websocket.http.response", problem)
        else:
            await send({"type": "websocket.close", "code": 1008})

    def _decide(self, scope, body, length):
        decision = self.engine.decide_asgi(scope, body, body_len=length)
        scope.setdefault("state", {})["zt"] = decision
        if self.on_decision is not None:
            try:
                self.on_decision(scope, decision)
            except BaseException:
                # It is not acted upon: what the request holds is given back.
                if decision.holds:
                    self.engine.observe(decision, 500)
                raise
        return decision


async def _read(receive, limit):
    """The body and whether there is more of it: one over the limit is not read on. `None` when the client is gone."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None, False
        chunk = message.get("body", b"")
        if not body:
            body = chunk
        elif chunk:
            # One buffer instead of many messages: what a client can make us hold is the limit, not a multiple.
            body = bytearray(body) if isinstance(body, bytes) else body
            body += chunk
        more = message.get("more_body", False)
        if not more or len(body) > limit:
            return bytes(body), more


class _Replay:
    """Gives the application the body that was read, and then what the server really sends."""

    __slots__ = ("_body", "_more", "_receive")

    def __init__(self, body, more, receive):
        self._body = body
        self._more = more
        self._receive = receive

    async def receive(self):
        body, self._body = self._body, None
        if body is None:
            return await self._receive()
        return {"type": "http.request", "body": body, "more_body": self._more}


def _adding(send, decision, start):
    """`send`, with the decision's headers on the message that starts the response."""
    added = decision.response_headers
    if not added:
        return send

    async def sending(message):
        if message["type"] == start:
            message = {**message, "headers": [*message.get("headers", ()), *_lowered(added)]}
        await send(message)

    return sending


class _Ending:
    """`send`, which remembers the response's start, to tell the engine how a request ended that holds something.

    An application says what the request cost by `scope["state"]["zt_cost"]`.
    """

    def __init__(self, engine, decision, state, send):
        self._engine = engine
        self._decision = decision
        self._state = state
        self._send = send
        self._start = {"status": 500}

    async def __call__(self, message):
        if message["type"] == "http.response.start":
            self._start = message
        await self._send(message)

    def tell(self):
        headers = self._start.get("headers", ())
        self._engine.observe(self._decision, self._start["status"], headers, cost=_cost(self._state))


def _cost(state):
    """What the application says that the request cost, as the engine takes it: nothing keeps it from hearing of the end."""
    cost = state.get("zt_cost")
    return None if cost is None else min(max(int(cost), 0), 0xFFFF_FFFF)


class _Redacting:
    """`send`, with what is to be hidden hidden; a response of which it cannot be is refused.

    A body that turns out not to be JSON raises `Unredactable`: the server then closes the connection, so that the
    client sees that it is not whole.
    """

    def __init__(self, send, engine, decision, method):
        self._send = send
        self._engine = engine
        self._decision = decision
        self._bodiless = method == "HEAD"
        self._started = False
        self._redactor = None
        #: The start of a response that must have no body, and what is sent in its place when it has one.
        self._held = None
        self._problem = None
        self._refused = False
        #: Whether the engine has been told of the response.
        self.observed = False

    async def __call__(self, message):
        kind = message["type"]
        if kind == "http.response.start":
            # A second one is the server's to refuse: it must not change what is done with the body of the first.
            if self._started:
                raise RuntimeError("the response was started before")
            self._started = True
            await self._start({**message, "headers": list(message.get("headers", ()))})
        elif kind == "http.response.body":
            if not self._started:
                raise RuntimeError("a body before the start of the response")
            await self._body(message)
        elif kind == "http.response.trailers":
            if not self._refused:
                await self._send({**message, "headers": _kept(message)})
        elif kind in _MESSAGES:
            await self._send(message)
        else:
            raise Unredactable(f"a body sent by {kind!r} cannot be redacted")

    async def _start(self, message):
        if self._bodiless:
            await self._send({**message, "headers": _kept(message)})
            return
        status, headers = message["status"], message["headers"]
        try:
            self._redactor = self._engine.redactor(self._decision, status, headers)
        except Unredactable:
            self._problem = _unredactable(self._engine, self._decision, status, headers)
            self.observed = True
            self._held = message
            return
        await self._send(message if self._redactor is None else {**message, "headers": _kept(message)})

    async def _body(self, message):
        if self._refused:
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        if self._held is not None:
            # An upgrade has an empty body, and then a connection of its own.
            if body or self._held["status"] == 101:
                self._refused = True
                await _refuse(self._send, self._decision, "http.response", self._problem)
            elif not more:
                await self._send(self._held)
                await self._send(message)
        elif self._bodiless:
            await self._send({**message, "body": b""})
        elif self._redactor is None:
            await self._send(message)
        else:
            body = self._redactor.push(bytes(body))
            if not more:
                self._redactor.finish()
            await self._send({**message, "body": body})


def _kept(message):
    """Headers that still hold once the body is redacted."""
    lines = message.get("headers", ())
    return [line for line in lines if bytes(line[0]).lower() not in Redactor.stale_headers]


def _unredactable(engine, decision, status, headers):
    """Status and problem document in the place of a response that cannot be redacted; `None` when it can be."""
    observed = engine.observe(decision, status, headers)
    if observed["status"] == 200:
        return None
    return observed["status"], op_json("problem", json.dumps(observed)).encode()


async def _refuse(send, decision, prefix, problem=None):
    status, body = problem or (decision.status, decision.problem())
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        *(() if problem else _lowered(decision.response_headers)),
    ]
    await send({"type": f"{prefix}.start", "status": status, "headers": headers})
    await send({"type": f"{prefix}.body", "body": body})


def _lowered(headers):
    """ASGI asks for header names in lower case."""
    return [(name.lower(), value) for name, value in headers]
