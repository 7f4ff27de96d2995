"""The engine without a framework."""

import base64
import json
import sys
import threading
import time

import pytest
import zt

NOW = 1_772_446_530_123


def scope(path="/v1/orders/7", headers=(), **more):
    return {
        "type": "http",
        "method": "GET",
        "scheme": "https",
        "http_version": "1.1",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": list(headers),
        "client": ("203.0.113.7", 1234),
        **more,
    }


def test_the_hot_call(engine, credential):
    refused = engine.decide("GET", b"/v1/orders/7?x=1", [], None, "203.0.113.7", now=NOW, id="e-1")
    assert (refused.id, refused.outcome, refused.status, refused.passes) == ("e-1", "deny", 401, False)
    assert refused.codes == ["verify.no_credential"]
    assert refused.identity is None and refused.principal is None
    assert any(name == b"WWW-Authenticate" for name, _ in refused.response_headers)
    problem = json.loads(refused.problem())
    assert (problem["status"], problem["instance"], problem["reasons"]) == (401, "e-1", ["verify.no_credential"])

    passed = engine.decide("GET", "/v1/orders/7", [credential], now=NOW)
    assert (passed.outcome, passed.passes, passed.time_ms) == ("allow", True, NOW)
    assert passed.principal == "partner-7"
    assert passed.identity["roles"] == ["partner"]
    assert passed.endpoint["template"] == "/v1/orders/{id}"


def test_both_lanes_say_the_same(config, credential):
    event = {
        "id": "e-1",
        "time_ms": NOW,
        "request": {
            "method": "POST",
            "scheme": "https",
            "path": "/v1/orders/%C3%A9",
            "query": "a=%20",
            "http_version": "1.1",
            "headers": [[part.decode() for part in credential], ["X-Raw", "\u00c3\u00a9"], ["content-type", "application/json"]],
            "body": '{"a":1}',
            "peer": {"ip": "203.0.113.7"},
        },
    }
    headers = [credential, (b"X-Raw", b"\xc3\xa9"), (b"content-type", b"application/json")]
    documents = zt.Engine.from_toml(config).decide_event(event)
    parts = zt.Engine.from_toml(config).decide(
        "POST", b"/v1/orders/%C3%A9?a=%20", headers, b'{"a":1}', "203.0.113.7",
        now=NOW, id="e-1", scheme="https", http_version="1.1",
    )
    assert parts.to_dict() == documents == json.loads(parts.to_json())
    asgi = zt.Engine.from_toml(config).decide_asgi(
        scope(method="POST", raw_path=b"/v1/orders/%C3%A9", query_string=b"a=%20", headers=headers), b'{"a":1}', NOW
    )
    assert {**asgi.to_dict(), "id": "e-1"} == documents


def test_the_raw_path_counts(engine, credential):
    def codes(**more):
        return engine.decide_asgi(scope(headers=[credential], **more), now=NOW).codes

    assert codes(path="/v1/orders/../x", raw_path=b"/v1/orders/%2e%2e/x") == ["route.dot_segment"]
    assert codes(path="/v1/orders/a/b", raw_path=b"/v1/orders/a%2Fb") == ["route.encoded_slash"]
    # Some hosts leave the query on it.
    assert codes(raw_path=b"/v1/orders/7?x=1", query_string=b"x=1") == []


@pytest.mark.parametrize("raw_path", [{"raw_path": None}, {}])
def test_a_decoded_path_is_encoded_again(engine, credential, raw_path):
    def decide(path):
        given = scope(path, [credential])
        del given["raw_path"]
        return engine.decide_asgi({**given, **raw_path}, now=NOW)

    assert decide("/v1/orders/a b é%").passes
    assert decide("/v1/orders/%2e%2e").codes == ["route.double_encoding"]
    assert decide("/v1/orders/a\x00b").codes == ["route.control_character"]
    assert decide("/v1/orders/..").codes == ["route.dot_segment"]


def test_headers_of_any_form(engine, credential):
    for lines in ([list(credential)], (credential,), iter([credential]), [tuple(part.decode() for part in credential)]):
        assert engine.decide("GET", "/v1/orders/7", lines, now=NOW).passes
    for lines in ([("a",)], [b"ab"], [("a", 1)], 7):
        with pytest.raises((TypeError, ValueError)):
            engine.decide("GET", "/v1/orders/7", lines, now=NOW)


