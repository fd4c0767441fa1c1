//! AmeriFlux base variables: their units and physical ranges.
//!
//! A column that names its AmeriFlux variable gets the unit and the range test that AmeriFlux itself applies, so a flag
//! means the same as a flag of AmeriFlux. Units and limits are facts of AmeriFlux's own variable table (the service
//! `fp_var?limits=True` at amfcdn.lbl.gov, as cached in AMF-FLX/AMF-BASE-QAQC at 07195a2, 2023-02-23). The time stamps
//! of an upload are in that table too; they are not measurements and are left out here.

use super::range::{MeasuredOver, Range, Ranges};
use crate::text::look_alikes;

/// One base variable.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Variable {
    /// Base name, without qualifiers.
    pub name: &'static str,
    /// As AmeriFlux spells it.
    pub unit: &'static str,
    /// Lower bound of the physical range; minus infinity where AmeriFlux sets none.
    pub min: f64,
    /// Upper bound of the physical range; infinity where AmeriFlux sets none.
    pub max: f64,
}

/// Fraction of `max - min` by which a value may be outside before AmeriFlux calls it an error.
const MARGIN_SHARE: f64 = 0.05;
/// The margin where a bound is infinite, in the variable's unit.
const MARGIN_UNBOUNDED: f64 = 5.0;

/// The lowest usual reading of a thermopile (W m-2) and a quantum sensor (µmol m-2 s-1) at night.
const NIGHT: f64 = -10.0;
/// The radiation variables whose warnings AmeriFlux ignores.
const SUNLIGHT: [&str; 13] = [
    "PPFD_BC_IN",
    "PPFD_BC_OUT",
    "PPFD_DIF",
    "PPFD_DIR",
    "PPFD_IN",
    "PPFD_OUT",
    "PPFD_UW_IN",
    "SW_BC_IN",
    "SW_BC_OUT",
    "SW_DIF",
    "SW_DIR",
    "SW_IN",
    "SW_OUT",
];

/// Quantities that change slowly.
const QUIET: [&str; 5] = ["D_SNOW", "PA", "SWC", "TS", "WTD"];
/// Sums of precipitation and of runoff.
const RAIN: [&str; 6] = ["P", "P_RAIN", "P_SNOW", "RUNOFF", "STEMFLOW", "THROUGHFALL"];

/// Upper bounds for values measured over less than half an hour: variable, bound for suspect, bound for fail.
///
/// Under broken clouds, the sun and the bright clouds beside it give more than a clear sky, for seconds to minutes.
/// BSRN's limits apply to means of one minute: "extremely rare" is suspect, "physically possible" fails. They are
/// computed for the sun overhead and 1361 W m-2: global 1.2 times that plus 50, and 1.5 times plus 100 W m-2; upwelling
/// 1 times plus 50 and 1.2 times plus 50; diffuse 0.75 times plus 30 and 0.95 times plus 50. (Long and Dutton 2010,
/// BSRN Global Network recommended QC tests, V2.0.) For PPFD the limit is two µmol for each J, as AmeriFlux compares
/// the two (`timestamp_alignment.py`). For net radiation it is our judgement: its own limits plus the excess of global
/// radiation. A single scan of an anemometer may be a gust, which AmeriFlux limits as `WS_MAX`.
const BRIEF: [(&str, f64, f64); 13] = [
    ("NETRAD", 1_483.2, 1_941.5),
    ("PPFD_BC_IN", 3_366.4, 4_283.0),
    ("PPFD_BC_OUT", 2_822.0, 3_366.4),
    ("PPFD_DIF", 2_101.5, 2_685.9),
    ("PPFD_IN", 3_366.4, 4_283.0),
    ("PPFD_OUT", 2_822.0, 3_366.4),
    ("PPFD_UW_IN", 3_366.4, 4_283.0),
    ("SW_BC_IN", 1_683.2, 2_141.5),
    ("SW_BC_OUT", 1_411.0, 1_683.2),
    ("SW_DIF", 1_050.75, 1_342.95),
    ("SW_IN", 1_683.2, 2_141.5),
    ("SW_OUT", 1_411.0, 1_683.2),
    ("WS", 50.0, 52.5),
];

