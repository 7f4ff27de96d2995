//! Tokens alone. A token seen before is answered with the number of its document, which `index.js` holds: no document
//! crosses, and nothing is made.

use std::cell::RefCell;
use std::mem::MaybeUninit;

use napi::bindgen_prelude::{BigInt, Either, External};
use napi::{Error, JsString, JsValue as _, Result, Status, sys};
use napi_derive::napi;
use zt_core::verify::{Claims, Verified};
use zt_core::wire;

use crate::millis;

/// Documents that `index.js` holds, a power of two. The lower bits of a number are its place, the others count up, so
/// that what was held there before is not taken for it.
const PLACES: usize = 1 << 14;
/// What is read of a token without an allocation.
const AT_ONCE: usize = 4 << 10;

/// A verifier, and whose documents are held.
pub struct Tokens {
    instance: wire::Instance,
    held: RefCell<Vec<Held>>,
}

#[derive(Clone, Default)]
struct Held {
    /// Held here, so that their address is not given to those of another token.
    claims: Option<Claims>,
    number: u32,
}

/// Compiles a configuration for its `[verify]` part.
///
/// # Errors
/// Every mistake, one a line.
#[napi(catch_unwind)]
pub fn verifier(text: String, files: Vec<String>, seed: BigInt) -> Result<External<Tokens>> {
    let instance = crate::instance(&text, files, seed)?;
    Ok(External::new(Tokens { instance, held: RefCell::new(vec![Held::default(); PLACES]) }))
}

/// Verifies a token: the number of its document, or the document, with its number in decimal before it when it is to
/// be held.
///
/// # Errors
/// When the token is not a string.
#[napi]
pub fn verify_token(tokens: &External<Tokens>, token: JsString<'_>, now: f64) -> Result<Either<u32, String>> {
    let verified = read(&token, |bytes| tokens.instance.verify_token(bytes, millis(now)))?;
    let document = || tokens.instance.token_document(&verified);
    if wire::accepted(&verified).is_none() {
        return Ok(Either::B(document()));
    }
    let (place, mut held) = (place(&verified), tokens.held.borrow_mut());
    let Some(held) = held.get_mut(place) else { return Ok(Either::B(document())) };
    if held.claims.as_ref().is_some_and(|claims| std::ptr::eq(claims.json(), verified.claims.json())) {
        return Ok(Either::A(held.number));
    }
    held.number = (held.number.wrapping_add(PLACES as u32) & !(PLACES as u32 - 1)) | place as u32;
    held.claims = Some(verified.claims.clone());
    Ok(Either::B(format!("{}{}", held.number, document())))
}

/// Verifies a token: its document, not to be held.
///
/// # Errors
/// When the token is not a string.
#[napi]
pub fn token_document(tokens: &External<Tokens>, token: JsString<'_>, now: f64) -> Result<String> {
    read(&token, |bytes| tokens.instance.token_document(&tokens.instance.verify_token(bytes, millis(now))))
}

/// Replaces the key set of one issuer.
///
/// # Errors
/// When there is no such issuer, or no key of the set can be used; the old set stays in force then.
#[napi(catch_unwind)]
pub fn replace_token_keys(tokens: &External<Tokens>, issuer: String, jwks: String) -> Result<()> {
    crate::checked(tokens.instance.replace_keys(&issuer, &jwks))
}

/// Revokes what a document is about.
///
/// # Errors
/// When the text is not a revocation.
#[napi(catch_unwind)]
pub fn revoke_token(tokens: &External<Tokens>, revocation: String, now: f64) -> Result<()> {
    crate::checked(tokens.instance.revoke(&revocation, millis(now)))
}

fn place(verified: &Verified) -> usize {
    // Addresses differ in their middle bits; a multiplication brings those to the top (Fibonacci hashing).
    let address = verified.claims.json().as_ptr() as u64;
    (address.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - PLACES.trailing_zeros())) as usize
}

/// The bytes of a string, on the stack where they fit.
#[expect(
    unsafe_code,
    reason = "napi offers no way to read a string into memory that is there already; one costs half a verification"
)]
pub(crate) fn read<T>(text: &JsString<'_>, then: impl FnOnce(&[u8]) -> T) -> Result<T> {
    let mut bytes = [MaybeUninit::<u8>::uninit(); AT_ONCE];
    let mut length = 0;
    let value = text.value();
    // SAFETY: both handles are of the present call; at most `AT_ONCE` bytes are written, the last of them a NUL.
    let status = unsafe {
        sys::napi_get_value_string_utf8(value.env, value.value, bytes.as_mut_ptr().cast(), AT_ONCE, &raw mut length)
    };
    if status != sys::Status::napi_ok {
        return Err(Error::new(Status::StringExpected, "expected a string"));
    }
    // A longer one is cut, at most a character before the end.
    if length + 4 >= AT_ONCE {
        return Ok(then((*text).into_utf8()?.as_slice()));
    }
    // SAFETY: so many bytes were written.
    Ok(then(unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast(), length) }))
}
