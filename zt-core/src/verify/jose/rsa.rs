//! RSA signatures in Rust, where aws-lc does not build.
//!
//! `jsonwebtoken`'s own way there stops at 4096 bits and parses the key for each signature. Natively this is the second
//! opinion of a test.

use rsa::traits::SignatureScheme;
use rsa::{BigUint, Pkcs1v15Sign, Pss, RsaPublicKey};
use sha2_for_rsa::{Digest as _, Sha256, Sha384, Sha512};

use super::admission::MAX_RSA_BITS;
use super::algorithm::Algorithm;

/// An RSA key, parsed once.
#[derive(Clone, Debug)]
pub(super) struct RsaKey(RsaPublicKey);

impl RsaKey {
    /// The key of this modulus and exponent.
    pub(super) fn parse(n: &[u8], e: &[u8]) -> Option<Self> {
        let (n, e) = (BigUint::from_bytes_be(n), BigUint::from_bytes_be(e));
        RsaPublicKey::new_with_max_size(n, e, MAX_RSA_BITS).ok().map(Self)
    }

    /// Whether the signature over the message is the key's. The salt of RSASSA-PSS is as long as the hash (RFC 7518,
    /// section 3.5).
    pub(super) fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match algorithm {
            Algorithm::Rs256 => self.holds(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(message), signature),
            Algorithm::Rs384 => self.holds(Pkcs1v15Sign::new::<Sha384>(), &Sha384::digest(message), signature),
            Algorithm::Rs512 => self.holds(Pkcs1v15Sign::new::<Sha512>(), &Sha512::digest(message), signature),
            Algorithm::Ps256 => self.holds(Pss::new::<Sha256>(), &Sha256::digest(message), signature),
            Algorithm::Ps384 => self.holds(Pss::new::<Sha384>(), &Sha384::digest(message), signature),
            Algorithm::Ps512 => self.holds(Pss::new::<Sha512>(), &Sha512::digest(message), signature),
            _ => false,
        }
    }

    fn holds(&self, scheme: impl SignatureScheme, digest: &[u8], signature: &[u8]) -> bool {
        self.0.verify(scheme, digest, signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::rsa::{KeySize, PublicKeyComponents};
    use aws_lc_rs::signature::{
        KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384,
        RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
    };
    use jsonwebtoken::DecodingKey;
    use rsa::RsaPrivateKey;
    use rsa::pkcs8::DecodePrivateKey as _;
    use rsa::rand_core::{CryptoRng, RngCore};

    use crate::verify::jose::signature::Verifying;

    const ALL: [(Algorithm, &dyn RsaEncoding); 6] = [
        (Algorithm::Rs256, &RSA_PKCS1_SHA256),
        (Algorithm::Rs384, &RSA_PKCS1_SHA384),
        (Algorithm::Rs512, &RSA_PKCS1_SHA512),
        (Algorithm::Ps256, &RSA_PSS_SHA256),
        (Algorithm::Ps384, &RSA_PSS_SHA384),
        (Algorithm::Ps512, &RSA_PSS_SHA512),
    ];

    /// Both backends on the same key: what each says of a signature, whole and damaged, by every algorithm.
    fn both_agree(pair: &RsaKeyPair) {
        let public = PublicKeyComponents::<Vec<u8>>::from(pair.public_key());
        let here = RsaKey::parse(&public.n, &public.e).unwrap();
        let message = b"header.payload";
        for (signed_as, encoding) in ALL {
            let mut signature = vec![0; public.n.len()];
            pair.sign(encoding, &SystemRandom::new(), message, &mut signature).unwrap();
            let mut damaged = signature.clone();
            damaged[public.n.len() / 2] ^= 1;
            for (algorithm, _) in ALL {
                let key = DecodingKey::from_rsa_raw_components(&public.n, &public.e);
                let there = Verifying::new(algorithm, key);
                for (message, signature, sound) in [
                    (&message[..], &signature, true),
                    (&message[..], &damaged, false),
                    (b"header.other", &signature, false),
                ] {
                    let expected = sound && algorithm == signed_as;
                    assert_eq!(there.verify(algorithm, message, signature), expected, "aws-lc, {algorithm:?}");
                    assert_eq!(here.verify(algorithm, message, signature), expected, "rsa, {algorithm:?}");
                }
            }
        }
    }

    #[test]
    fn both_backends_agree_on_every_algorithm() {
        both_agree(&RsaKeyPair::generate(KeySize::Rsa2048).unwrap());
        both_agree(&RsaKeyPair::generate(KeySize::Rsa3072).unwrap());
    }

    /// Zeros for "random": a salt is public, and blinding is not what is tested.
    struct Zeros;

    impl RngCore for Zeros {
        fn next_u32(&mut self) -> u32 {
            0
        }

        fn next_u64(&mut self) -> u64 {
            0
        }

        fn fill_bytes(&mut self, bytes: &mut [u8]) {
            bytes.fill(0);
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rsa::rand_core::Error> {
            bytes.fill(0);
            Ok(())
        }
    }

    impl CryptoRng for Zeros {}

    #[test]
    fn a_salt_of_another_length_is_refused_by_both() {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
        let private = RsaPrivateKey::from_pkcs8_der(der.as_ref()).unwrap();
        let public = PublicKeyComponents::<Vec<u8>>::from(pair.public_key());
        let here = RsaKey::parse(&public.n, &public.e).unwrap();
        let key = DecodingKey::from_rsa_raw_components(&public.n, &public.e);
        let there = Verifying::new(Algorithm::Ps256, key);
        let message = b"header.payload";
        for salt in [0, 20, 31, 32, 33, 222] {
            let scheme = Pss::new_with_salt::<Sha256>(salt);
            let signature = scheme.sign(Some(&mut Zeros), &private, &Sha256::digest(message)).unwrap();
            let verdicts = (
                there.verify(Algorithm::Ps256, message, &signature),
                here.verify(Algorithm::Ps256, message, &signature),
            );
            assert_eq!(verdicts, (salt == 32, salt == 32), "salt of {salt} bytes");
        }
    }
}
