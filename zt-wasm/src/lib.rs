//! stub
use wasm_bindgen::prelude::*;
/// stub
#[wasm_bindgen]
pub fn schemas() -> String { zt_core::model::schemas().iter().map(|(n, s)| format!("{n}{s:?}")).collect() }
