//! Every kind of evidence, of single requests and of behaviour.

use super::behaviour::Signal;
use super::kind::Channel;

/// One kind of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Evidence {
    /// In the request itself.
    Request(Channel),
    /// In what its client does over time.
    Behaviour(Signal),
}

impl Evidence {
    /// Its name in a decision's `scores`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request(channel) => channel.as_str(),
            Self::Behaviour(signal) => signal.as_str(),
        }
    }
}

impl From<Channel> for Evidence {
    fn from(channel: Channel) -> Self {
        Self::Request(channel)
    }
}

impl From<Signal> for Evidence {
    fn from(signal: Signal) -> Self {
        Self::Behaviour(signal)
    }
}
