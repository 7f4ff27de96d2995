//! Tokens alone. A token seen before is answered with the number of its answer, which `index.js` holds: no text crosses,
//! and nothing is made.

use std::cell::RefCell;
use std::io::Write as _;
use std::mem::MaybeUninit;
use std::rc::Rc;

use napi::bindgen_prelude::{BigInt, Either, External, FnArgs, Function};
use napi::{Env, Error, JsString, JsValue as _, Result, Status, sys};
use napi_derive::napi;
use zt_core::model::Identity;
use zt_core::verify::{Claims, Verified};
use zt_core::wire;

use crate::millis;

/// Answers that `index.js` holds, a power of two. The lower bits of a number are its place, the others count up, so that
/// what was held there before is not taken for it.
const PLACES: usize = 1 << 14;
/// What is read of a token without an allocation.
const AT_ONCE: usize = 4 << 10;
/// What an answer takes beside its claims, mostly.
const BESIDE_CLAIMS: usize = 512;

type Verify<'e> = Function<'e, FnArgs<(String, f64)>, Either<u32, String>>;

/// A verifier, and whose answers are held.
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
pub fn verifier(text: String, files: Vec<String>, seed: BigInt) -> Result<External<Rc<Tokens>>> {
    let instance = crate::instance(&text, files, seed)?;
    Ok(External::new(Rc::new(Tokens { instance, held: RefCell::new(vec![Held::default(); PLACES]) })))
}

/// A function of a token and the time, with the verifier inside: to check a handle would cost as much as to find a
/// repeated token. It answers with a number, or with the text of `Tokens::answer`.
///
/// # Errors
/// When Node.js cannot make one. The function's: when the token is not a string.
#[napi(catch_unwind)]
pub fn token_verifier<'e>(env: &'e Env, tokens: &External<Rc<Tokens>>) -> Result<Verify<'e>> {
    let tokens = Rc::clone(tokens);
    env.create_function_from_closure("verifyToken", move |call| {
        let (token, now) = (call.get(0)?, call.get(1)?);
        let verified = read(&token, |bytes| tokens.instance.verify_token(bytes, millis(now)))?;
        Ok(tokens.known(&verified).map_or_else(|number| Either::B(tokens.answer(&verified, number)), Either::A))
    })
}

/// Verifies a token: its answer, not to be held.
///
/// # Errors
/// When the token is not a string.
#[napi]
pub fn token_answer(tokens: &External<Rc<Tokens>>, token: JsString<'_>, now: f64) -> Result<String> {
    read(&token, |bytes| tokens.answer(&tokens.instance.verify_token(bytes, millis(now)), 0))
}

/// Replaces the key set of one issuer.
///
/// # Errors
/// When there is no such issuer, or no key of the set can be used; the old set stays in force then.
#[napi(catch_unwind)]
pub fn replace_token_keys(tokens: &External<Rc<Tokens>>, issuer: String, jwks: String) -> Result<()> {
    crate::checked(tokens.instance.replace_keys(&issuer, &jwks))
}

/// Revokes what a document is about.
///
/// # Errors
/// When the text is not a revocation.
#[napi(catch_unwind)]
pub fn revoke_token(tokens: &External<Rc<Tokens>>, revocation: String, now: f64) -> Result<()> {
    crate::checked(tokens.instance.revoke(&revocation, millis(now)))
}

impl Tokens {
    /// The number of the answer that is held, else the one under which it is to be held from now on; 0 is none.
    fn known(&self, verified: &Verified) -> std::result::Result<u32, u32> {
        // What nobody remembers is not met again.
        if !verified.claims.is_shared() || wire::accepted(verified).is_none() {
            return Err(0);
        }
        let json = verified.claims.json();
        // Addresses differ in their middle bits; a multiplication brings those to the top (Fibonacci hashing).
        let mixed = (json.as_ptr() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let place = (mixed >> (64 - PLACES.trailing_zeros())) as usize;
        let mut held = self.held.borrow_mut();
        let Some(held) = held.get_mut(place) else { return Err(0) };
        if held.claims.as_ref().is_some_and(|claims| std::ptr::eq(claims.json(), json)) {
            return Ok(held.number);
        }
        held.number = (held.number.wrapping_add(PLACES as u32) & !(PLACES as u32 - 1)) | place as u32;
        held.claims = Some(verified.claims.clone());
        Err(held.number)
    }

    /// Of a token that holds: this number, its principal, identity and claims as JSON, with NULs between, which JSON
    /// never has. Else the document alone.
    fn answer(&self, verified: &Verified, number: u32) -> String {
        let parts = wire::accepted(verified).and_then(|identity| parts(identity, &verified.claims, number));
        parts.unwrap_or_else(|| self.instance.token_document(verified))
    }
}

fn parts(identity: &Identity, claims: &Claims, number: u32) -> Option<String> {
    let claims = if claims.json().is_empty() { b"{}" } else { claims.json() };
    let mut text = Vec::with_capacity(BESIDE_CLAIMS + claims.len());
    write!(text, "{number}\0").ok()?;
    serde_json::to_writer(&mut text, &identity.principal).ok()?;
    text.push(0);
    serde_json::to_writer(&mut text, identity).ok()?;
    text.push(0);
    text.extend_from_slice(claims);
    String::from_utf8(text).ok()
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
