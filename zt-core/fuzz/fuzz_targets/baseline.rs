//! Any bytes as a baseline: read or refused, never a panic; what is read is written as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zt_core::anomaly::{Baseline, Detector, LIMIT_BUDGET, Target};
use zt_core::base::envelope::Envelope;
use zt_core::model::{Outcome, Request};

/// Behind the counts there are no norms, nothing was accepted, all histograms are empty, and nothing is known of what clients do.
const NOTHING: usize = 3 * 8 + 7 * 512 * 4 + 1;

/// Of the version that is written.
fn envelope() -> Envelope {
    let written = Baseline::new(1).write();
    Envelope { magic: b"ZTBL", version: u16::from_le_bytes([written[4], written[5]]) }
}

fuzz_target!(|bytes: &[u8]| {
    // As they are, and in an envelope that is sound: as a whole body, and as the front of one.
    let padded = [bytes, &[0; NOTHING]].concat();
    let envelope = envelope();
    for bytes in [bytes.to_vec(), envelope.seal(0, bytes), envelope.seal(0, &padded)] {
        if let Ok(baseline) = Baseline::read(&bytes) {
            assert!(baseline.write() == bytes);
            let request = Request { path: "/a/1?b".into(), query: Some("c=d'".into()), ..Request::default() };
            let scored = baseline.score(&request, &Target::Path);
            assert!(scored.score.is_finite() && (0.0..=1.0).contains(&scored.share));
            baseline.rates(LIMIT_BUDGET);
            let detector = Detector::new(baseline, 0.01);
            for now in [0, 1_772_446_530_000] {
                let judged = detector.judge(&request, &Target::Path, None, now);
                assert!(judged.score.is_finite() && (0.0..=1.0).contains(&judged.share));
                detector.concluded("a", &judged, Outcome::Allow, true);
            }
            assert!(Baseline::read(&detector.baseline().write()).is_ok());
        }
    }
});
