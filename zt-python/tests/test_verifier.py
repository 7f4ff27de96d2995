"""Tokens alone."""

import base64
import hashlib
import hmac
import json

import pytest
import zt

NOW = 1_772_446_530_123
SECRET = b"a secret of the tests, of 32 bytes or more"


def part(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(secret=SECRET, **claims):
    header = {"alg": "HS256", "typ": "at+jwt"}
    base = {"iss": "https://idp.test", "sub": "anna", "aud": "https://api.test", "exp": NOW // 1000 + 60, "roles": ["buyer"]}
    signed = ".".join(part(json.dumps(it).encode()) for it in (header, {**base, **claims}))
    return f"{signed}.{part(hmac.digest(secret, signed.encode(), hashlib.sha256))}"


KEYS = json.dumps({"keys": [{"kty": "oct", "alg": "HS256", "k": part(SECRET)}]})
CONFIG = f"""
version = 1
[[verify.issuer]]
issuer = "https://idp.test"
audiences = ["https://api.test"]
algorithms = ["HS256"]
jwks = '{KEYS}'
"""


@pytest.fixture
def verifier():
    return zt.Verifier.from_toml(CONFIG)


def test_a_token_that_holds(verifier):
    for form in (token(), token().encode()):
        # The second time from memory.
        for _ in range(2):
            verified = verifier.verify_token(form, NOW)
            assert verified and verified.code is None and verified.challenge is None
            assert (verified.principal, verified.roles) == ("anna", ("buyer",))
            assert verified.identity["issuer"] == "https://idp.test"
            assert verified.claims["exp"] == NOW // 1000 + 60
            assert verified.claims is verified.claims


def test_claims_of_one_request_are_not_those_of_another(verifier):
    verifier.verify_token(token(), NOW).claims["roles"].append("admin")
    assert verifier.verify_token(token(), NOW).claims["roles"] == ["buyer"]


def test_refusals(verifier):
    assert verifier.verify_token(token(), NOW)
    cases = [
        (token(secret=b"b" * 32), NOW, "verify.bad_signature"),
        (token(), NOW + 200_000, "verify.expired"),
        (token(aud="https://other.test"), NOW, "verify.wrong_audience"),
        (token() + "\u0141", NOW, "verify.malformed_token"),
        ("Bearer " + token(), NOW, "verify.malformed_token"),
        ("", NOW, "verify.malformed_token"),
        (b"\xff" * 20_000, NOW, "verify.token_too_long"),
    ]
    for form, now, code in cases:
        refused = verifier.verify_token(form, now)
        assert not refused and refused.code == code
        assert refused.principal is None and refused.claims is None and refused.identity is None and refused.roles == ()
        assert refused.challenge.startswith("Bearer realm=") and 'error="invalid_token"' in refused.challenge


def test_a_revoked_subject_is_refused_at_once(verifier):
    assert verifier.verify_token(token(), NOW)
    revocation = {"revoke": "subject", "issuer": "https://idp.test", "id": "anna", "expires_ms": NOW + 60_000}
    verifier.revoke(revocation, NOW)
    assert verifier.verify_token(token(), NOW).code == "verify.revoked"
    assert verifier.verify_token(token(sub="bob"), NOW).principal == "bob"


def test_what_is_no_token(verifier):
    with pytest.raises(TypeError, match="`str` or `bytes`"):
        verifier.verify_token(7, NOW)


def test_mistakes_have_lines():
    with pytest.raises(ValueError, match="zt.toml:7"):
        zt.Verifier.from_toml(CONFIG.replace(KEYS, "{}"))


def test_files(tmp_path):
    (tmp_path / "keys.json").write_text(KEYS)
    (tmp_path / "zt.toml").write_text(CONFIG.replace(f"jwks = '{KEYS}'", 'jwks_file = "keys.json"'))
    assert zt.Verifier.from_file(tmp_path / "zt.toml").verify_token(token(), NOW).principal == "anna"


def test_another_key_set_stops_the_tokens_of_the_old_one(verifier):
    other = b"another secret of the tests, of 32 bytes or more"
    assert verifier.verify_token(token(), NOW)
    with pytest.raises(ValueError, match="keys"):
        verifier.replace_keys("https://idp.test", "{}")
    assert verifier.verify_token(token(), NOW)
    verifier.replace_keys("https://idp.test", json.dumps({"keys": [{"kty": "oct", "alg": "HS256", "k": part(other)}]}))
    assert verifier.verify_token(token(), NOW).code == "verify.bad_signature"
    assert verifier.verify_token(token(other), NOW).principal == "anna"
    assert verifier.verify_token(token(other), NOW).refresh_wanted is None