def test_what_is_no_request_is_an_error(engine):
    with pytest.raises(ValueError, match="not an IP address"):
        engine.decide("GET", "/health", [], peer="somewhere")
    with pytest.raises(ValueError, match="no path"):
        engine.decide_asgi({"type": "http", "method": "GET"})
    with pytest.raises(ValueError, match="not an event"):
        engine.decide_event({})
    with pytest.raises(TypeError):
        engine.decide_asgi(scope(), "text")


def test_a_socket_without_an_address(engine):
    for client in (None, ("", 0), ("/run/app.sock", None)):
        assert engine.decide_asgi(scope("/health", client=client)).passes


def test_the_clock(engine):
    before = int(time.time() * 1000)
    decided = engine.decide("GET", "/health", []).time_ms
    assert before <= decided <= int(time.time() * 1000)


def test_a_long_body(engine):
    decision = engine.decide("POST", "/echo", [(b"content-type", b"text/plain")], b"x" * 100_000)
    assert (decision.status, decision.codes) == (413, ["inspect.body_too_large"])
    cut = engine.decide("POST", "/echo", [(b"content-type", b"text/plain")], b"x", body_len=100_000)
    assert cut.status == 413


def test_the_state_travels(config):
    first, second, third = (zt.Engine.from_toml(config) for _ in range(3))
    for _ in range(50):
        assert first.decide("GET", "/health", [], peer="203.0.113.7", now=NOW).passes
    second.restore(first.snapshot())
    third.merge(first.snapshot())
    for engine in (first, second, third):
        decision = engine.decide("GET", "/health", [], peer="203.0.113.7", now=NOW)
        assert (decision.outcome, decision.status) == ("throttle", 429)
    with pytest.raises(ValueError, match="not a zt snapshot"):
        first.restore(b"something else")


def test_changes_travel(config):
    first, second = (zt.Engine.from_toml(config) for _ in range(2))
    delta, epoch = first.delta_since()
    second.merge(delta)
    for _ in range(50):
        assert first.decide("GET", "/health", [], peer="203.0.113.7", now=NOW).passes
    delta, later = first.delta_since(epoch)
    assert later > epoch and len(delta) < len(first.snapshot()) + 1
    second.merge(delta)
    assert second.decide("GET", "/health", [], peer="203.0.113.7", now=NOW).status == 429
    empty, _ = first.delta_since(later)
    assert len(empty) < len(delta)
    with pytest.raises(ValueError, match="merge it"):
        second.restore(delta)


def test_the_state_reports(config):
    engine = zt.Engine.from_toml(config)
    engine.decide("GET", "/health", [], peer="203.0.113.7", now=NOW)
    report = engine.state_report()
    assert 0 < report["memory"]["total"] <= 64 << 20
    stores = {store["store"]: store for store in report["stores"]}
    assert {"verify.cache", "verify.revocations", "verify.proofs"} < set(stores)
    assert sum(store["entries"] for name, store in stores.items() if name.startswith("limit:")) == 1
    assert all(store["evicted"] == 0 for store in report["stores"])


def test_responses_are_observed(engine):
    event = {"id": "e-1", "time_ms": NOW, "request": {"method": "GET", "path": "/health"}, "response": {"status": 200}}
    decision = engine.decide_event(event)
    assert engine.observe_event(event, decision)["outcome"] == "allow"
    decision = engine.decide("GET", "/health", [], id="e-2")
    assert engine.observe(decision, 200, [(b"a", b"b")], b"ok", NOW, latency_ms=1.5)["id"] == "e-2"


def test_a_verdict_is_told_and_the_budget_reported(config):
    engine = zt.Engine.from_toml(config + "\n[anomaly]\nbudget = 0.05\n")
    decision = engine.decide("GET", "/health", [], id="e-3", now=NOW)
    assert engine.observe(decision, 0, now=NOW, verdict="confirmed")["outcome"] == "allow"
    with pytest.raises(ValueError, match="false_positive"):
        engine.observe(decision, 0, now=NOW, verdict="maybe")
    drift = engine.state_report()["anomaly"]["drift"]
    assert (drift["course"], drift["needs"]) == ("not_calibrated", 59)


def test_mistakes_are_told_at_once():
    with pytest.raises(ValueError) as told:
        zt.Engine.from_toml('version = 1\nmod = "enforce"\n[[limit]]\nname = "x"\nkey = ["peer"]\nrate = "often"\n')
    assert "zt.toml:2" in str(told.value) and "zt.toml:6" in str(told.value)


