//! The conditions that an instrument's diagnostic word can report. Position n in a list is bit n of what `decode`
//! raises.

/// One condition.
#[derive(Debug, Clone, Copy)]
pub(super) struct Condition {
    pub(super) name: &'static str,
    /// Whether the condition makes the readings of its row unusable.
    pub(super) fails: bool,
}

const fn fails(name: &'static str) -> Condition {
    Condition { name, fails: true }
}

const fn informs(name: &'static str) -> Condition {
    Condition { name, fails: false }
}

/// Conditions that exist for every instrument, with their bits. Both make readings unusable.
pub(super) const SHARED: [(u32, &str); 2] = [(30, "no diagnostic word"), (31, "not a diagnostic word")];

/// The bits of the `conditions` that fail readings.
pub(super) const fn failing(conditions: &[Condition]) -> u32 {
    let (mut bits, mut at) = (0, 0);
    while at < conditions.len() {
        if conditions[at].fails {
            bits |= 1 << at;
        }
        at += 1;
    }
    bits
}

pub(super) const CSAT3_LOST_TRIGGER: u32 = 1 << 4;
pub(super) const CSAT3_SDM_ERROR: u32 = 1 << 5;
pub(super) const CSAT3_WRONG_CODE: u32 = 1 << 6;
pub(super) const CSAT3_NOT_RESPONDING: u32 = 1 << 7;
pub(super) const CSAT3_NO_DATA: u32 = 1 << 8;

/// Four flags (bits 12 to 15 of the word), then the special values. In a special value all four flag bits are set, and
/// they mean none of the four flags.
pub(super) static CSAT3: [Condition; 9] = [
    fails("amplitude low"),
    fails("amplitude high"),
    fails("signal lock"),
    fails("delta-T"),
    fails("lost trigger"),
    fails("SDM error"),
    fails("wrong embedded code"),
    fails("not responding"),
    fails("no data"),
];

pub(super) static CSAT3A: [Condition; 6] = [
    fails("amplitude low"),
    fails("amplitude high"),
    fails("signal lock"),
    fails("delta-T"),
    fails("acquiring signals"),
    fails("calibration signature"),
];

pub(super) static CSAT3B: [Condition; 9] = [
    fails("amplitude low"),
    fails("amplitude high"),
    fails("signal lock"),
    fails("delta-T"),
    fails("acquiring signals"),
    fails("supply below 9 V"),
    fails("trigger error"),
    informs("humidity inside above 80 %"),
    fails("memory error"),
];

pub(super) static EC150: [Condition; 22] = [
    fails("bad data"),
    informs("general fault"),
    informs("starting up"),
    informs("motor speed"),
    informs("TEC temperature"),
    informs("source power"),
    informs("source temperature"),
    informs("source current"),
    informs("head powered off"),
    informs("sync"),
    informs("ambient temperature"),
    informs("ambient pressure"),
    informs("CO2 I"),
    informs("CO2 Io"),
    informs("H2O I"),
    informs("H2O Io"),
    informs("CO2 Io variation"),
    informs("H2O Io variation"),
    informs("CO2 signal strength"),
    informs("H2O signal strength"),
    informs("calibration signature"),
    informs("heater control"),
];

/// Condition 0 is bit 4 of the word.
pub(super) static LI7500: [Condition; 4] = [fails("sync"), fails("PLL"), fails("detector"), fails("chopper")];

/// Condition 0 is bit 4 of the word.
pub(super) static LI7200: [Condition; 9] = [
    fails("sync"),
    fails("PLL"),
    fails("detector"),
    fails("chopper"),
    fails("delta-P"),
    informs("aux input"),
    informs("T in"),
    informs("T out"),
    fails("head not detected"),
];

pub(super) static LI7700: [Condition; 16] = [
    informs("box connected"),
    informs("aux thermocouple 3"),
    informs("aux thermocouple 2"),
    informs("aux thermocouple 1"),
    informs("motor failure"),
    fails("calibrating"),
    informs("bottom heater on"),
    informs("top heater on"),
    fails("pump on"),
    fails("motor spinning"),
    fails("block temperature unregulated"),
    fails("laser temperature unregulated"),
    informs("optical path thermocouple"),
    fails("reference not locked"),
    fails("no signal"),
    fails("not ready"),
];