impl Variable {
    /// AmeriFlux's physical range test as a QARTOD gross range: suspect outside `[min, max]`, failed outside the same
    /// widened by 5 % of `max - min`, or by 5 where a bound is infinite. Bounds are inside.
    ///
    /// AmeriFlux ignores warnings, our suspect, for variables that are often at the edge of their range; users would
    /// ignore a flag that is raised every night. So:
    ///
    /// - percent variables (`RH`, `SWC`, `ALB`, …) and `D_SNOW` are never suspect: a sensor at saturation reads 101 %,
    ///   one over bare ground -1 cm. They pass up to the fail bounds.
    /// - short-wave and PPFD sensors are suspect below -10 instead of 0, because they cool to the sky at night: in the 12
    ///   monthly half-hour bands of US-UMB the lowest 2.5 % percentile of `SW_IN` is -11.2 W m-2. The upper bound is
    ///   unchanged although AmeriFlux would ignore it too: more sun than the limit should be looked at.
    ///
    /// Source: `physical_range.py` (soft and hard margin, `add_result_summary_stat`) and `qaqc_template.cfg` in
    /// AMF-FLX/AMF-BASE-QAQC. The -10 is ours.
    pub fn range(&self) -> Range {
        let width = self.max - self.min;
        let margin = if width.is_finite() { MARGIN_SHARE * width } else { MARGIN_UNBOUNDED };
        let fail = (self.min - margin, self.max + margin);
        let suspect = if self.unit == "%" || self.name == "D_SNOW" {
            fail
        } else if SUNLIGHT.contains(&self.name) {
            (NIGHT, self.max)
        } else {
            (self.min, self.max)
        };
        Range { suspect, fail }
    }

    /// Whether it is a sum over an interval: precipitation or runoff.
    pub fn is_total(&self) -> bool {
        RAIN.contains(&self.name)
    }

    /// Whether the quantity changes slowly: it may be constant for hours at the resolution of a data logger.
    pub fn is_quiet(&self) -> bool {
        QUIET.contains(&self.name)
    }

    /// The range for each time over which a value was measured: AmeriFlux's limits apply to half hours and hours.
    /// `is_scan` says that values are single scans, or the largest or smallest of an interval, however long it is.
    ///
    /// The highest rainfall grows roughly with the square root of time, as the world's records do (WMO: 491 mm times
    /// hours^0.45). AmeriFlux's limit is taken as that of half an hour and of an hour. For a shorter time only the
    /// suspect bound is lower: the fail bound is that of half an hour, because 38 mm fell in a minute (Barot,
    /// Guadeloupe, 1970).
    pub fn ranges(&self, is_scan: bool) -> Ranges {
        let range = self.range();
        let brief = BRIEF
            .iter()
            .find(|(name, ..)| *name == self.name)
            .map(|(_, suspect, fail)| Range { suspect: (range.suspect.0, *suspect), fail: (range.fail.0, *fail) });
        if let Some(brief) = brief {
            return Ranges::of(|over| if is_scan || over.may_be_brief() { brief } else { range });
        }
        if !self.is_total() || is_scan {
            return Ranges::from(range);
        }
        Ranges::of(|over| {
            // The longest possible time, compared with half an hour or an hour.
            let (share, grows) = match over {
                MeasuredOver::Minute => ((1.0_f64 / 30.0).sqrt(), false),
                MeasuredOver::FiveMinutes => ((5.0_f64 / 30.0).sqrt(), false),
                MeasuredOver::Minutes | MeasuredOver::HalfHour => (1.0, false),
                MeasuredOver::Day => (24.0_f64.sqrt(), true),
                MeasuredOver::Longer => ((24.0_f64 * 31.0).sqrt(), true),
            };
            let upper = |most: f64| (most * share).round();
            let fail = if grows { upper(range.fail.1) } else { range.fail.1 };
            Range { suspect: (range.suspect.0, upper(range.suspect.1)), fail: (range.fail.0, fail) }
        })
    }
}

