"""Responses whose members are hidden: by hand, message by message, and through a real server."""

import asyncio
import gzip
import json
import socket
import threading
import time

import httpx
import pytest
import uvicorn
import zt
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from test_asgi import request, run
from test_engine import scope
from zt.asgi import ZtMiddleware

CONFIG = """
version = 1
[[endpoint]]
method = "*"
path = "/**"
anonymous = true
[policy]
text = '''@redact("customer.ssn") permit(principal, action, resource);'''
"""
JSON = (b"content-type", b"application/json")
BODY = b'{"customer":{"name":"Anna","ssn":"078-05-1120"},"total":1}'
HIDDEN = b'{"customer":{"name":"Anna","ssn":"[redacted]"},"total":1}'


@pytest.fixture
def redacting():
    return zt.Engine.from_toml(CONFIG)


def answering(*chunks, headers=(JSON,), status=200, swallow=False):
    """An application that answers with these chunks."""

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": status, "headers": list(headers)})
        for index, chunk in enumerate(chunks):
            try:
                await send({"type": "http.response.body", "body": chunk, "more_body": index + 1 < len(chunks)})
            except zt.Unredactable:
                if not swallow:
                    raise

    return app


def send_through(engine, app, **changes):
    sent, _ = run(ZtMiddleware(app, engine=engine), scope(path="/x", raw_path=b"/x", **changes), request(b""))
    return sent


def body_of(sent):
    return b"".join(message["body"] for message in sent if message["type"] == "http.response.body")


def test_by_hand(redacting):
    decision = redacting.decide("GET", "/x", [("host", "a")])
    assert decision.passes and decision.redacts
    redactor = redacting.redactor(decision, 200, [JSON])
    assert b"".join(redactor.push(BODY[at : at + 1]) for at in range(len(BODY))) == HIDDEN
    assert redactor.finish() is None
    assert b"content-length" in redactor.stale_headers
    assert redacting.redactor(decision, 204, []).push(BODY) == b"", "a body that must not be there is dropped"
    for headers in ([], [(b"content-type", b"text/csv")], [JSON, (b"content-encoding", b"gzip")]):
        with pytest.raises(zt.Unredactable):
            redacting.redactor(decision, 200, headers)
    broken = redacting.redactor(decision, 200, [JSON])
    with pytest.raises(zt.Unredactable, match="not JSON"):
        broken.push(b'{"customer":secret}')
    for again in (lambda: broken.push(b"{}"), broken.finish):
        with pytest.raises(zt.Unredactable):
            again()


def test_observe_gives_the_body(redacting):
    decision = redacting.decide("GET", "/x", [("host", "a")])
    observed = redacting.observe(decision, 200, [JSON], BODY)
    assert (observed["outcome"], observed["status"], observed["body"].encode()) == ("allow", 200, HIDDEN)
    observed = redacting.observe(decision, 200, [JSON], BODY[:30])
    assert (observed["outcome"], observed["status"], "body" in observed) == ("deny", 403, False)


def test_what_hides_nothing_is_left_alone(engine, credential):
    app = answering(b"plain", headers=[(b"content-type", b"text/plain"), (b"etag", b"1")])
    sent, _ = run(ZtMiddleware(app, engine=engine), scope(headers=[(b"host", b"shop.test"), credential]), request(b""))
    assert (body_of(sent), (b"etag", b"1") in sent[0]["headers"]) == (b"plain", True)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_chunks(redacting, size):
    chunks = [BODY[at : at + size] for at in range(0, len(BODY), size)]
    stale = [JSON, (b"Content-Length", b"58"), (b"etag", b"1"), (b"x-kept", b"1")]
    sent = send_through(redacting, answering(*chunks, headers=stale))
    assert sent[0]["headers"] == [JSON, (b"x-kept", b"1")]
    assert (body_of(sent), sent[-1]["more_body"]) == (HIDDEN, False)
    assert len(sent) == len(chunks) + 1, "nothing is held"


@pytest.mark.parametrize("headers", [[], [(b"content-type", b"text/html")], [JSON, (b"content-encoding", b"br")]])
def test_what_cannot_be_redacted_is_not_sent(redacting, headers):
    sent = send_through(redacting, answering(b"", b"secret", b"more", headers=headers))
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert (sent[0]["status"], json.loads(sent[1]["body"])["reasons"]) == (403, ["respond.unredactable"])
    assert b"secret" not in sent[1]["body"]


def test_an_empty_body_needs_no_redaction(redacting):
    for app in (answering(b"", headers=[]), answering(b"", b"", headers=[]), answering(b"", headers=[], status=204)):
        sent = send_through(redacting, app)
        assert (sent[0]["status"] in (200, 204), body_of(sent)) == (True, b"")


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 205), ("GET", 304)])
def test_a_response_without_a_body_has_none_and_tells_of_none(redacting, method, status):
    # A tag or digest of the whole is enough to guess what is hidden.
    stale = [JSON, (b"ETag", b"1"), (b"content-length", b"58"), (b"content-digest", b"x"), (b"x-kept", b"1")]
    sent = send_through(redacting, answering(BODY, headers=stale, status=status), method=method)
    assert (sent[0]["status"], sent[0]["headers"], body_of(sent)) == (status, [JSON, (b"x-kept", b"1")], b"")


def test_an_upgrade_is_refused_although_its_body_is_empty(redacting):
    sent = send_through(redacting, answering(b"", headers=[(b"upgrade", b"websocket")], status=101))
    assert sent[0]["status"] == 403


