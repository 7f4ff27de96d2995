//! Which endpoint is this?
