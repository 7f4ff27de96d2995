"""`authorize.py FILE`: median nanoseconds of one decision by each Python peer and by zt, of the policies and requests in FILE.

Prints one JSON document once every engine has given the right answers to a sample; `cargo xtask bench policy` reads it."""

import json
import platform
import statistics
import sys
import time
from importlib.metadata import version

import casbin
import cedarpy
import zt

BLOCKS = 101
BLOCK_NS = 2_000_000
IN_ALL_NS = 4_000_000_000

# The cheap comparisons first.
MODEL = """[request_definition]
r = sub, seg, act, risk, mfa, age, hour
[policy_definition]
p = role, seg, act, cond, eft
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = r.act == p.act && r.seg == p.seg && g(r.sub, p.role) && eval(p.cond)
"""

CONDITIONS = {
    "none": "True",
    "mfa_and_risk": "r.mfa and r.risk < {a}",
    "token_age": "r.age < {a}",
    "hours": "r.hour >= {a} and r.hour < {b}",
    "risk": "r.risk > {a}",
    "no_mfa": "not r.mfa",
}


def uid(ty, name):
    return {"type": ty, "id": name}


def user_entity(name, roles):
    return {"uid": uid("User", name), "attrs": {}, "parents": [uid("Role", role) for role in roles]}


def endpoint_entity(name, segment):
    return {"uid": uid("Endpoint", name), "attrs": {}, "parents": [uid("Segment", segment)]}


def cedar_request(asked):
    context = {"risk": asked["risk"], "hour": asked["hour"], "token_age_s": asked["token_age_s"]}
    if asked["mfa"]:
        context["acr"] = "mfa"
    return {
        "principal": uid("User", asked["user"]), "action": uid("Action", asked["method"]),
        "resource": uid("Endpoint", asked["endpoint"]), "context": context,
    }


def cedar_prebuilt(given):
    """Policies and every entity parsed once: its quickest way."""
    policies = cedarpy.PolicySet.from_str(given["cedar"])
    entities = [user_entity(user["id"], user["roles"]) for user in given["users"]]
    entities += [endpoint_entity(endpoint["id"], endpoint["segment"]) for endpoint in given["endpoints"]]
    entities = cedarpy.Entities.from_json_str(json.dumps(entities))
    return lambda asked: cedarpy.is_authorized(cedar_request(asked), policies, entities).allowed


def cedar_per_request(given):
    policies = cedarpy.PolicySet.from_str(given["cedar"])

    def decide(asked):
        entities = [user_entity(asked["user"], asked["roles"]), endpoint_entity(asked["endpoint"], asked["segment"])]
        return cedarpy.is_authorized(cedar_request(asked), policies, entities).allowed

    return decide


def pycasbin(given):
    model = casbin.Model()
    model.load_model_from_text(MODEL)
    enforcer = casbin.Enforcer(model)
    for rule in given["rules"]:
        condition = CONDITIONS[rule["kind"]].format(**rule)
        effect = "allow" if rule["permits"] else "deny"
        enforcer.add_policy(rule["role"], rule["segment"], rule["method"], condition, effect)
    for user in given["users"]:
        for role in user["roles"]:
            enforcer.add_grouping_policy(user["id"], role)
    return lambda asked: enforcer.enforce(
        asked["user"], asked["segment"], asked["method"], asked["risk"], asked["mfa"], asked["token_age_s"], asked["hour"]
    )


def zt_policy(given):
    policy = zt.Policy.from_toml(given["config"])

    def decide(asked):
        now = asked["now_ms"]
        return policy.authorize(
            asked["endpoint"], asked["user"], asked["roles"], acr="mfa" if asked["mfa"] else None,
            issued_at_ms=now - asked["token_age_s"] * 1_000, risk=asked["risk"] / 1_000, now_ms=now,
        ).allowed

    return decide


ENGINES = {
    f"zt {zt.__version__}": zt_policy,
    f"cedarpy {version('cedarpy')}, handles": cedar_prebuilt,
    f"cedarpy {version('cedarpy')}, entities of each request": cedar_per_request,
    f"pycasbin {version('casbin')}": pycasbin,
}


def measure(decide, requests):
    at, calls, samples = 0, 1, []
    started = time.perf_counter_ns()
    while len(samples) < BLOCKS and (time.perf_counter_ns() - started < IN_ALL_NS or not samples):
        picked = [requests[(at + call) % len(requests)] for call in range(calls)]
        at += calls
        block = time.perf_counter_ns()
        for asked in picked:
            decide(asked)
        took = time.perf_counter_ns() - block
        if took * 2 < BLOCK_NS:
            calls *= 2
        else:
            samples.append(took / calls)
    return statistics.median(samples)


def main(file):
    with open(file, encoding="utf-8") as text:
        given = json.load(text)
    sample = given["requests"][: 1_024 if given["policies"] <= 100 else 20]
    rows = []
    for name, make in ENGINES.items():
        decide = make(given)
        for at, asked in enumerate(sample if "casbin" not in name else sample[:200]):
            assert decide(asked) == asked["allowed"], f"{name} answers request {at} wrongly"
        rows.append({"engine": name, "ns": measure(decide, given["requests"])})
    print(json.dumps({"runtime": f"Python {platform.python_version()}", "rows": rows}))


if __name__ == "__main__":
    main(*sys.argv[1:])
