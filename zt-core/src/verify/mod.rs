//! Who is this, and how was it proven?
mod algorithm;
mod curve;
mod signature;
