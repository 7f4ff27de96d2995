"""What a call costs: nanoseconds, the best of many windows. `python zt-python/benches/overhead.py`"""

import asyncio
import json
import time

import zt
from zt.asgi import ZtMiddleware

CONFIG = """
version = 1
[[endpoint]]
method = "*"
path = "/v1/orders/{id}"
anonymous = true
"""
HEADERS = [
    (b"host", b"api.example.com"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
    (b"accept", b"application/json"),
    (b"accept-language", b"en-US,en;q=0.5"),
    (b"accept-encoding", b"gzip, deflate, br, zstd"),
    (b"referer", b"https://shop.example.com/orders"),
    (b"content-type", b"application/json"),
    (b"origin", b"https://shop.example.com"),
    (b"connection", b"keep-alive"),
    (b"cookie", b"theme=dark; lang=en"),
    (b"x-request-id", b"0191f7e2-6c1b-7c3a-9a51-6b5d9c0a7d11"),
    (b"priority", b"u=0"),
]
BODY = json.dumps({"items": [{"sku": f"sku-{n}", "quantity": n, "note": "gift wrap"} for n in range(9)]}).encode()
SCOPE = {
    "type": "http", "method": "POST", "scheme": "https", "http_version": "1.1", "path": "/v1/orders/7",
    "raw_path": b"/v1/orders/7", "query_string": b"expand=items", "headers": HEADERS, "client": ("203.0.113.7", 1234),
}
# Short windows: on a busy machine some of them run undisturbed.
CALLS = 50


def best(call, windows=4_000):
    def window():
        start = time.perf_counter_ns()
        for _ in range(CALLS):
            call()
        return time.perf_counter_ns() - start

    return min(window() for _ in range(windows)) / CALLS


async def middleware(app, windows=2_000):
    async def receive():
        return {"type": "http.request", "body": BODY, "more_body": False}

    async def send(message):
        pass

    async def window():
        start = time.perf_counter_ns()
        for _ in range(CALLS):
            await app(dict(SCOPE), receive, send)
        return time.perf_counter_ns() - start

    return min([await window() for _ in range(windows)]) / CALLS


async def application(scope, receive, send):
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def main():
    engine = zt.Engine.from_toml(CONFIG)
    assert engine.decide_asgi(SCOPE, BODY).passes
    event = {
        "time_ms": 1, "request": {"method": "POST", "path": "/v1/orders/7", "query": "expand=items", "body": BODY.decode(),
                                  "headers": [[name.decode(), value.decode()] for name, value in HEADERS]},
    }
    text = json.dumps(event)
    rows = {
        "decide_asgi, no body": best(lambda: engine.decide_asgi(SCOPE)),
        f"decide_asgi, {len(BODY)} B of JSON": best(lambda: engine.decide_asgi(SCOPE, BODY)),
        "decide_asgi and read outcome": best(lambda: engine.decide_asgi(SCOPE, BODY).outcome),
        "decide (parts)": best(lambda: engine.decide("POST", b"/v1/orders/7?expand=items", HEADERS, BODY, "203.0.113.7")),
        "decide_event_json": best(lambda: engine.decide_event_json(text), 1_000),
        "decide_event": best(lambda: engine.decide_event(event), 1_000),
        "bare ASGI application": asyncio.run(middleware(application)),
        "the same behind ZtMiddleware": asyncio.run(middleware(ZtMiddleware(application, engine=engine))),
    }
    for name, nanoseconds in rows.items():
        print(f"{name:<40} {nanoseconds:>9,.0f} ns")


if __name__ == "__main__":
    main()
