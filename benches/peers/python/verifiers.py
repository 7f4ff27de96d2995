"""The verifiers of Python, each with the hardened options that it documents: pinned algorithm, prebuilt key, and
`exp`, `iss` and `aud` required and checked. Each takes a JWK and answers with a function that raises on refusal."""

import warnings
from importlib.metadata import version

# Deprecations and weak keys: said once here, not for every case.
warnings.simplefilter("ignore")

import joserfc.jwk
import joserfc.jwt
import jwt
from authlib.jose import JsonWebKey, JsonWebToken

REQUIRED = ["exp", "iss", "aud", "sub"]


def pyjwt(jwk, alg, issuer, audience):
    # The key's own `alg` is checked where it has one.
    key = jwt.PyJWK(jwk) if "alg" in jwk else jwt.PyJWK(jwk, algorithm=alg)
    options = {"require": REQUIRED, "enforce_minimum_key_length": True}

    def verify(token):
        return jwt.decode(token, key, algorithms=[alg], audience=audience, issuer=issuer, options=options)

    return verify


def by_joserfc(jwk, alg, issuer, audience):
    key = joserfc.jwk.import_key(jwk)
    claims = joserfc.jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": audience},
        exp={"essential": True},
        sub={"essential": True},
    )

    def verify(token):
        decoded = joserfc.jwt.decode(token, key, algorithms=[alg])
        claims.validate(decoded.claims)
        return decoded.claims

    return verify


def authlib_jose(jwk, alg, issuer, audience):
    key = JsonWebKey.import_key(jwk)
    jose = JsonWebToken([alg])
    options = {
        "iss": {"essential": True, "value": issuer},
        "aud": {"essential": True, "value": audience},
        "exp": {"essential": True},
        "sub": {"essential": True},
    }

    def verify(token):
        claims = jose.decode(token, key, claims_options=options)
        claims.validate()
        return claims

    return verify


PEERS = {
    f"PyJWT {version('PyJWT')}": pyjwt,
    f"joserfc {version('joserfc')}": by_joserfc,
    f"authlib {version('Authlib')}": authlib_jose,
}
