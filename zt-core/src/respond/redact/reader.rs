//! A JSON reader (RFC 8259) that is fed in pieces, cut anywhere: a pushdown automaton over bytes.
//!
//! It keeps one bit for each open container and the state of the token that a piece ended in; it never recurses and
//! never allocates.

use super::Unreadable;
use super::number::Number;
use super::text::Utf8;

/// Containers inside each other.
pub(super) const DEPTH_MAX: u32 = 128;

/// What the bytes that were read say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// Nothing that matters.
    None,
    /// The last byte opens an object or array.
    Open,
    /// The last byte is the first of another value.
    Begin,
    /// A value that opens nothing ends with the last byte.
    End,
    /// The last byte closes an object or array.
    Close,
    /// A member name begins behind the last byte.
    Name,
    /// Bytes of a member name, as they are meant.
    Part,
    /// A character of a member name that was written as an escape.
    Character(char),
    /// A member name ends with the last byte.
    Named,
}

/// Where it is in the text.
#[derive(Clone, Copy, Debug)]
enum State {
    /// A value has to come.
    Value,
    /// The first element of an array, or its end.
    Element,
    /// The first member of an object, or its end.
    Member,
    /// A member name has to come.
    Name,
    Colon,
    /// After a value in a container.
    After,
    /// After the value of the text.
    Behind,
    Text(Utf8),
    Escape,
    /// Digits of `\u` that are missing, and those that were.
    Unit(u8, u32),
    /// After the first half of a surrogate pair in a name: `\` and `u` that are missing.
    Half(u8),
    Number(Number),
    Literal(&'static [u8]),
}

/// How many values a text has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// None: not a byte.
    Empty,
    /// One, or nothing at all.
    Document,
    /// Any number, with white space between them (JSON lines), or the separator of RFC 7464.
    Sequence,
}

#[derive(Clone, Debug)]
pub(super) struct Reader {
    form: Form,
    state: State,
    /// One bit for each open container, the innermost lowest: whether it is an object.
    objects: u128,
    depth: u32,
    /// Whether the text that is read is a name.
    naming: bool,
    /// The first half of a surrogate pair in a name.
    high: u32,
    /// Whether a value has begun.
    begun: bool,
}

type Read = Result<(usize, Event), Unreadable>;

impl Reader {
    pub(super) fn new(form: Form) -> Self {
        Self { form, state: State::Value, objects: 0, depth: 0, naming: false, high: 0, begun: false }
    }

    /// Open containers.
    pub(super) fn depth(&self) -> u32 {
        self.depth
    }

    /// Reads to the first bytes of `rest` that say something: how many in all, and what. A number ends before the byte
    /// that follows it.
    pub(super) fn read(&mut self, rest: &[u8]) -> Read {
        let mut at = 0_usize;
        loop {
            let (read, event) = self.step(rest.get(at..).unwrap_or_default())?;
            at = at.saturating_add(read);
            if event != Event::None || at == rest.len() {
                return Ok((at, event));
            }
        }
    }

    #[inline(always)]
    fn step(&mut self, rest: &[u8]) -> Read {
        match self.state {
            State::Text(utf8) => self.text(utf8, rest),
            State::Escape => self.escape(first(rest)?),
            State::Unit(missing, unit) => self.unit(missing, unit, first(rest)?),
            State::Half(missing) => match (missing, first(rest)?) {
                (2, b'\\') => self.go(State::Half(1)),
                (1, b'u') => self.go(State::Unit(4, 0)),
                _ => Err(Unreadable::Malformed),
            },
            State::Number(number) => self.number(number, rest),
            State::Literal(missing) => match missing.split_first() {
                Some((wanted, missing)) if *wanted == first(rest)? => match missing {
                    [] => self.ended(1, Event::End),
                    missing => self.go(State::Literal(missing)),
                },
                _ => Err(Unreadable::Malformed),
            },
            _ => self.structure(rest),
        }
    }

    /// Whether the text may end here.
    pub(super) fn finish(&self) -> Result<(), Unreadable> {
        let whole = match self.state {
            State::Behind => true,
            State::Value => self.depth == 0 && (!self.begun || self.form == Form::Sequence),
            State::Number(number) => self.depth == 0 && number.is_whole(),
            _ => false,
        };
        if whole { Ok(()) } else { Err(Unreadable::Cut) }
    }

    #[inline(always)]
    fn structure(&mut self, rest: &[u8]) -> Read {
        let byte = first(rest)?;
        if byte <= b' ' {
            let separator = |byte: u8| byte == 0x1e && self.depth == 0 && self.form == Form::Sequence;
            let space = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t') || separator(*byte);
            let spaces = rest.iter().position(|byte| !space(byte)).unwrap_or(rest.len());
            if spaces == 0 {
                return Err(Unreadable::Malformed);
            }
            if matches!(self.state, State::Behind) && self.form == Form::Sequence {
                self.state = State::Value;
            }
            if self.form == Form::Empty {
                return Err(Unreadable::Trailing);
            }
            return Ok((spaces, Event::None));
        }
        match (self.state, byte) {
            (State::Element, b']') | (State::Member, b'}') => self.close(),
            (State::Value | State::Element, byte) => self.value(byte),
            (State::Member | State::Name, b'"') => {
                self.naming = true;
                self.state = State::Text(Utf8::default());
                Ok((1, Event::Name))
            }
            (State::Colon, b':') => self.go(State::Value),
            (State::After, b',') => self.go(if self.in_object() { State::Name } else { State::Value }),
            (State::After, b'}') if self.in_object() => self.close(),
            (State::After, b']') if !self.in_object() => self.close(),
            (State::Behind, _) => Err(Unreadable::Trailing),
            _ => Err(Unreadable::Malformed),
        }
    }

