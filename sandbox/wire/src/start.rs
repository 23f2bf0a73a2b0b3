//! The first message: the module and how to call it; and the worker's answer.

use crate::abi::{
    ALIGN, MAX_FUEL, MAX_MEMORY_BYTES, MAX_MODULE_BYTES, MAX_ROWS, MAX_VALUES, MIN_IN_CAP, PAGE_BYTES, row_bytes,
};
use crate::batch::MAX_BATCH_UNITS;
use crate::cursor::Cursor;
use crate::message::{KIND_READY, KIND_REFUSED, KIND_START, MAX_MESSAGE_BYTES, begin, finish};
use crate::results::MAX_TRAP_BYTES;
use crate::{SlotLayout, WireError};

/// Version of this contract; a worker refuses any other.
pub const PROTOCOL: u32 = 1;

/// A part of the guest's memory, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    /// Where it starts.
    pub at: u32,
    /// How long it is.
    pub cap: u32,
}

impl Area {
    /// One past the last byte.
    #[must_use]
    pub const fn end(self) -> u64 {
        self.at as u64 + self.cap as u64
    }

    const fn overlaps(self, other: Self) -> bool {
        (self.at as u64) < other.end() && (other.at as u64) < self.end()
    }
}

/// How every unit of a job is run: all numbers are public, read from the module's code or from the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// Fuel of one call, the only thing that cuts a guest off.
    pub fuel: u64,
    /// Most rows that a call may return.
    pub max_rows: u32,
    /// Values in an output row.
    pub values: u32,
    /// Bytes of the guest's memory.
    pub memory_bytes: u32,
    /// Where the frame is written.
    pub input: Area,
    /// Where the guest writes its rows.
    pub output: Area,
    /// Where the guest writes its log, when it has one.
    pub log: Option<Area>,
    /// Whether fuel used, trap text and log come back: only for local runs on synthetic rows.
    pub trace: bool,
}

impl Call {
    /// Checks every number against its limit and the areas against the memory and each other.
    ///
    /// # Errors
    /// [`WireError::Field`] with the name of the first field that is wrong.
    pub fn check(&self) -> Result<(), WireError> {
        let fields = [
            ("fuel", self.fuel > 0 && self.fuel <= MAX_FUEL),
            ("max_rows", self.max_rows > 0 && self.max_rows <= MAX_ROWS),
            ("values", self.values <= MAX_VALUES),
            ("memory_bytes", self.memory_bytes > 0 && self.memory_bytes <= MAX_MEMORY_BYTES),
            ("memory_bytes", self.memory_bytes.is_multiple_of(PAGE_BYTES)),
            ("input", self.holds(self.input) && self.input.cap >= MIN_IN_CAP),
            ("output", self.holds(self.output) && !self.output.overlaps(self.input)),
            ("output", u64::from(self.max_rows).saturating_mul(row_bytes(self.values)) <= u64::from(self.output.cap)),
            (
                "log",
                self.log.is_none_or(|log| self.holds(log) && !log.overlaps(self.input) && !log.overlaps(self.output)),
            ),
        ];
        fields.iter().find(|(_, good)| !good).map_or(Ok(()), |&(field, _)| Err(WireError::Field { field }))
    }

    const fn holds(&self, area: Area) -> bool {
        area.at > 0 && area.at.is_multiple_of(ALIGN) && area.cap > 0 && area.end() <= self.memory_bytes as u64
    }

    /// The shape of each unit's result.
    #[must_use]
    pub const fn slot(&self) -> SlotLayout {
        SlotLayout { max_rows: self.max_rows, values: self.values }
    }

    /// Most units in one batch, so that neither the batch nor its results can be over the message cap, whatever is in
    /// them.
    #[must_use]
    pub fn batch_units(&self) -> usize {
        let frame = 4 + self.input.cap as usize;
        let trace = if self.trace { 16 + MAX_TRAP_BYTES + self.log.map_or(0, |log| log.cap as usize) } else { 0 };
        let unit = frame.max(self.slot().bytes().saturating_add(trace));
        ((MAX_MESSAGE_BYTES - 64) / unit).clamp(1, MAX_BATCH_UNITS)
    }
}

/// What a worker is told first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start<'a> {
    /// The guest: a core module in binary form.
    pub module: &'a [u8],
    /// How to call it.
    pub call: Call,
}

