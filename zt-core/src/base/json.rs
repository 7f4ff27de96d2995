//! A strict JSON scanner that builds nothing.
