//! The diagnostic words of instruments: what an instrument reports about its own reading, bit by bit, with names.
//!
//! A word is decoded for every row, so decoding is arithmetic on one number and allocates nothing; names are looked up
//! only on request. A condition either *fails* the readings of its row or only *informs*: a running heater is worth
//! knowing, but no reason to lose a value.
//!
//! | instrument | word | good | fails |
//! |---|---|---|---|
//! | `csat3` | 16 bits, flags in 15-12, or `INT(word / 4096)`, or a special value | no flag | any |
//! | `csat3a` | 6 bits (EC100 sonic: CSAT3A, IRGASON) | 0 | any |
//! | `csat3b` | 9 bits of 32 | 0, or bit 7 alone | any but 7 |
//! | `ec150` | 22 bits (EC100 gas: EC150, IRGASON) | bit 0 off | bit 0 |
//! | `li7500` | one byte, 1 = ok in bits 7-4, gain in 3-0 | 240-255 | any of 7-4 off |
//! | `li7200` | 13 bits, 1 = ok in bits 12-4, gain in 3-0 | 8176-8191 | any of 12 and 8-4 off |
//! | `li7700` | 16 bits, 1 = the condition holds | none that fails | 5, 8-11, 13-15 |
//!
//! Sources of the bits: CSAT3 manual tables 10-6, B-2, B-7 and B-8; CSAT3B manual table 8-5; EC150 and IRGASON manuals
//! tables 10-2 and 10-3; LI-7500 manual p. 3-36; LI-COR's page on LI-7700 data files, table 6-2; the bit order of the
//! LI-7200 as LI-COR's EddyPro reads it (`interpret_diagnostics.f90`). Sources of the column "fails": EasyFlux-DL
//! excludes sonic data on any bit and gas data on bit 0, which the EC150 sets while any of its faults is active;
//! EddyPro (`filter_dataset_for_diagnostics.f90`) excludes LI-7200 data on bits 12 and 8-5, LI-7700 data on the bits
//! above and LI-7500 data on bits 7-5. One rule is stricter here: a lost sync (bit 4) of the LI-7500 and LI-7200 fails
//! too, because the manual calls only 240 and above good. The LI-7200's thermocouples and auxiliary input (bits 11-9)
//! only inform, as in EddyPro.
//!
//! A missing word fails readings of every instrument, because nothing confirms the reading: an EC100 writes -1 or NAN
//! when it has no data, which EasyFlux-DL takes as all bits set, and a CSAT3 that does not answer yields NAN, 61502 or
//! -99999. (EddyPro would keep a LI-COR reading without its word.) A word needs a column of type LONG or IEEE4, because
//! FP2 ends at 7999.

mod conditions;

use conditions::{Condition, SHARED};

/// An instrument whose diagnostic word is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instrument {
    /// Campbell CSAT3 sonic anemometer.
    Csat3,
    /// The sonic half of an EC100: CSAT3A or IRGASON.
    Csat3a,
    /// Campbell CSAT3B: like a CSAT3A up to bit 4, with different bits above.
    Csat3b,
    /// The gas half of an EC100: EC150 or IRGASON.
    Ec150,
    /// LI-COR LI-7500, A, RS and DS.
    Li7500,
    /// LI-COR LI-7200 and RS.
    Li7200,
    /// LI-COR LI-7700.
    Li7700,
}

/// One word, decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decoded {
    instrument: Instrument,
    /// Bit n is condition n of the instrument; the two highest bits are [`SHARED`].
    raised: u32,
    /// The four gain bits of an LI-7500 or LI-7200.
    gain: Option<u8>,
}

/// The word is missing.
const NO_WORD: u32 = 1 << SHARED[0].0;
/// The value cannot be a diagnostic word.
const NOT_A_WORD: u32 = 1 << SHARED[1].0;

/// The first flag bit of a CSAT3's word. The four flags are conditions 0 to 3.
const CSAT3_FLAGS_AT: u32 = 12;
/// Bit 4 is the first condition of an LI-7500 and LI-7200; the bits below hold the gain.
const LICOR_CONDITIONS_AT: u32 = 4;

impl Instrument {
    const ALL: [Instrument; 7] = [
        Instrument::Csat3,
        Instrument::Csat3a,
        Instrument::Csat3b,
        Instrument::Ec150,
        Instrument::Li7500,
        Instrument::Li7200,
        Instrument::Li7700,
    ];

    /// The instrument that a configuration calls `name`.
    pub fn from_name(name: &str) -> Option<Instrument> {
        Self::ALL.into_iter().find(|instrument| instrument.name() == name)
    }

