"""`verify.py measure TOKENS`: median nanoseconds of one verification, by verifier, algorithm and way.
`verify.py attacks CASES`: the cases that each peer accepts, by id.

Prints one JSON document; `cargo xtask bench verify` reads it."""

import json
import platform
import statistics
import sys
import time

import verifiers

WINDOW_NS = 2_000_000
WINDOWS = 101


def subjects(given, case):
    """Every verifier on the tokens of one algorithm: name, way, and a function that verifies one token."""
    import zt

    for name, make in verifiers.PEERS.items():
        verify = make(case["jwk"], case["alg"], case["issuer"], given["audience"])
        assert verify(case["tokens"][0])["sub"] == given["subject"], name
        yield name, "each", verify
    now = given["now_ms"]
    for way, config in (("cold", given["config_uncached"]), ("repeated", given["config"])):
        verifier = zt.Verifier.from_toml(config)
        name = f"zt {zt.__version__}"
        yield name, way, lambda token, v=verifier: v.verify_token(token, now).principal
        yield f"{name}, claims read", way, lambda token, v=verifier: v.verify_token(token, now).claims
        for token in case["tokens"]:
            verified = verifier.verify_token(token, now)
            assert verified.principal == verified.claims["sub"] == given["subject"]


def window(verify, tokens, calls):
    count = len(tokens)
    picked = [tokens[at % count] for at in range(calls)]
    start = time.perf_counter_ns()
    for token in picked:
        verify(token)
    return (time.perf_counter_ns() - start) / calls


def measure(given):
    rows = []
    for case in given["cases"]:
        alone = list(subjects(given, case))
        calls = []
        for _, _, verify in alone:
            window(verify, case["tokens"], len(case["tokens"]))
            calls.append(max(1, int(WINDOW_NS / window(verify, case["tokens"], 50))))
        samples = [[] for _ in alone]
        # By turns, so that all meet the same noise.
        for _ in range(WINDOWS):
            for (_, _, verify), n, times in zip(alone, calls, samples):
                times.append(window(verify, case["tokens"], n))
        for (name, way, _), times in zip(alone, samples):
            rows.append({"verifier": name, "alg": case["alg"], "way": way, "ns": statistics.median(times)})
    return {"rows": rows}


def accepts(make, case):
    issuer, audience = "https://auth.example.com/", "https://api.example.com"
    try:
        make(case["jwk"], case["alg"], issuer, audience)(case["token"])
    except Exception:
        return False
    return True


def attacks(cases):
    rows = []
    for name, make in verifiers.PEERS.items():
        rows.append({"verifier": name, "accepted": [case["id"] for case in cases if accepts(make, case)]})
    return {"rows": rows}


def main(mode, file):
    with open(file, encoding="utf-8") as text:
        given = json.load(text)
    answer = {"measure": measure, "attacks": attacks}[mode](given)
    print(json.dumps({"runtime": f"Python {platform.python_version()}", **answer}))


if __name__ == "__main__":
    main(*sys.argv[1:])
