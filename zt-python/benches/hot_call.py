"""`hot_call.py CONFIG EVENT`: median nanoseconds of one `decide_asgi`, as `{"ns": ...}`; `cargo xtask bench bindings`."""

import json
import statistics
import sys
import time

import zt

CALLS = 50
WINDOWS = 4_000


def main(config, event):
    engine = zt.Engine.from_toml(open(config).read())
    event = json.load(open(event))
    request, now = event["request"], event["time_ms"]
    body = request["body"].encode()
    scope = {
        "type": "http", "method": request["method"], "scheme": request["scheme"], "http_version": "1.1",
        "path": request["path"], "raw_path": request["path"].encode(), "query_string": request["query"].encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in request["headers"]],
        "client": (request["peer"]["ip"], 40_000),
    }
    assert engine.decide_asgi(scope, body, now).outcome == "allow"

    def window():
        start = time.perf_counter_ns()
        for _ in range(CALLS):
            decision = engine.decide_asgi(scope, body, now)
            decision.passes
        return (time.perf_counter_ns() - start) / CALLS

    print(json.dumps({"ns": statistics.median(window() for _ in range(WINDOWS))}))


if __name__ == "__main__":
    main(*sys.argv[1:])
