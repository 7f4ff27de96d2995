//! Who is this, and how was it proven?
