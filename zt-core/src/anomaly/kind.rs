//! What is looked at in a request, and which channel it speaks in.

/// One kind of element: a thing that can be more or less usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Kind {
    /// Method and template, in the service.
    Endpoint,
    /// The set of parameter names, of an endpoint.
    Names,
    /// One parameter's name, of an endpoint.
    Name,
    /// The set of header names, of an endpoint.
    Headers,
    /// Steps from one class of characters to the next, of a value.
    Steps,
    /// The row of classes, of a value.
    Shape,
    /// Length, of a value.
    Length,
    /// The whole value.
    Whole,
    /// Steps, of any value of the service.
    Symbols,
    /// What a body is, with a method, in the service: none, a form, a JSON object.
    Body,
}

impl Kind {
    pub(super) const ALL: [Self; 10] = [
        Self::Endpoint,
        Self::Names,
        Self::Name,
        Self::Headers,
        Self::Steps,
        Self::Shape,
        Self::Length,
        Self::Whole,
        Self::Symbols,
        Self::Body,
    ];

    /// Whether it is compared with what all endpoints have in common.
    pub(super) const fn is_of_service(self) -> bool {
        matches!(self, Self::Endpoint | Self::Symbols | Self::Body)
    }

    pub(super) const fn channel(self) -> Channel {
        match self {
            Self::Endpoint => Channel::Endpoint,
            Self::Name => Channel::Parameter,
            Self::Names | Self::Body => Channel::Structure,
            Self::Headers => Channel::Headers,
            Self::Steps | Self::Shape | Self::Length | Self::Whole | Self::Symbols => Channel::Value,
        }
    }
}

/// One kind of evidence, calibrated on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Channel {
    /// An endpoint that was not called before.
    Endpoint,
    /// A parameter that the endpoint did not have before.
    Parameter,
    /// Parameters that did not come together before.
    Structure,
    /// Headers that did not come together before.
    Headers,
    /// A value unlike those before it.
    Value,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 5] = [Self::Endpoint, Self::Parameter, Self::Structure, Self::Headers, Self::Value];

    /// Its name in a decision's `scores`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Endpoint => "endpoint",
            Self::Parameter => "parameter",
            Self::Structure => "structure",
            Self::Headers => "headers",
            Self::Value => "value",
        }
    }
}
