//! Content types that are read, by a byte of choices.

const KINDS: [&str; 6] = [
    "application/json",
    "application/x-ndjson",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=b",
    "text/plain",
    "application/json-seq",
];

/// By the three lowest bits; none for two of the eight.
pub fn chosen(byte: u8) -> Option<&'static str> {
    KINDS.get(usize::from(byte & 7)).copied()
}
