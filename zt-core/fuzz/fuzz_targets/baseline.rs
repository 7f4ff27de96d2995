//! Any bytes as a baseline: read or refused, never a panic; what is read is written as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zt_core::anomaly::{Baseline, Target};
use zt_core::base::envelope::Envelope;
use zt_core::model::Request;

const ENVELOPE: Envelope = Envelope { magic: b"ZTBL", version: 2 };

fuzz_target!(|bytes: &[u8]| {
    // As they are, and as the front of a body in an envelope that is sound, behind which all histograms are empty.
    let padded = [bytes, &[0; 6 * 512 * 4]].concat();
    for bytes in [bytes.to_vec(), ENVELOPE.seal(0, &padded)] {
        if let Ok(baseline) = Baseline::read(&bytes) {
            assert!(baseline.write() == bytes);
            let request = Request { path: "/a/1?b".into(), query: Some("c=d'".into()), ..Request::default() };
            let scored = baseline.score(&request, &Target::Path);
            assert!(scored.score.is_finite() && (0.0..=1.0).contains(&scored.share));
        }
    }
});
