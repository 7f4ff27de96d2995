//! Channels over time.

/// One kind of evidence over many requests, calibrated on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Signal {
    /// More requests to an endpoint than its clients make.
    Volume,
    /// More different objects than clients touch.
    Objects,
    /// Objects that are not there, or not theirs.
    Errors,
    /// Credentials refused, by device and network.
    Failures,
    /// More new clients of an endpoint that look alike, or more identities of one device.
    Spread,
    /// More bytes of responses than clients take.
    Exfiltration,
    /// Steps that come before this one nearly always, and did not.
    Sequence,
    /// A session from elsewhere, and what it does.
    Session,
    /// Steps of a session that rarely follow each other.
    Flow,
    /// More requests to an endpoint, or to all, than at this hour of the week.
    Surge,
}

impl Signal {
    /// Every signal.
    pub const ALL: [Self; 10] = [
        Self::Volume,
        Self::Objects,
        Self::Errors,
        Self::Failures,
        Self::Spread,
        Self::Exfiltration,
        Self::Sequence,
        Self::Session,
        Self::Flow,
        Self::Surge,
    ];

    /// Its name in a decision's `scores`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Volume => "volume",
            Self::Objects => "objects",
            Self::Errors => "errors",
            Self::Failures => "failures",
            Self::Spread => "spread",
            Self::Exfiltration => "exfiltration",
            Self::Sequence => "sequence",
            Self::Session => "session",
            Self::Flow => "flow",
            Self::Surge => "surge",
        }
    }
}
