"""ASGI middleware: Starlette, FastAPI, Litestar, Quart, Django's ASGI handler, or a bare application.

    app = ZtMiddleware(app, engine=zt.Engine.from_file("zt.toml"))
    app.add_middleware(ZtMiddleware, engine=engine)         # Starlette, FastAPI

The application sees only requests that pass. Their decision is `scope["state"]["zt"]`, in Starlette
`request.state.zt`.
"""

from __future__ import annotations

__all__ = ["ZtMiddleware"]


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
            await self.app(scope, replay.receive, _adding(send, decision, "http.response.start"))
        else:
            await _refuse(send, decision, "http.response")

    async def _websocket(self, scope, receive, send):
        decision = self._decide(scope, None, None)
        if decision.passes:
            await self.app(scope, receive, _adding(send, decision, "websocket.accept"))
            return
        if (await receive())["type"] != "websocket.connect":
            return
        if "websocket.http.response" in scope.get("extensions", ()):
            await _refuse(send, decision, "websocket.http.response")
        else:
            await send({"type": "websocket.close", "code": 1008})

    def _decide(self, scope, body, length):
        decision = self.engine.decide_asgi(scope, body, body_len=length)
        scope.setdefault("state", {})["zt"] = decision
        if self.on_decision is not None:
            self.on_decision(scope, decision)
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


async def _refuse(send, decision, prefix):
    body = decision.problem()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        *_lowered(decision.response_headers),
    ]
    await send({"type": f"{prefix}.start", "status": decision.status, "headers": headers})
    await send({"type": f"{prefix}.body", "body": body})


def _lowered(headers):
    """ASGI asks for header names in lower case."""
    return [(name.lower(), value) for name, value in headers]
