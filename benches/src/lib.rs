//! What is measured: one API behind a typical configuration, and requests to it.

pub mod authorize;
pub mod figure;
pub mod fixture;
pub mod measure;
pub mod workload;