/// The base variable of `name`, which may carry AmeriFlux's qualifiers: `_F` (filled), then position `_H_V_R`,
/// aggregate `_H_V_A` or layer `_#`.
///
/// None for an unknown base name and for what AmeriFlux refuses (`_PI`, `_QC`, `_IU`). None also for a standard
/// deviation or a count (`_SD`, `_N`), because the range of the base variable does not apply to it.
pub fn lookup(name: &str) -> Option<&'static Variable> {
    parts(name).map(|(variable, _)| variable)
}

/// The vertical position V of `_H_V_R` and `_H_V_A`, counted from the top; None for a name without one.
pub fn vertical(name: &str) -> Option<u32> {
    let (_, qualifiers) = parts(name)?;
    qualifiers.trim_start_matches("F_").split('_').nth(1)?.parse().ok()
}

/// The base variable and the qualifiers after it, which may be empty.
fn parts(name: &str) -> Option<(&'static Variable, &str)> {
    if let Some(variable) = base(name) {
        return Some((variable, ""));
    }
    name.rmatch_indices('_').find_map(|(at, _)| {
        let (variable, qualifiers) = (base(&name[..at])?, &name[at + 1..]);
        is_qualifier(qualifiers).then_some((variable, qualifiers))
    })
}

/// Base names that are similar to `name`, the most similar first; empty if none is similar.
pub fn near(name: &str) -> Vec<&'static str> {
    let word = name.trim_end_matches(|c: char| c == '_' || c.is_ascii_digit());
    look_alikes(if word.is_empty() { name } else { word }, VARIABLES.iter().map(|variable| variable.name))
}

fn base(name: &str) -> Option<&'static Variable> {
    let index = VARIABLES.binary_search_by(|variable| variable.name.cmp(name)).ok()?;
    VARIABLES.get(index)
}

/// Whether a part of a name is a number.
pub(super) fn is_number(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|digit| digit.is_ascii_digit())
}

/// Whether the text matches the patterns of `VarUtil.GENERAL_VARIABLE_PATTERNS` in AMF-BASE-QAQC, without standard
/// deviations and counts.
fn is_qualifier(text: &str) -> bool {
    let parts: Vec<&str> = text.split('_').collect();
    let parts = parts.strip_prefix(&["F"]).unwrap_or(&parts);
    match parts {
        [] => true,
        [layer] => is_number(layer),
        [horizontal, vertical, replicate] => {
            is_number(horizontal) && is_number(vertical) && (is_number(replicate) || *replicate == "A")
        }
        _ => false,
    }
}

const fn row(name: &'static str, unit: &'static str, min: f64, max: f64) -> Variable {
    Variable { name, unit, min, max }
}

const UNBOUNDED: f64 = f64::INFINITY;

