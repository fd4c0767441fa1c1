//! Tests every bit of every instrument, and the values that are no bit pattern.

use crate::ameriflux::diagnostic::Instrument::{Csat3, Csat3a, Csat3b, Ec150, Li7200, Li7500, Li7700};
use crate::ameriflux::diagnostic::*;

fn names(instrument: Instrument, word: f64) -> Vec<&'static str> {
    instrument.decode(word).names().collect()
}

/// Changes one bit at a time in `good`: exactly that condition must be named, and fail or inform.
fn check(instrument: Instrument, good: u32, bits: &[(u32, &str, bool)]) {
    let clean = instrument.decode(f64::from(good));
    assert!(clean.is_good() && clean.names().count() == 0, "{instrument:?} {good}: {clean:?}");
    for &(bit, name, fails) in bits {
        let word = good ^ (1 << bit);
        let decoded = instrument.decode(f64::from(word));
        assert_eq!(decoded.names().collect::<Vec<_>>(), [name], "{instrument:?} {word:#x}");
        assert_eq!(decoded.is_good(), !fails, "{instrument:?} {name}");
        assert_eq!(decoded.failures().count(), usize::from(fails), "{instrument:?} {name}");
        assert_eq!(decoded.notices().count(), usize::from(!fails), "{instrument:?} {name}");
    }
}

#[test]
fn each_flag_of_a_csat3_has_its_name() {
    let flags =
        [(12, "amplitude low", true), (13, "amplitude high", true), (14, "signal lock", true), (15, "delta-T", true)];
    // Counter and range bits, which are not flags, in all their states.
    for rest in [16, 0x3F, 0xFC0, 0xFFF] {
        check(Csat3, rest, &flags);
    }
    check(Csat3, 0, &flags.map(|(bit, name, fails)| (bit - 12, name, fails)));
}

#[test]
fn a_csat3_word_divided_by_4096_says_the_same_as_the_word() {
    for flags in 0..15_u32 {
        let word = flags << 12 | 0xFC5;
        assert_eq!(Csat3.decode(f64::from(flags)), Csat3.decode(f64::from(word)), "{flags}");
    }
    let all = ["amplitude low", "amplitude high", "signal lock", "delta-T"];
    assert_eq!(names(Csat3, 15.0), all);
    assert_eq!(names(Csat3, 65535.0), all);
}

#[test]
fn special_values_of_a_csat3_are_named_and_fail() {
    for (word, name) in [
        (61440.0, "lost trigger"),
        (61441.0, "SDM error"),
        (61442.0, "wrong embedded code"),
        (61502.0, "not responding"),
        (61503.0, "no data"),
        (-99999.0, "not responding"),
    ] {
        assert_eq!(names(Csat3, word), [name], "{word}");
        assert!(!Csat3.decode(word).is_good(), "{word}");
    }
}

#[test]
fn each_bit_of_a_csat3a_has_its_name_and_fails() {
    check(
        Csat3a,
        0,
        &[
            (0, "amplitude low", true),
            (1, "amplitude high", true),
            (2, "signal lock", true),
            (3, "delta-T", true),
            (4, "acquiring signals", true),
            (5, "calibration signature", true),
        ],
    );
}

#[test]
fn each_bit_of_a_csat3b_has_its_name_and_humidity_inside_alone_informs() {
    check(
        Csat3b,
        0,
        &[
            (0, "amplitude low", true),
            (1, "amplitude high", true),
            (2, "signal lock", true),
            (3, "delta-T", true),
            (4, "acquiring signals", true),
            (5, "supply below 9 V", true),
            (6, "trigger error", true),
            (7, "humidity inside above 80 %", false),
            (8, "memory error", true),
        ],
    );
}

#[test]
fn one_number_says_one_thing_of_a_csat3a_and_another_of_a_csat3b() {
    assert_eq!(names(Csat3a, 32.0), ["calibration signature"]);
    assert_eq!(names(Csat3b, 32.0), ["supply below 9 V"]);
    assert!(!Csat3a.decode(128.0).is_good() && Csat3b.decode(128.0).is_good());
}

#[test]
fn each_bit_of_an_ec150_has_its_name_and_bad_data_alone_fails() {
    check(
        Ec150,
        0,
        &[
            (0, "bad data", true),
            (1, "general fault", false),
            (2, "starting up", false),
            (3, "motor speed", false),
            (4, "TEC temperature", false),
            (5, "source power", false),
            (6, "source temperature", false),
            (7, "source current", false),
            (8, "head powered off", false),
            (9, "sync", false),
            (10, "ambient temperature", false),
            (11, "ambient pressure", false),
            (12, "CO2 I", false),
            (13, "CO2 Io", false),
            (14, "H2O I", false),
            (15, "H2O Io", false),
            (16, "CO2 Io variation", false),
            (17, "H2O Io variation", false),
            (18, "CO2 signal strength", false),
            (19, "H2O signal strength", false),
            (20, "calibration signature", false),
            (21, "heater control", false),
        ],
    );
    let decoded = Ec150.decode(f64::from(0b1_0000_0001));
    assert_eq!(decoded.failures().collect::<Vec<_>>(), ["bad data"]);
    assert_eq!(decoded.notices().collect::<Vec<_>>(), ["head powered off"], "the notice says why");
}