def test_from_file(tmp_path, config):
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "a.cedar").write_text("permit(principal, action, resource);")
    (tmp_path / "policies" / ".b.cedar").write_text("hidden: not a policy")
    path = tmp_path / "zt.toml"
    path.write_text(config + '[policy]\nfiles = ["policies/*.cedar"]\n')
    engine = zt.Engine.from_file(path)
    assert engine.decide("GET", "/health", []).passes
    assert engine.version and engine.body_limit == 1024

    (tmp_path / "policies" / "a.cedar").unlink()
    with pytest.raises(ValueError, match=r"policies/\*\.cedar"):
        zt.Engine.from_file(path)


def test_threads_share_an_engine(engine):
    results = []

    def work():
        for _ in range(200):
            results.append(engine.decide("GET", "/health", [], peer="203.0.113.7", now=NOW).outcome)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert (results.count("allow"), results.count("throttle")) == (50, 750)


def test_a_decision_is_frozen(engine):
    decision = engine.decide("GET", "/health", [])
    with pytest.raises(AttributeError):
        decision.outcome = "allow"
    assert repr(decision) == "<zt.Decision allow 200 []>"


def test_a_configuration_can_be_replaced_and_a_broken_one_leaves_the_old_in_force(config, credential, tmp_path):
    engine = zt.Engine.from_toml(config)
    ask = lambda: engine.decide("GET", "/v1/orders/7", [credential], None, "203.0.113.7", now=NOW)
    assert ask().passes
    before, version = engine.snapshot(), engine.version
    for broken in ("version = 9", config + "\n[policy]\ntext = 'permit('\n", "\0"):
        with pytest.raises(ValueError):
            engine.replace_toml(broken)
    assert (engine.version, engine.snapshot()) == (version, before)
    engine.replace_toml(config + "\n[policy]\ntext = 'forbid(principal, action, resource);'\n")
    assert engine.snapshot() == before
    assert not ask().passes
    (tmp_path / "zt.toml").write_text(config)
    engine.replace_file(tmp_path / "zt.toml")
    assert engine.version == version and ask().passes


def test_a_bundle_decides_as_its_text_does_and_can_be_swapped_in(config, credential):
    bundle = base64.b64decode(zt.op("compile", {"config": config})["bundle"])
    engine, bundled = zt.Engine.from_toml(config), zt.Engine.from_bundle(bundle)
    assert isinstance(bundled, zt.Engine)
    assert (bundled.version, bundled.notices) == (engine.version, engine.notices)
    engine.decide("GET", "/v1/orders/7", [credential], None, "203.0.113.7", now=NOW)
    before = engine.snapshot()
    engine.replace_bundle(bundle)
    assert engine.snapshot() == before
    for wrong in (bundle[:-1], b"", b"\0" + bundle):
        with pytest.raises(ValueError, match="bundle"):
            zt.Engine.from_bundle(wrong)
        with pytest.raises(ValueError, match="bundle"):
            engine.replace_bundle(wrong)
    key = '{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}'
    with pytest.raises(ValueError, match="not signed"):
        zt.Engine.from_bundle(bundle, key)
    with pytest.raises(ValueError, match="key"):
        zt.Engine.from_bundle(bundle, key="no key")
    with pytest.raises(TypeError):
        zt.Engine.from_bundle(bundle, key=b"{}")


def test_a_decision_log(engine, config):
    event = {"id": "e-1", "time_ms": NOW, "request": {"method": "GET", "path": "/health", "query": "q=planted"}}
    engine.log_start(key="a key of this test", inputs_key="another key of this test")
    logged = engine.decide_logged(event, timings=True)
    assert logged["decision"]["outcome"] == "allow"
    record = json.loads(logged["line"])
    assert record["seq"] == 0 and record["stages_us"]["route"] > 0 and "planted" not in logged["line"]
    assert zt.op("log_inputs", {"event": event, "key": "another key of this test"}) == {"inputs": record["inputs"]}

    following = zt.Engine.from_toml(config)
    following.log_start(key="a key of this test", after=logged["line"])
    second = following.log_record(event, following.decide("GET", "/health", [], now=NOW))
    lines = [logged["line"], second, following.decide_logged(event)["line"]]
    report = zt.op("log_verify", {"log": "\n".join(lines), "key": "a key of this test"})
    assert report == {"ok": True, "records": 3, "last": "2:" + json.loads(lines[2])["digest"]}
    broken = zt.op("log_verify", {"log": "\n".join(lines[1:]), "key": "a key of this test"})["broken"]
    assert (broken["line"], broken["problem"]) == (1, "head_missing")
    with pytest.raises(ValueError, match="shorter"):
        engine.log_start(key="short")
    with pytest.raises(ValueError, match="cannot go on"):
        engine.log_start(after=logged["line"])
