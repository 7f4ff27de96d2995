//! Is the input hostile or out of shape?
