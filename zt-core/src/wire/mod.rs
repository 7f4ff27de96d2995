//! JSON text in, JSON text out.
