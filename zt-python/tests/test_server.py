"""A real server on loopback."""

import socket
import threading
import time

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route
from zt.asgi import ZtMiddleware


async def order(request):
    return JSONResponse({"id": request.path_params["id"], "by": request.state.zt.principal})


async def echo(request):
    return PlainTextResponse(await request.body())


async def health(request):
    return PlainTextResponse("ok")


@pytest.fixture
def server(engine):
    app = Starlette(
        routes=[
            Route("/v1/orders/{id:path}", order),
            Route("/echo", echo, methods=["POST"]),
            Route("/health", health),
        ]
    )
    app.add_middleware(ZtMiddleware, engine=engine)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        uvicorn_server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        thread = threading.Thread(target=uvicorn_server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 10
        while not uvicorn_server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        assert uvicorn_server.started
        yield listening.getsockname()
        uvicorn_server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()


def raw(address, text):
    """One request, byte for byte; the status line."""
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(text)
        answer = b""
        while b"\r\n" not in answer and (chunk := connection.recv(4096)):
            answer += chunk
    return answer.split(b"\r\n")[0]


def test_requests_over_the_wire(server, credential):
    key = {credential[0].decode(): credential[1].decode()}
    with httpx.Client(base_url=f"http://{server[0]}:{server[1]}", trust_env=False) as client:
        assert client.get("/health").text == "ok"

        refused = client.get("/v1/orders/7")
        assert refused.status_code == 401
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.headers["www-authenticate"].startswith("ApiKey")
        assert refused.json()["reasons"] == ["verify.no_credential"]

        assert client.get("/v1/orders/7", headers=key).json() == {"id": "7", "by": "partner-7"}
        assert client.get("/nowhere", headers=key).status_code == 404
        assert client.delete("/health").status_code == 405

        streamed = client.post("/echo", content=(bytes([c]) * 100 for c in b"abc"), headers={"content-type": "text/plain"})
        assert streamed.text == "a" * 100 + "b" * 100 + "c" * 100
        assert client.post("/echo", content=b"x" * 2000, headers={"content-type": "text/plain"}).status_code == 413
        duplicate = client.post("/echo", content=b'{"a":1,"a":2}', headers={"content-type": "application/json"})
        assert duplicate.json()["reasons"] == ["inspect.json_duplicate_key"]


def test_paths_arrive_as_they_were_sent(server, credential):
    key = b"%s: %s\r\n" % credential
    get = b"GET %s HTTP/1.1\r\nHost: a\r\n" + key + b"Connection: close\r\n\r\n"
    assert b" 200 " in raw(server, get % b"/v1/orders/7")
    for path in (b"/v1/orders/%2e%2e/x", b"/v1/orders/a%2fb", b"/v1//orders/7", b"/v1/orders/%252e"):
        assert b" 400 " in raw(server, get % path), path