    fn value(&mut self, byte: u8) -> Read {
        if self.form == Form::Empty {
            return Err(Unreadable::Trailing);
        }
        self.begun = true;
        let state = match byte {
            b'{' | b'[' => return self.open(byte == b'{'),
            b'"' => {
                self.naming = false;
                State::Text(Utf8::default())
            }
            b't' => State::Literal(b"rue"),
            b'f' => State::Literal(b"alse"),
            b'n' => State::Literal(b"ull"),
            byte => State::Number(Number::first(byte).ok_or(Unreadable::Malformed)?),
        };
        self.state = state;
        Ok((1, Event::Begin))
    }

    fn open(&mut self, object: bool) -> Read {
        if self.depth == DEPTH_MAX {
            return Err(Unreadable::TooDeep);
        }
        self.depth = self.depth.saturating_add(1);
        self.objects = self.objects << 1 | u128::from(object);
        self.state = if object { State::Member } else { State::Element };
        Ok((1, Event::Open))
    }

    fn close(&mut self) -> Read {
        self.depth = self.depth.saturating_sub(1);
        self.objects >>= 1;
        self.ended(1, Event::Close)
    }

    pub(super) fn in_object(&self) -> bool {
        self.objects & 1 == 1
    }

    fn go(&mut self, state: State) -> Read {
        self.state = state;
        Ok((1, Event::None))
    }

    /// A value has ended.
    fn ended(&mut self, read: usize, event: Event) -> Read {
        self.state = if self.depth == 0 { State::Behind } else { State::After };
        Ok((read, event))
    }

    fn number(&mut self, number: Number, rest: &[u8]) -> Read {
        let (read, number) = number.read(rest)?;
        if read == rest.len() {
            self.state = State::Number(number);
            return Ok((read, Event::None));
        }
        if number.is_whole() { self.ended(read, Event::End) } else { Err(Unreadable::Malformed) }
    }

    fn text(&mut self, utf8: Utf8, rest: &[u8]) -> Read {
        let (read, utf8) = utf8.read(rest)?;
        self.state = State::Text(utf8);
        let part = if self.naming { Event::Part } else { Event::None };
        match rest.get(read) {
            None => Ok((read, part)),
            // The part of a name that stands before its end is handed out on its own.
            Some(_) if self.naming && read > 0 => Ok((read, part)),
            Some(b'"') if self.naming => {
                self.state = State::Colon;
                Ok((1, Event::Named))
            }
            Some(b'"') => self.ended(read.saturating_add(1), Event::End),
            Some(b'\\') => {
                self.state = State::Escape;
                Ok((read.saturating_add(1), Event::None))
            }
            Some(_) => Err(Unreadable::Malformed),
        }
    }

    fn escape(&mut self, byte: u8) -> Read {
        let meant = match byte {
            b'u' => return self.go(State::Unit(4, 0)),
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            _ => return Err(Unreadable::Malformed),
        };
        self.character(meant)
    }

    fn unit(&mut self, missing: u8, unit: u32, byte: u8) -> Read {
        let digit = char::from(byte).to_digit(16).ok_or(Unreadable::Malformed)?;
        let unit = unit << 4 | digit;
        if missing > 1 {
            return self.go(State::Unit(missing.saturating_sub(1), unit));
        }
        // Programs cut texts within a pair, and write the half that is left: of a value it does no harm, but what a
        // name with a half means, parsers do not agree on.
        match (unit, std::mem::take(&mut self.high)) {
            _ if !self.naming => self.go(State::Text(Utf8::default())),
            (0xd800..=0xdbff, 0) => {
                self.high = unit;
                self.go(State::Half(2))
            }
            (0xdc00..=0xdfff, high) if high != 0 => {
                let point = 0x1_0000_u32.saturating_add((high & 0x3ff) << 10 | unit & 0x3ff);
                self.character(char::from_u32(point).ok_or(Unreadable::Malformed)?)
            }
            (unit, 0) => self.character(char::from_u32(unit).ok_or(Unreadable::Malformed)?),
            _ => Err(Unreadable::Malformed),
        }
    }

    fn character(&mut self, meant: char) -> Read {
        self.state = State::Text(Utf8::default());
        Ok((1, if self.naming { Event::Character(meant) } else { Event::None }))
    }
}

fn first(rest: &[u8]) -> Result<u8, Unreadable> {
    rest.first().copied().ok_or(Unreadable::Cut)
}
