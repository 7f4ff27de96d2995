"""The conformance vectors, the same files in every runtime."""

import base64
import json
from pathlib import Path

import pytest
import zt

VECTORS = Path(__file__).resolve().parents[2] / "zt-core" / "tests" / "vectors"


def vectors():
    for path in sorted(VECTORS.rglob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        cases = document if isinstance(document, list) else [document]
        for index, case in enumerate(cases):
            name = path.relative_to(VECTORS).as_posix()
            yield pytest.param(case, id=name if len(cases) == 1 else f"{name}[{index}]")


CASES = list(vectors())


def subset(expected, actual):
    if isinstance(expected, dict):
        return isinstance(actual, dict) and all(subset(value, actual.get(key)) for key, value in expected.items())
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(map(subset, expected, actual))
    return type(expected) is type(actual) and expected == actual or (
        {type(expected), type(actual)} == {int, float} and expected == actual
    )


def differences(expect, decision):
    for key, expected in expect.items():
        if key == "codes":
            found = [reason["code"] for reason in decision["reasons"]]
            same = found == expected
        elif key == "response_headers":
            found = decision[key]
            same = all(pair in found for pair in expected)
        else:
            found = decision.get(key)
            same = subset(expected, found)
        if not same:
            yield f"{key}: expected {expected!r}, found {found!r}"


def unexplained(expect, explanation):
    """What an explanation does not say: values by JSON pointer (RFC 6901); `None` for what is absent."""
    for pointer, expected in expect.items():
        found = explanation
        for key in pointer.split("/")[1:]:
            index = int(key) if isinstance(found, list) else key
            found = found[index] if key in found or isinstance(found, list) and index < len(found) else {}
        found = found if found != {} else None
        if not subset(expected, found):
            yield f"{pointer}: expected {expected!r}, found {found!r}"


def engine_of(vector):
    files = vector.get("files", {})
    if isinstance(files, list):
        files = {file["name"]: file["text"] for file in files}
    return zt.Engine.from_toml(vector["config"], files)


def bundled_of(vector):
    return zt.Engine.from_bundle(base64.b64decode(zt.op("compile", {"config": vector["config"]})["bundle"]))


def operate(engine, step):
    """A step between requests: `replace_keys`, `revoke`, `suspend` or `unsuspend`; with `"refused": true` it fails. Or
    `receive`."""
    if "receive" in step:
        received = engine.receive(step["receive"], step["time_ms"])
        assert subset(step["expect"], received), received
        return

    def run():
        if "replace_keys" in step:
            engine.replace_keys(**step["replace_keys"])
        elif "suspend" in step:
            engine.suspend(step["suspend"], step["time_ms"])
        elif "unsuspend" in step:
            engine.unsuspend(step["unsuspend"], step["time_ms"])
        else:
            engine.revoke(step["revoke"], step["time_ms"])

    if step.get("refused"):
        with pytest.raises(ValueError):
            run()
    else:
        run()


@pytest.mark.parametrize("vector", CASES)
def test_vector(vector):
    engine, bundled = engine_of(vector), bundled_of(vector)
    for number, step in enumerate(vector["steps"]):
        if "event" not in step:
            operate(engine, step)
            operate(bundled, step)
            continue
        # Explained first: it must not change what is decided.
        if "explain" in step:
            missing = list(unexplained(step["explain"], engine.explain_event(step["event"])))
            assert not missing, f"step {number}: {'; '.join(missing)}"
        decision = engine.decide_event(step["event"])
        assert bundled.decide_event(step["event"]) == decision, f"step {number}, from a bundle"
        found = list(differences(step["expect"], decision))
        assert not found, f"step {number}: {'; '.join(found)}"
        if "response" in step["event"]:
            observed = engine.observe_event(step["event"], decision)
            assert bundled.observe_event(step["event"], decision) == observed, f"step {number}, response, from a bundle"
            found = list(differences(step.get("expect_response", {}), observed))
            assert not found, f"step {number}, response: {'; '.join(found)}"


@pytest.mark.parametrize("vector", CASES)
def test_replay_is_byte_for_byte_the_same(vector):
    replays = []
    for _ in range(2):
        engine = engine_of(vector)
        decisions = []
        for step in vector["steps"]:
            if "event" in step:
                decisions.append(engine.decide_event_json(json.dumps(step["event"])))
            else:
                operate(engine, step)
        replays.append((decisions, engine.snapshot()))
    assert replays[0] == replays[1]


def test_there_are_vectors():
    assert any(VECTORS.rglob("*.json"))