    /// Every name that [`Instrument::from_name`] knows.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.into_iter().map(Instrument::name)
    }

    /// The name that a configuration uses.
    pub const fn name(self) -> &'static str {
        match self {
            Instrument::Csat3 => "csat3",
            Instrument::Csat3a => "csat3a",
            Instrument::Csat3b => "csat3b",
            Instrument::Ec150 => "ec150",
            Instrument::Li7500 => "li7500",
            Instrument::Li7200 => "li7200",
            Instrument::Li7700 => "li7700",
        }
    }

    /// Decodes `word`. NaN is a missing word; every number has a result.
    ///
    /// A CSAT3's word up to 15 is taken as `INT(word / 4096)`, because Campbell's own example program stores that. A
    /// raw word so small would need all three wind components on the widest range at once (above 32 m/s, also upwards).
    #[inline]
    pub fn decode(self, word: f64) -> Decoded {
        let (raised, gain) = match whole(word) {
            Some(word) => self.decode_whole(word),
            None if word.is_nan() => (self.without_word(), None),
            None => (NOT_A_WORD, None),
        };
        Decoded { instrument: self, raised, gain }
    }

    fn decode_whole(self, word: i64) -> (u32, Option<u8>) {
        if word == -1 && matches!(self, Instrument::Csat3a | Instrument::Ec150) {
            return (self.without_word(), None);
        }
        if word == -99999 && self == Instrument::Csat3 {
            return (conditions::CSAT3_NOT_RESPONDING, None);
        }
        let Some(bits) = u32::try_from(word).ok().filter(|&bits| bits <= self.highest()) else {
            return (NOT_A_WORD, None);
        };
        match self {
            Instrument::Csat3 => (csat3(bits), None),
            Instrument::Csat3a | Instrument::Csat3b | Instrument::Ec150 | Instrument::Li7700 => (bits, None),
            Instrument::Li7500 | Instrument::Li7200 => {
                let gain = u8::try_from(bits & 0xF).ok();
                ((self.highest() & !bits) >> LICOR_CONDITIONS_AT, gain)
            }
        }
    }

    const fn highest(self) -> u32 {
        match self {
            Instrument::Csat3 | Instrument::Li7700 => 0xFFFF,
            Instrument::Csat3a => 0x3F,
            Instrument::Csat3b => 0x1FF,
            Instrument::Ec150 => 0x3F_FFFF,
            Instrument::Li7500 => 0xFF,
            Instrument::Li7200 => 0x1FFF,
        }
    }

    const fn without_word(self) -> u32 {
        match self {
            Instrument::Csat3a | Instrument::Ec150 => NO_WORD | self.highest(),
            _ => NO_WORD,
        }
    }

    const fn conditions(self) -> &'static [Condition] {
        match self {
            Instrument::Csat3 => &conditions::CSAT3,
            Instrument::Csat3a => &conditions::CSAT3A,
            Instrument::Csat3b => &conditions::CSAT3B,
            Instrument::Ec150 => &conditions::EC150,
            Instrument::Li7500 => &conditions::LI7500,
            Instrument::Li7200 => &conditions::LI7200,
            Instrument::Li7700 => &conditions::LI7700,
        }
    }

    const fn failing(self) -> u32 {
        const FAILING: [u32; 7] = [
            conditions::failing(&conditions::CSAT3),
            conditions::failing(&conditions::CSAT3A),
            conditions::failing(&conditions::CSAT3B),
            conditions::failing(&conditions::EC150),
            conditions::failing(&conditions::LI7500),
            conditions::failing(&conditions::LI7200),
            conditions::failing(&conditions::LI7700),
        ];
        FAILING[self as usize] | NO_WORD | NOT_A_WORD
    }
}

impl Decoded {
    /// Whether no condition fails the readings; conditions that only inform may hold.
    #[inline]
    pub const fn is_good(self) -> bool {
        self.raised & self.instrument.failing() == 0
    }

    /// The name of each condition that holds, both those that fail and those that inform.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        self.named(self.raised)
    }

    /// The names of the conditions that fail the readings.
    pub fn failures(self) -> impl Iterator<Item = &'static str> {
        self.named(self.raised & self.instrument.failing())
    }

    /// The names of the conditions that only inform.
    pub fn notices(self) -> impl Iterator<Item = &'static str> {
        self.named(self.raised & !self.instrument.failing())
    }

    /// The gain of an LI-7500 or LI-7200 in percent: its four bits × 100/15. None for other instruments and for a
    /// missing word.
    ///
    /// It is either the AGC, which rises as windows get dirty, or the signal strength, which falls; a setting of the
    /// instrument decides which. EddyPro uses this factor (6.6667) for instrument software from 5.3.0 on, and bits ×
    /// 6.25 + 6.25 before.
    pub fn agc_percent(self) -> Option<f64> {
        self.gain.map(|gain| f64::from(gain) * 100.0 / 15.0)
    }

    fn named(self, bits: u32) -> impl Iterator<Item = &'static str> {
        let own = self.instrument.conditions().iter().map(|condition| condition.name);
        let shared = SHARED.into_iter().filter(move |(at, _)| bits >> at & 1 == 1).map(|(_, name)| name);
        shared.chain(own.enumerate().filter(move |(at, _)| bits >> at & 1 == 1).map(|(_, name)| name))
    }
}

/// The whole number of a word. None for a fraction, an infinity and NaN.
#[allow(clippy::cast_possible_truncation, reason = "a whole number outside i64 saturates, which no word is")]
fn whole(word: f64) -> Option<i64> {
    (word.fract() == 0.0).then_some(word as i64)
}

fn csat3(word: u32) -> u32 {
    match word {
        0..=15 => word,
        61440 => conditions::CSAT3_LOST_TRIGGER,
        61441 => conditions::CSAT3_SDM_ERROR,
        61442 => conditions::CSAT3_WRONG_CODE,
        61502 => conditions::CSAT3_NOT_RESPONDING,
        61503 => conditions::CSAT3_NO_DATA,
        _ => word >> CSAT3_FLAGS_AT,
    }
}

#[cfg(test)]
mod tests;