/// Sorted by name, byte by byte, for the binary search.
pub(super) static VARIABLES: &[Variable] = &[
    row("ALB", "%", 0.0, 100.0),
    row("APAR", "µmolPhoton m-2 s-1", 0.0, 2300.0),
    row("CH4", "nmolCH4 mol-1", 0.0, 15000.0),
    row("CH4_MIXING_RATIO", "nmolCH4 mol-1", 0.0, 15000.0),
    row("CO", "nmolCO mol-1", 0.0, UNBOUNDED),
    row("CO2", "µmolCO2 mol-1", 150.0, 1200.0),
    row("CO2C13", "‰ (permil)", -UNBOUNDED, -6.0),
    row("CO2_MIXING_RATIO", "µmolCO2 mol-1", 150.0, 1200.0),
    row("CO2_SIGMA", "µmolCO2 mol-1", 0.0, 150.0),
    row("COND_WATER", "µS cm-1", 0.0, 10000.0),
    row("DBH", "cm", 0.0, 500.0),
    row("DO", "µmol L-1", 0.0, UNBOUNDED),
    row("D_SNOW", "cm", 0.0, 500.0),
    row("FAPAR", "%", 0.0, 100.0),
    row("FC", "µmolCO2 m-2 s-1", -100.0, 100.0),
    row("FCH4", "nmolCH4 m-2 s-1", -500.0, 4000.0),
    row("FCH4_SSITC_TEST", "nondimensional", 0.0, 2.0),
    row("FC_SSITC_TEST", "nondimensional", 0.0, 2.0),
    row("FETCH_70", "m", 0.0, 10000.0),
    row("FETCH_80", "m", 0.0, 12000.0),
    row("FETCH_90", "m", 0.0, 15000.0),
    row("FETCH_FILTER", "nondimensional", 0.0, 1.0),
    row("FETCH_MAX", "m", 0.0, 5000.0),
    row("FIPAR", "%", 0.0, 100.0),
    row("FN2O", "nmolN2O m-2 s-1", -UNBOUNDED, UNBOUNDED),
    row("FN2O_SSITC_TEST", "nondimensional", 0.0, 2.0),
    row("FNO", "nmolNO m-2 s-1", -UNBOUNDED, UNBOUNDED),
    row("FNO2", "nmolNO2 m-2 s-1", -UNBOUNDED, UNBOUNDED),
    row("FNO2_SSITC_TEST", "nondimensional", 0.0, 2.0),
    row("FNO_SSITC_TEST", "nondimensional", 0.0, 2.0),
    row("FO3", "nmolO3 m-2 s-1", -UNBOUNDED, UNBOUNDED),
    row("FO3_SSITC_TEST", "nondimensional", 0.0, 2.0),
    row("G", "W m-2", -250.0, 400.0),
    row("GPP", "µmolCO2 m-2 s-1", -30.0, 100.0),
    row("H", "W m-2", -450.0, 900.0),
    row("H2O", "mmolH2O mol-1", 0.0, 100.0),
    row("H2O_MIXING_RATIO", "mmolH2O mol-1", 0.0, 100.0),
    row("H2O_SIGMA", "mmolH2O mol-1", 0.0, 15.0),
    row("H_SSITC_TEST", "nondimensional", 0.0, 2.0),
    row("LE", "W m-2", -450.0, 900.0),
    row("LEAF_WET", "%", 0.0, 100.0),
    row("LE_SSITC_TEST", "nondimensional", 0.0, 2.0),
    row("LW_BC_IN", "W m-2", 50.0, 600.0),
    row("LW_BC_OUT", "W m-2", 100.0, 750.0),
    row("LW_IN", "W m-2", 50.0, 600.0),
    row("LW_OUT", "W m-2", 100.0, 750.0),
    row("MO_LENGTH", "m", -UNBOUNDED, UNBOUNDED),
    row("N2O", "nmolN2O mol-1", 0.0, UNBOUNDED),
    row("N2O_MIXING_RATIO", "nmolN2O mol-1", 0.0, UNBOUNDED),
    row("NDVI", "nondimensional", -1.0, 1.0),
    row("NEE", "µmolCO2 m-2 s-1", -100.0, 100.0),
    row("NETRAD", "W m-2", -200.0, 1100.0),
    row("NO", "nmolNO mol-1", 0.0, UNBOUNDED),
    row("NO2", "nmolNO2 mol-1", 0.0, UNBOUNDED),
    row("O3", "nmolO3 mol-1", 0.0, UNBOUNDED),
    row("P", "mm", 0.0, 50.0),
    row("PA", "kPa", 60.0, 105.0),
    row("PBLH", "m", 0.0, 3000.0),
    row("PCH4", "nmolCH4 mol-1", 0.0, UNBOUNDED),
    row("PCO2", "µmolCO2 mol-1", 0.0, 10000.0),
    row("PN2O", "nmolN2O mol-1", 0.0, UNBOUNDED),
    row("PPFD_BC_IN", "µmolPhoton m-2 s-1", 0.0, 2400.0),
    row("PPFD_BC_OUT", "µmolPhoton m-2 s-1", 0.0, 2000.0),
    row("PPFD_DIF", "µmolPhoton m-2 s-1", 0.0, 1400.0),
    row("PPFD_DIR", "µmolPhoton m-2 s-1", 0.0, 2400.0),
    row("PPFD_IN", "µmolPhoton m-2 s-1", 0.0, 2400.0),
    row("PPFD_OUT", "µmolPhoton m-2 s-1", 0.0, 2000.0),
    row("PPFD_UW_IN", "µmolPhotons m-2 s-1", 0.0, 2400.0),
    row("PRI", "nondimensional", -1.0, 1.0),
    row("P_RAIN", "mm", 0.0, 50.0),
    row("P_SNOW", "mm", 0.0, 50.0),
    row("RECO", "µmolCO2 m-2 s-1", -20.0, 50.0),
    row("RH", "%", 0.0, 100.0),
    row("RUNOFF", "mm", 0.0, 200.0),
    row("R_UVA", "W m-2", 0.0, 85.0),
    row("R_UVB", "W m-2", 0.0, 20.0),
    row("SAP_DT", "deg C", -10.0, 10.0),
    row("SAP_FLOW", "mmolH2O m-2 s-1", -UNBOUNDED, UNBOUNDED),
    row("SB", "W m-2", -UNBOUNDED, UNBOUNDED),
    row("SC", "µmolCO2 m-2 s-1", -100.0, 100.0),
    row("SCH4", "nmolCH4 m-2 s-1", -UNBOUNDED, UNBOUNDED),
    row("SG", "W m-2", -100.0, 250.0),
    row("SH", "W m-2", -150.0, 150.0),
    row("SLE", "W m-2", -150.0, 150.0),
    row("SN2O", "nmolN2O m-2 s-1", -UNBOUNDED, UNBOUNDED),
    row("SNO", "nmolNO m-2 s-1", -UNBOUNDED, UNBOUNDED),
    row("SNO2", "nmolNO2 m-2 s-1", -UNBOUNDED, UNBOUNDED),
    row("SO2", "nmolSO2 mol-1", 0.0, UNBOUNDED),
    row("SO3", "nmolO3 m-2 s-1", -UNBOUNDED, UNBOUNDED),
    row("SPEC_NIR_IN", "µmolPhoton m-2 s-1", 0.0, UNBOUNDED),
    row("SPEC_NIR_OUT", "µmolPhoton m-2 s-1", 0.0, UNBOUNDED),
    row("SPEC_NIR_REFL", "nondimensional", 0.0, 1.0),
    row("SPEC_PRI_REF_IN", "µmolPhoton m-2 s-1", 0.0, UNBOUNDED),
    row("SPEC_PRI_REF_OUT", "µmolPhoton m-2 s-1", 0.0, UNBOUNDED),
    row("SPEC_PRI_REF_REFL", "nondimensional", 0.0, 1.0),
    row("SPEC_PRI_TGT_IN", "µmolPhoton m-2 s-1", 0.0, UNBOUNDED),
    row("SPEC_PRI_TGT_OUT", "µmolPhoton m-2 s-1", 0.0, UNBOUNDED),
    row("SPEC_PRI_TGT_REFL", "nondimensional", 0.0, 1.0),
    row("SPEC_RED_IN", "µmolPhoton m-2 s-1", 0.0, UNBOUNDED),
    row("SPEC_RED_OUT", "µmolPhoton m-2 s-1", 0.0, UNBOUNDED),
    row("SPEC_RED_REFL", "nondimensional", 0.0, 1.0),
    row("STEMFLOW", "mm", 0.0, 200.0),
    row("SWC", "%", 0.0, 100.0),
    row("SWP", "kPa", -750.0, 0.0),
    row("SW_BC_IN", "W m-2", 0.0, 1300.0),
    row("SW_BC_OUT", "W m-2", 0.0, 800.0),
    row("SW_DIF", "W m-2", 0.0, 750.0),
    row("SW_DIR", "W m-2", 0.0, 1300.0),
    row("SW_IN", "W m-2", 0.0, 1300.0),
    row("SW_OUT", "W m-2", 0.0, 800.0),
    row("TA", "deg C", -50.0, 50.0),
    row("TAU", "kg m-1 s-2", -10.0, 2.0),
    row("TAU_SSITC_TEST", "nondimensional", 0.0, 2.0),
    row("THROUGHFALL", "mm", 0.0, 20.0),
    row("TS", "deg C", -40.0, 65.0),
    row("TSN", "deg C", -40.0, 4.0),
    row("TW", "deg C", -20.0, 50.0),
    row("T_BOLE", "deg C", -50.0, 70.0),
    row("T_CANOPY", "deg C", -50.0, 70.0),
    row("T_SONIC", "deg C", -50.0, 50.0),
    row("T_SONIC_SIGMA", "deg C", 0.0, 5.0),
    row("USTAR", "m s-1", 0.0, 8.0),
    row("U_SIGMA", "m s-1", 0.0, 12.0),
    row("VPD", "hPa", 0.0, 80.0),
    row("V_SIGMA", "m s-1", 0.0, 10.0),
    row("WD", "Decimal degrees", 0.0, 360.0),
    row("WS", "m s-1", 0.0, 40.0),
    row("WS_MAX", "m s-1", 0.0, 50.0),
    row("WTD", "m", -10.0, 10.0),
    row("W_SIGMA", "m s-1", 0.0, 5.0),
    row("ZL", "nondimensional", -UNBOUNDED, UNBOUNDED),
];