impl<'a> Start<'a> {
    /// Appends the message to `out`.
    ///
    /// # Errors
    /// As [`Self::decode`]; `out` then may hold part of a message.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        self.check()?;
        let at = begin(out, KIND_START);
        let Call { fuel, max_rows, values, memory_bytes, input, output, log, trace } = self.call;
        let has_log = u32::from(log.is_some());
        let log = log.unwrap_or(Area { at: 0, cap: 0 });
        let words = [PROTOCOL, u32::from(trace), has_log, max_rows, values, memory_bytes]
            .into_iter()
            .chain([input, output, log].into_iter().flat_map(|area| [area.at, area.cap]));
        out.extend(words.flat_map(u32::to_le_bytes));
        out.extend_from_slice(&fuel.to_le_bytes());
        out.extend_from_slice(self.module);
        finish(out, at)
    }

    /// Reads the body of a start message.
    ///
    /// # Errors
    /// Any [`WireError`] but `Io`, when the body is not exactly what [`Self::encode`] writes.
    pub fn decode(body: &'a [u8]) -> Result<Self, WireError> {
        let mut from = Cursor::new(body);
        from.kind(KIND_START)?;
        if from.u32()? != PROTOCOL {
            return Err(WireError::Field { field: "protocol" });
        }
        let trace = word_flag(from.u32()?, "trace")?;
        let has_log = word_flag(from.u32()?, "log")?;
        let (max_rows, values, memory_bytes) = (from.u32()?, from.u32()?, from.u32()?);
        let mut area = || Ok::<_, WireError>(Area { at: from.u32()?, cap: from.u32()? });
        let (input, output, log) = (area()?, area()?, area()?);
        if !has_log && log != (Area { at: 0, cap: 0 }) {
            return Err(WireError::Field { field: "log" });
        }
        let fuel = from.u64()?;
        let log = has_log.then_some(log);
        let call = Call { fuel, max_rows, values, memory_bytes, input, output, log, trace };
        let start = Self { module: from.rest(), call };
        start.check()?;
        Ok(start)
    }

    fn check(&self) -> Result<(), WireError> {
        let len = self.module.len();
        if len > MAX_MODULE_BYTES {
            return Err(WireError::TooLong { len, most: MAX_MODULE_BYTES });
        }
        self.call.check()
    }
}

const fn word_flag(word: u32, field: &'static str) -> Result<bool, WireError> {
    match word {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(WireError::Field { field }),
    }
}

/// Why a worker will not run a module. Says nothing of any data: no data has arrived yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartRefusal {
    /// The compiler does not take the module.
    Compile,
    /// The module's memory or exports are not those that [`Call`] tells of.
    Shape,
    /// No instance of the module can be made: its initialisation traps or needs more than the worker gives.
    Instantiate,
}

impl StartRefusal {
    const ALL: [(u8, Self); 3] = [(1, Self::Compile), (2, Self::Shape), (3, Self::Instantiate)];

    fn code(self) -> u8 {
        Self::ALL.iter().find(|(_, refusal)| *refusal == self).map_or(0, |(code, _)| *code)
    }
}

/// A worker's answer to [`Start`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The module is compiled; batches may come.
    Ready,
    /// It will not be run; the worker ends.
    Refused(StartRefusal),
}

impl Reply {
    /// Appends the message to `out`.
    ///
    /// # Errors
    /// None in practice: the message is far below the cap.
    pub fn encode(self, out: &mut Vec<u8>) -> Result<(), WireError> {
        let at = match self {
            Self::Ready => begin(out, KIND_READY),
            Self::Refused(refusal) => {
                let at = begin(out, KIND_REFUSED);
                out.push(refusal.code());
                at
            }
        };
        finish(out, at)
    }

    /// Reads the body of an answer.
    ///
    /// # Errors
    /// Any [`WireError`] but `Io`, when the body is not exactly what [`Self::encode`] writes.
    pub fn decode(body: &[u8]) -> Result<Self, WireError> {
        let mut from = Cursor::new(body);
        if body.first() == Some(&KIND_READY) {
            from.kind(KIND_READY)?;
            from.end()?;
            return Ok(Self::Ready);
        }
        from.kind(KIND_REFUSED)?;
        let code = from.u8()?;
        from.end()?;
        let found = StartRefusal::ALL.iter().find(|(known, _)| *known == code);
        found.map(|&(_, refusal)| Self::Refused(refusal)).ok_or(WireError::Field { field: "refusal" })
    }
}