#[test]
fn each_bit_of_an_li7500_has_its_name_when_it_is_off() {
    let bits = [(4, "sync", true), (5, "PLL", true), (6, "detector", true), (7, "chopper", true)];
    for gain in 0..16 {
        check(Li7500, 0xF0 | gain, &bits);
    }
    for word in 0..=255 {
        assert_eq!(Li7500.decode(f64::from(word)).is_good(), word >= 0xF0, "{word}");
    }
    assert_eq!(names(Li7500, 0.0), ["sync", "PLL", "detector", "chopper"]);
    assert_eq!(names(Li7500, 125.0), ["chopper"], "the example of the manual");
}

#[test]
fn each_bit_of_an_li7200_has_its_name_when_it_is_off() {
    let bits = [
        (4, "sync", true),
        (5, "PLL", true),
        (6, "detector", true),
        (7, "chopper", true),
        (8, "delta-P", true),
        (9, "aux input", false),
        (10, "T in", false),
        (11, "T out", false),
        (12, "head not detected", true),
    ];
    for gain in 0..16 {
        check(Li7200, 0x1FF0 | gain, &bits);
    }
    assert_eq!(names(Li7200, 0.0).len(), bits.len());
}

#[test]
fn each_bit_of_an_li7700_has_its_name_when_it_is_on() {
    check(
        Li7700,
        0,
        &[
            (0, "box connected", false),
            (1, "aux thermocouple 3", false),
            (2, "aux thermocouple 2", false),
            (3, "aux thermocouple 1", false),
            (4, "motor failure", false),
            (5, "calibrating", true),
            (6, "bottom heater on", false),
            (7, "top heater on", false),
            (8, "pump on", true),
            (9, "motor spinning", true),
            (10, "block temperature unregulated", true),
            (11, "laser temperature unregulated", true),
            (12, "optical path thermocouple", false),
            (13, "reference not locked", true),
            (14, "no signal", true),
            (15, "not ready", true),
        ],
    );
    let heated = Li7700.decode(f64::from(0b1100_0001));
    assert!(heated.is_good());
    assert_eq!(heated.notices().collect::<Vec<_>>(), ["box connected", "bottom heater on", "top heater on"]);
}

#[test]
fn the_gain_comes_from_the_four_lowest_bits() {
    for (instrument, word, percent) in [
        (Li7500, 0xF0, Some(0.0)),
        (Li7500, 0xFF, Some(100.0)),
        (Li7500, 0xF8, Some(53.333_333)),
        (Li7500, 0x08, Some(53.333_333)),
        (Li7200, 8191, Some(100.0)),
        (Li7200, 8177, Some(6.666_667)),
        (Li7700, 8191, None),
        (Csat3, 15, None),
        (Csat3a, 15, None),
        (Ec150, 15, None),
        (Li7500, 256, None),
    ] {
        let found = instrument.decode(f64::from(word)).agc_percent();
        let alike = match (found, percent) {
            (Some(found), Some(percent)) => (found - percent).abs() < 1e-6,
            (found, percent) => found == percent,
        };
        assert!(alike, "{instrument:?} {word}: {found:?}");
    }
    assert_eq!(Li7500.decode(f64::NAN).agc_percent(), None);
}

#[test]
fn a_missing_word_fails_and_an_ec100_that_has_none_has_every_bit_set() {
    for instrument in [Csat3, Csat3b, Li7500, Li7200, Li7700] {
        assert_eq!(names(instrument, f64::NAN), ["no diagnostic word"], "{instrument:?}");
    }
    for (instrument, bits) in [(Csat3a, 6), (Ec150, 22)] {
        for word in [-1.0, f64::NAN] {
            let found = names(instrument, word);
            assert_eq!(found[0], "no diagnostic word", "{instrument:?} {word}");
            assert_eq!(found.len(), 1 + bits, "{instrument:?} {word}");
        }
    }
    for instrument in Instrument::ALL {
        assert!(!instrument.decode(f64::NAN).is_good(), "{instrument:?}");
    }
}

#[test]
fn what_cannot_be_a_word_says_so_and_fails() {
    for (instrument, too_high) in [
        (Csat3, 65536.0),
        (Csat3a, 64.0),
        (Csat3b, 512.0),
        (Ec150, 4_194_304.0),
        (Li7500, 256.0),
        (Li7200, 8192.0),
        (Li7700, 65536.0),
    ] {
        for word in [too_high, too_high + 7.0, 1.5, -2.0, -9999.0, 1e300, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(names(instrument, word), ["not a diagnostic word"], "{instrument:?} {word}");
            assert!(!instrument.decode(word).is_good(), "{instrument:?} {word}");
        }
        assert_ne!(names(instrument, too_high - 1.0), ["not a diagnostic word"], "{instrument:?}");
    }
    assert_eq!(names(Li7500, -1.0), ["not a diagnostic word"]);
    assert_eq!(names(Li7700, -99999.0), ["not a diagnostic word"]);
}

#[test]
fn every_name_finds_its_instrument() {
    let known: Vec<_> = Instrument::names().collect();
    assert_eq!(known, ["csat3", "csat3a", "csat3b", "ec150", "li7500", "li7200", "li7700"]);
    for name in known {
        assert_eq!(Instrument::from_name(name).map(Instrument::name), Some(name));
    }
    for name in ["", "CSAT3", "csat", "li7500_old", "irgason"] {
        assert_eq!(Instrument::from_name(name), None, "{name}");
    }
}