def test_headers_may_come_only_once(redacting):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": iter([JSON, (b"etag", b"1")])})
        await send({"type": "http.response.body", "body": BODY})

    sent = send_through(redacting, app)
    assert (list(sent[0]["headers"]), body_of(sent)) == ([JSON], HIDDEN)


def test_a_second_start_changes_nothing(redacting):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [JSON]})
        with pytest.raises(RuntimeError):
            await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": BODY})

    assert body_of(send_through(redacting, app)) == HIDDEN

    async def headless(scope, receive, send):
        await send({"type": "http.response.body", "body": BODY})

    with pytest.raises(RuntimeError):
        send_through(redacting, headless)


@pytest.mark.parametrize("swallow", [False, True])
def test_what_is_not_json_breaks_off(redacting, swallow):
    app = answering(b'{"customer":{"ssn":"078', b'\x01-secret"', b"}}", swallow=swallow)
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    def through():
        asyncio.run(ZtMiddleware(app, engine=redacting)(scope(path="/x", raw_path=b"/x"), receive, send))

    if swallow:
        through()
    else:
        with pytest.raises(zt.Unredactable):
            through()
    assert body_of(sent) == b'{"customer":{"ssn":"[redacted]"'
    assert all(message.get("more_body", True) for message in sent), "the end is never announced"


def test_ways_around_are_closed(redacting):
    async def app(scope, receive, send):
        assert scope["extensions"] == {"http.response.trailers": {}}
        await send({"type": "http.response.start", "status": 200, "headers": [JSON]})
        await send({"type": way, "path": "/etc/hostname", "body": BODY})

    for way in ("http.response.pathsend", "http.response.of_tomorrow"):
        extensions = {way: {}, "http.response.zerocopysend": {}, "http.response.trailers": {}}
        with pytest.raises(zt.Unredactable):
            send_through(redacting, app, extensions=extensions)

    async def socket_app(scope, receive, send):
        raise AssertionError("a WebSocket cannot be redacted")

    websocket = scope(type="websocket", path="/x", raw_path=b"/x")
    sent, _ = run(ZtMiddleware(socket_app, engine=redacting), websocket, [{"type": "websocket.connect"}])
    assert sent == [{"type": "websocket.close", "code": 1008}]


def test_monitor_mode_sends_everything_as_it_is():
    monitor = zt.Engine.from_toml(CONFIG.replace("version = 1", 'version = 1\nmode = "monitor"'))
    assert body_of(send_through(monitor, answering(BODY))) == BODY
    assert body_of(send_through(monitor, answering(b"x", headers=[]))) == b"x"


async def stream(request):
    async def pieces():
        for at in range(0, len(BODY), 5):
            yield BODY[at : at + 5]
            await asyncio.sleep(0)

    return StreamingResponse(pieces(), media_type="application/json")


async def broken(request):
    async def pieces():
        yield b'{"customer":{"ssn":"078'
        yield b"\x00"

    return StreamingResponse(pieces(), media_type="application/json")


@pytest.fixture
def server(redacting, tmp_path):
    (tmp_path / "customer.json").write_bytes(BODY)
    big = {"customer": [{"ssn": n, "name": "n" * 100} for n in range(1000)]}
    routes = [
        Route("/json", lambda _: JSONResponse(json.loads(BODY))),
        Route("/big", lambda _: JSONResponse(big)),
        Route("/stream", stream),
        Route("/broken", broken),
        Route("/file", lambda _: FileResponse(tmp_path / "customer.json")),
        Route("/text", lambda _: PlainTextResponse("secret")),
        Route("/gzip", lambda _: Response(gzip.compress(BODY), media_type="application/json", headers={"content-encoding": "gzip"})),
        Route("/reset", lambda _: JSONResponse(json.loads(BODY), status_code=205)),
        Route("/empty", lambda _: Response(status_code=204)),
    ]
    # What compresses stands outside.
    middleware = [Middleware(GZipMiddleware, minimum_size=1000), Middleware(ZtMiddleware, engine=redacting)]
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        app = Starlette(routes=routes, middleware=middleware)
        serving = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
        thread = threading.Thread(target=serving.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not serving.started:
            time.sleep(0.01)
        host, port = listening.getsockname()
        yield f"http://{host}:{port}"
        serving.should_exit = True
        thread.join(10)


def test_through_a_server(server):
    with httpx.Client(base_url=server, timeout=10) as client:
        for path in ("/json", "/stream", "/file"):
            answer = client.get(path)
            assert (answer.status_code, answer.content) == (200, HIDDEN), path
            assert "content-length" not in answer.headers and "etag" not in answer.headers
        big = client.get("/big")
        assert big.headers["content-encoding"] == "gzip"
        assert {person["ssn"] for person in big.json()["customer"]} == {"[redacted]"}
        for path in ("/text", "/gzip", "/nowhere"):
            answer = client.get(path)
            assert (answer.status_code, answer.json()["reasons"]) == (403, ["respond.unredactable"]), path
        assert client.get("/file", headers={"range": "bytes=20-40"}).status_code == 403
        assert not {"content-length", "etag"} & set(client.head("/file").headers)
        reset = client.get("/reset")
        assert (reset.status_code, reset.content) == (205, b"")
        assert client.get("/empty").status_code == 204
        with pytest.raises(httpx.RemoteProtocolError):
            client.get("/broken")
