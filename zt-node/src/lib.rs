//! proto
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use napi::bindgen_prelude::*;
use napi_derive::napi;
use zt_core::model::Decision;
use zt_core::wire;
/// x
pub struct Handle { instance: wire::Instance, last: RefCell<Option<Decision>> }
/// x
#[napi]
pub fn from_toml(text: String) -> Result<External<Handle>> {
    let instance = wire::Instance::from_toml(&text, &[]).map_err(Error::from_reason)?;
    Ok(External::new(Handle { instance, last: RefCell::new(None) }))
}
fn run(handle: &Handle, fields: &str, count: u32, body: Option<&[u8]>, now: f64) -> Decision {
    let now = now as i64;
    let read = wire::Read { bytes: body, length: body.map(|b| b.len() as u64) };
    let d = catch_unwind(AssertUnwindSafe(|| handle.instance.decide_fields(fields, count as usize, read, now)));
    match d { Ok(Ok(d)) => d, _ => wire::panic_decision("", now) }
}
/// noop
#[napi]
pub fn noop(_handle: &External<Handle>) -> u32 { 1 }
/// str
#[napi]
pub fn take_string(_handle: &External<Handle>, fields: String) -> u32 { fields.len() as u32 }
/// str
#[napi]
pub fn take_utf8(_handle: &External<Handle>, fields: JsString) -> Result<u32> { let f = fields.into_utf8()?; Ok(f.as_str()?.len() as u32) }
/// str
#[napi]
pub fn take_buf(_handle: &External<Handle>, fields: &[u8]) -> u32 { fields.len() as u32 }
/// verdict only
#[napi]
pub fn decide(handle: &External<Handle>, fields: String, count: u32, body: Option<&[u8]>, now: f64) -> u32 {
    let d = run(handle, &fields, count, body, now);
    let v = (u32::from(d.status) << 1) | u32::from(d.passes());
    *handle.last.borrow_mut() = Some(d);
    v
}
/// text
#[napi]
pub fn document(handle: &External<Handle>) -> String {
    handle.last.borrow().as_ref().and_then(|d| serde_json::to_string(d).ok()).unwrap_or_default()
}
/// external
#[napi]
pub fn decide_external(handle: &External<Handle>, fields: String, count: u32, body: Option<&[u8]>, now: f64) -> External<Decision> {
    External::new(run(handle, &fields, count, body, now))
}
/// direct text
#[napi]
pub fn decide_text(handle: &External<Handle>, fields: String, count: u32, body: Option<&[u8]>, now: f64) -> String {
    serde_json::to_string(&run(handle, &fields, count, body, now)).unwrap_or_default()
}
