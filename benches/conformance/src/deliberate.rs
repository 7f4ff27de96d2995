//! What is refused on purpose although its suite calls it valid: every such case with its reason.

const OTHER_ALGORITHM: &str = "a PS384 token on a key for PS256: a key serves its own algorithm only (RFC 8725, 3.1)";
const ES512: &str = "ES512 is not offered: one more curve for hardly any issuer";
const BLANK: &str = "a secret of zero bytes only: it is what an unset one looks like, and everybody's first guess";
const NOT_BASE64URL: &str = "a `?` within a part, to be passed over: not base64url (RFC 7515, 2)";
const COVERS_NOTHING: &str = "a signature that covers nothing proves nothing about the request";

const REFUSED: &[(&str, &[&str], &str)] = &[
    ("wycheproof-jws", &["346", "350"], OTHER_ALGORITHM),
    ("wycheproof-jws", &["347", "351"], ES512),
    ("wycheproof-jws", &["357", "358", "359", "376", "377"], BLANK),
    ("wycheproof-jws", &["372", "373"], NOT_BASE64URL),
    ("jose-cookbook", &["4_3.ecdsa_signature"], ES512),
    ("rfc9421", &["B.2.1"], COVERS_NOTHING),
];

/// Why a valid case is refused, if it is.
pub(crate) fn reason(suite: &str, id: &str) -> Option<&'static str> {
    REFUSED.iter().find(|(of, ids, _)| *of == suite && ids.contains(&id)).map(|(_, _, why)| *why)
}
