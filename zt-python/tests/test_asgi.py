"""The middleware, message by message."""

import asyncio
import json
from pathlib import Path

import pytest
import zt
from test_engine import scope
from zt.asgi import ZtMiddleware

TEXT = (b"content-type", b"text/plain")


def request(*chunks, end=True):
    last = len(chunks) - 1
    return [{"type": "http.request", "body": chunk, "more_body": not end or i < last} for i, chunk in enumerate(chunks)]


class Application:
    """Reads its body, answers with it and remembers what it saw."""

    def __init__(self):
        self.scopes = []
        self.bodies = []

    async def __call__(self, scope, receive, send):
        self.scopes.append(scope)
        if scope["type"] == "lifespan":
            return
        if scope["type"] == "websocket":
            assert (await receive())["type"] == "websocket.connect"
            await send({"type": "websocket.accept"})
            return
        body, more = b"", True
        while more:
            message = await receive()
            assert message["type"] == "http.request"
            body += message["body"]
            more = message["more_body"]
        self.bodies.append(body)
        self.after = await receive()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-app", b"1")]})
        await send({"type": "http.response.body", "body": body})


def run(middleware, scope, messages):
    """What is sent, and how many messages were taken."""
    sent, waiting = [], [*messages, {"type": "http.disconnect"}]
    taken = 0

    async def receive():
        nonlocal taken
        taken += 1
        return waiting.pop(0)

    async def send(message):
        sent.append(message)

    asyncio.run(middleware(scope, receive, send))
    return sent, taken


@pytest.fixture
def app():
    return Application()


def test_a_refusal_is_a_problem_document(app, engine):
    seen = []
    middleware = ZtMiddleware(app, engine=engine, on_decision=lambda scope, decision: seen.append((scope["path"], decision.status)))
    (start, body), _ = run(middleware, scope(), request(b""))
    headers = dict(start["headers"])
    assert start["status"] == 401 and body["type"] == "http.response.body"
    assert headers[b"content-type"] == b"application/problem+json"
    assert headers[b"www-authenticate"].startswith(b"ApiKey")
    assert int(headers[b"content-length"]) == len(body["body"])
    assert json.loads(body["body"])["reasons"] == ["verify.no_credential"]
    assert (app.scopes, seen) == ([], [("/v1/orders/7", 401)])


def test_what_passes_carries_its_decision(app, engine, credential):
    given = scope(headers=[credential], state={"db": 1})
    (start, _), _ = run(ZtMiddleware(app, engine=engine), given, request(b""))
    assert start["status"] == 200
    assert app.scopes[0]["state"]["zt"].principal == "partner-7"
    assert app.scopes[0]["state"]["db"] == 1


def test_a_streamed_body_reaches_the_application_whole(app, engine):
    given = scope("/echo", [TEXT], method="POST")
    (_, body), taken = run(ZtMiddleware(app, engine=engine), given, request(b"ab", b"", b"cd", b"e"))
    assert (body["body"], app.bodies, taken) == (b"abcde", [b"abcde"], 5)
    assert app.after == {"type": "http.disconnect"}


def test_messages_may_leave_out_what_has_a_default(app, engine):
    run(ZtMiddleware(app, engine=engine), scope("/health"), [{"type": "http.request"}])
    assert app.bodies == [b""]


@pytest.mark.parametrize("limits", [{}, {"max_body": 10}, {"max_body": 1 << 30}])
def test_a_body_over_the_limit_is_not_read_on(app, engine, limits):
    limit = min(limits.get("max_body", 1024), 1024)
    given = scope("/echo", [TEXT], method="POST")
    chunks = [b"x" * limit, b"y", b"z" * 5000]
    (start, body), taken = run(ZtMiddleware(app, engine=engine, **limits), given, request(*chunks))
    assert (start["status"], taken, app.scopes) == (413, 2, [])
    assert json.loads(body["body"])["reasons"] == ["inspect.body_too_large"]

    (start, _), _ = run(ZtMiddleware(app, engine=engine, **limits), scope("/echo", [TEXT], method="POST"), request(b"x" * limit))
    assert start["status"] == 200


def test_a_client_that_goes_away_reaches_nobody(app, engine):
    sent, _ = run(ZtMiddleware(app, engine=engine), scope("/echo", [TEXT], method="POST"), request(b"ab", end=False))
    assert (sent, app.scopes) == ([], [])


def test_monitor_mode_lets_everything_pass(app, monitor):
    seen = []
    middleware = ZtMiddleware(app, engine=monitor, on_decision=lambda _, decision: seen.append(decision))
    (start, _), _ = run(middleware, scope("/nowhere"), request(b""))
    assert start["status"] == 200
    chunks = [b"x" * 1024, b"y", b"z" * 5000]
    (_, body), _ = run(middleware, scope("/echo", [TEXT], method="POST"), request(*chunks))
    assert body["body"] == b"".join(chunks)
    assert [(decision.status, decision.enforced, decision.passes) for decision in seen] == [(404, False, True), (413, False, True)]


