//! How often?