#[cfg(test)]
#[allow(clippy::float_cmp)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_no_name_comes_twice() {
        for pair in VARIABLES.windows(2) {
            assert!(pair[0].name < pair[1].name, "{} stands before {}", pair[0].name, pair[1].name);
        }
    }

    #[test]
    fn every_range_is_in_order() {
        for variable in VARIABLES {
            assert!(variable.min < variable.max, "{}", variable.name);
            let range = variable.range();
            assert!(range.fail.0 <= range.suspect.0 && range.suspect.1 <= range.fail.1, "{}", variable.name);
        }
    }

    #[test]
    fn well_known_variables_have_the_published_limits() {
        for (name, unit, min, max) in [
            ("TA", "deg C", -50.0, 50.0),
            ("T_SONIC", "deg C", -50.0, 50.0),
            ("RH", "%", 0.0, 100.0),
            ("PA", "kPa", 60.0, 105.0),
            ("VPD", "hPa", 0.0, 80.0),
            ("WS", "m s-1", 0.0, 40.0),
            ("USTAR", "m s-1", 0.0, 8.0),
            ("CO2", "µmolCO2 mol-1", 150.0, 1200.0),
            ("H2O", "mmolH2O mol-1", 0.0, 100.0),
            ("SW_IN", "W m-2", 0.0, 1300.0),
            ("PPFD_IN", "µmolPhoton m-2 s-1", 0.0, 2400.0),
            ("NETRAD", "W m-2", -200.0, 1100.0),
            ("TS", "deg C", -40.0, 65.0),
            ("SWC", "%", 0.0, 100.0),
            ("CO", "nmolCO mol-1", 0.0, f64::INFINITY),
        ] {
            assert_eq!(lookup(name), Some(&Variable { name: lookup(name).unwrap().name, unit, min, max }), "{name}");
        }
    }

    #[test]
    fn qualifiers_of_position_and_filling_are_seen_through() {
        for (name, expected) in [
            ("TA_1_1_1", "TA"),
            ("SWC_2", "SWC"),
            ("TA_1_1_A", "TA"),
            ("TA_F", "TA"),
            ("TA_F_1_2_1", "TA"),
            ("PPFD_IN_1_1_2", "PPFD_IN"),
            ("FETCH_70", "FETCH_70"),
            ("FETCH_70_1_1_1", "FETCH_70"),
        ] {
            assert_eq!(lookup(name).map(|variable| variable.name), Some(expected), "{name}");
        }
    }

    #[test]
    fn what_has_no_such_range_is_not_found() {
        for name in [
            "",
            "_",
            "ta",
            "TA_",
            "TA_1_1",
            "TA_1_1_1_1",
            "TA_1_1_A_SD",
            "TA_1_N",
            "TA_PI",
            "TA_QC",
            "TEMPERATURE",
            "TA_F_F",
        ] {
            assert_eq!(lookup(name), None, "{name}");
        }
    }

    #[test]
    fn the_vertical_position_is_the_second_of_three_qualifiers() {
        for (name, expected) in [
            ("PPFD_IN_1_2_1", Some(2)),
            ("PPFD_IN_F_1_3_A", Some(3)),
            ("SW_IN_2", None),
            ("SW_IN", None),
            ("SWIN_1_2_1", None),
        ] {
            assert_eq!(vertical(name), expected, "{name}");
        }
    }

    #[test]
    fn what_is_measured_over_minutes_has_limits_of_its_own_and_half_hours_have_those_of_ameriflux() {
        use MeasuredOver::{Day, FiveMinutes, HalfHour, Longer, Minute, Minutes};
        for variable in VARIABLES {
            let ranges = variable.ranges(false);
            assert_eq!(*ranges.over(HalfHour), variable.range(), "{}", variable.name);
            for over in MeasuredOver::ALL {
                for range in [ranges.over(over), variable.ranges(true).over(over)] {
                    let is_nested = range.fail.0 <= range.suspect.0 && range.suspect.1 <= range.fail.1;
                    assert!(is_nested, "{} {over:?}", variable.name);
                }
            }
        }
        for (name, suspect, fail) in BRIEF {
            let variable = lookup(name).unwrap();
            for over in [Minute, FiveMinutes, Minutes, Day, Longer] {
                let range = *variable.ranges(false).over(over);
                assert_eq!((range.suspect.1, range.fail.1), (suspect, fail), "{name} {over:?}");
                assert_eq!((range.suspect.0, range.fail.0), (variable.range().suspect.0, variable.range().fail.0));
            }
            assert_eq!(variable.ranges(true), Ranges::from(*variable.ranges(false).over(Minute)), "{name}");
        }
        let rain = |over| lookup("P").unwrap().ranges(false).over(over).to_owned();
        let upper =
            [Minute, FiveMinutes, Minutes, HalfHour, Day, Longer].map(|over| (rain(over).suspect.1, rain(over).fail.1));
        assert_eq!(upper, [(9.0, 52.5), (20.0, 52.5), (50.0, 52.5), (50.0, 52.5), (245.0, 257.0), (1364.0, 1432.0)]);
        assert!(!lookup("TA").unwrap().ranges(false).depend_on_time());
    }

    #[test]
    fn the_margin_is_five_percent_of_the_width() {
        assert_eq!(lookup("TA").unwrap().range(), Range { suspect: (-50.0, 50.0), fail: (-55.0, 55.0) });
        assert_eq!(lookup("LW_IN").unwrap().range(), Range { suspect: (50.0, 600.0), fail: (22.5, 627.5) });
    }

    #[test]
    fn a_percent_and_snow_depth_live_on_their_edges_and_are_never_suspect() {
        for name in ["ALB", "FAPAR", "FIPAR", "LEAF_WET", "RH", "SWC"] {
            let range = lookup(name).unwrap().range();
            assert_eq!(range, Range { suspect: (-5.0, 105.0), fail: (-5.0, 105.0) }, "{name}");
        }
        assert_eq!(VARIABLES.iter().filter(|variable| variable.unit == "%").count(), 6);
        assert_eq!(lookup("D_SNOW").unwrap().range(), Range { suspect: (-25.0, 525.0), fail: (-25.0, 525.0) });
    }

    #[test]
    fn sunlight_is_a_little_negative_at_night_and_passes() {
        assert_eq!(lookup("SW_IN").unwrap().range(), Range { suspect: (-10.0, 1300.0), fail: (-65.0, 1365.0) });
        assert_eq!(lookup("SW_DIF").unwrap().range(), Range { suspect: (-10.0, 750.0), fail: (-37.5, 787.5) });
        assert_eq!(
            lookup("PPFD_IN_1_1_1").unwrap().range(),
            Range { suspect: (-10.0, 2400.0), fail: (-120.0, 2520.0) }
        );
        for variable in VARIABLES {
            let sunlight = variable.name.starts_with("SW_") || variable.name.starts_with("PPFD_");
            assert_eq!(variable.range().suspect.0 == NIGHT && variable.min == 0.0, sunlight, "{}", variable.name);
        }
        assert_eq!(lookup("R_UVA").unwrap().range().suspect.0, 0.0, "as AmeriFlux, which warns of it");
    }

    #[test]
    fn the_margin_beside_an_infinite_bound_is_five() {
        let range = lookup("O3").unwrap().range();
        assert_eq!(range, Range { suspect: (0.0, f64::INFINITY), fail: (-5.0, f64::INFINITY) });
    }

    #[test]
    fn a_slip_of_the_pen_finds_what_was_meant() {
        assert!(near("ta").contains(&"TA"));
        assert!(near("PPFD").contains(&"PPFD_IN"));
        assert!(near("SWIN_1_1_1").contains(&"SW_IN"));
        assert!(near("NETRADIATION_ABOVE").len() <= 5);
    }
}