def test_headers_of_a_decision_that_passes_are_added(app, monitor):
    (start, _), _ = run(ZtMiddleware(app, engine=monitor), scope(), request(b""))
    names = [name for name, _ in start["headers"]]
    assert start["status"] == 200 and names[0] == b"x-app" and all(name == name.lower() for name in names)


def websocket(**more):
    given = scope(**more)
    del given["method"]
    return {**given, "type": "websocket", "scheme": "wss"}


def test_a_websocket_handshake_is_decided(app, engine, credential):
    connect = [{"type": "websocket.connect"}]
    sent, _ = run(ZtMiddleware(app, engine=engine), websocket(), connect)
    assert (sent, app.scopes) == ([{"type": "websocket.close", "code": 1008}], [])

    sent, _ = run(ZtMiddleware(app, engine=engine), websocket(extensions={"websocket.http.response": {}}), connect)
    assert [message["type"] for message in sent] == ["websocket.http.response.start", "websocket.http.response.body"]
    assert (sent[0]["status"], app.scopes) == (401, [])

    sent, _ = run(ZtMiddleware(app, engine=engine), websocket(headers=[credential]), connect)
    assert sent == [{"type": "websocket.accept"}]
    assert app.scopes[0]["state"]["zt"].principal == "partner-7"


def test_other_scopes(app, engine):
    run(ZtMiddleware(app, engine=engine), {"type": "lifespan"}, [])
    assert app.scopes == [{"type": "lifespan"}]
    with pytest.raises(RuntimeError, match="knows no ASGI scope"):
        run(ZtMiddleware(app, engine=engine), {"type": "webtransport"}, [])


def test_a_failure_of_zt_reaches_nobody(app, engine):
    with pytest.raises((TypeError, ValueError)):
        run(ZtMiddleware(app, engine=engine), scope(headers=[(b"a", 1)]), request(b""))
    assert app.scopes == []


AT_ONCE = (Path(__file__).resolve().parents[2] / "zt-core" / "tests" / "at_once.toml").read_text()


def test_a_slot_is_free_when_the_request_ends_and_the_application_says_what_it_cost():
    async def failing(scope, receive, send):
        raise ValueError("no service")

    async def costly(scope, receive, send):
        scope["state"]["zt_cost"] = 200
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    engine = zt.Engine.from_toml(AT_ONCE)
    echo = {**scope("/echo"), "method": "POST"}
    for _ in range(3):
        with pytest.raises(ValueError):
            run(ZtMiddleware(failing, engine=engine), dict(echo), request(b""))
        sent, _ = run(ZtMiddleware(Application(), engine=engine), dict(echo), request(b""))
        assert sent[0]["status"] == 200
    sent, _ = run(ZtMiddleware(costly, engine=engine), dict(echo), request(b""))
    assert sent[0]["status"] == 200
    sent, _ = run(ZtMiddleware(costly, engine=engine), dict(echo), request(b""))
    assert sent[0]["status"] == 429


SOCKETS = """
version = 1
[[endpoint]]
method = "GET"
path = "/events"
anonymous = true
[[limit]]
name = "at-once"
key = []
concurrent = 1
"""


def test_a_websocket_holds_its_slot_until_it_ends():
    connect = [{"type": "websocket.connect"}]
    engine = zt.Engine.from_toml(SOCKETS)
    events = {**websocket(), "path": "/events", "raw_path": b"/events"}
    inside = []

    async def chatting(scope, receive, send):
        await send({"type": "websocket.accept"})
        # Another one while this one is open.
        sent = []

        async def collect(message):
            sent.append(message)

        async def connecting():
            return connect[0]

        await ZtMiddleware(Application(), engine=engine)(dict(events), connecting, collect)
        inside.append(sent)

    async def failing(scope, receive, send):
        raise ValueError("no service")

    for _ in range(2):
        sent, _ = run(ZtMiddleware(chatting, engine=engine), dict(events), connect)
        assert sent == [{"type": "websocket.accept"}]
        with pytest.raises(ValueError):
            run(ZtMiddleware(failing, engine=engine), dict(events), connect)
    assert inside == [[{"type": "websocket.close", "code": 1008}]] * 2


def test_a_listener_that_fails_holds_nothing():
    def listener(scope, decision):
        raise ValueError("no log")

    engine = zt.Engine.from_toml(AT_ONCE)
    echo = {**scope("/echo"), "method": "POST"}
    with pytest.raises(ValueError):
        run(ZtMiddleware(Application(), engine=engine, on_decision=listener), dict(echo), request(b""))
    sent, _ = run(ZtMiddleware(Application(), engine=engine), dict(echo), request(b""))
    assert sent[0]["status"] == 200
