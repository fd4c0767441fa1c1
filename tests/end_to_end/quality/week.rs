//! A week of a tower with known faults: how many are found, and how many good values are flagged with them.
//!
//! Thresholds as networks use them (facts on QC, 3.5): steps of 10 K fail, two hours without a change are suspect, sensors
//! of one kind within 2.5 K and heights within 3 K of each other, PAR at night within 8 µmol of zero.

use std::collections::{BTreeMap, BTreeSet};

use super::station::{Line, STEP, file};
use crate::support::Station;

/// Faulty by less than the limits tell.
const FAINT: &str = "faint";

const ROWS: i64 = 7 * 288;
const COLUMNS: &str = "TA46,RH,SW,PAR,calPAR,TSONIC";

const CONFIG: &str = r#"
missing = [7999]
time_gap = { suspect = "12m" }
[table.columns.TA46]
variable = "TA"
spike = { suspect = 3, fail = 6, method = "differential" }
rate_of_change = { suspect = 5, fail = 10, per = "5m" }
flat_line = { suspect = "2h", fail = "4h", tolerance = 0.01 }
[table.columns.RH]
variable = "RH"
flat_line = { suspect = "2h", fail = "4h", tolerance = 0.01, except = [99, 105] }
[table.columns.SW]
variable = "SW_IN"
[table.columns.PAR]
variable = "PPFD_IN"
climatology = { bands = [{ hours = [22, 3], suspect = [-8, 8] }] }
[table.columns.calPAR]
variable = "PPFD_IN"
[table.columns.TSONIC]
variable = "T_SONIC"
"#;

const MORE: &str = r#"
[[table]]
name = "lower"
files = ["lower.dat"]
[table.columns.TA34]
variable = "TA"

[[pair]]
name = "aspirated TA against sonic"
table = "upper"
column = "TA46"
against = "TSONIC"
difference = { suspect = 2.5, fail = 8 }
when = { column = "SW", above = 200 }
flags = "column"

[[pair]]
name = "heights"
table = "lower"
column = "TA34"
against_table = "upper"
against = "TSONIC"
difference = { suspect = 3, fail = 8 }
flags = "column"
"#;

/// Numbers between -1 and 1 that are the same in every run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from((self.0 >> 40) as u32) / f64::from(1 << 23) - 1.0
    }
}

/// What a value suffers from, by table, column and row.
type Truth = BTreeMap<(&'static str, &'static str, i64), &'static str>;

fn week() -> (Vec<Line>, Vec<Line>, Truth) {
    let mut truth = Truth::new();
    let mut noise = Noise(42);
    let (mut upper, mut lower) = (Vec::new(), Vec::new());
    let (mut air, mut cloud, mut humid) = (0.0, 0.8, 0.0);
    // The clock jumps on by 25 minutes once: rows keep their record numbers.
    let step_at = 1_500;
    let mut stuck = 0.0;
    for row in 0..ROWS {
        let shown = if row >= step_at { row + 5 } else { row };
        let hour = (shown * STEP) as f64 / 3600.0 % 24.0;
        let sun = ((hour - 6.0) / 12.0 * std::f64::consts::PI).sin().max(0.0);
        air = air * 0.98 + noise.next() * 0.25;
        cloud = (cloud + noise.next() * 0.1).clamp(0.2, 1.0);
        humid = humid * 0.97 + noise.next() * 1.5;
        let base = 15.0 + 7.0 * ((hour - 9.0) / 12.0 * std::f64::consts::PI).sin() + air;
        let sw = 900.0 * sun * cloud + noise.next() * 0.8 - 1.0;
        let mut par = sw * 2.03 + noise.next() * 2.0;
        let mut ta46 = base + noise.next() * 0.1;
        let mut ta34 = base + 0.4 + noise.next() * 0.15;
        let mut rh = (70.0 - 3.0 * (base - 15.0) + humid).clamp(20.0, 98.5) + noise.next() * 0.1;
        let mut cal = par * 0.98;
        if row % 97 == 50 && !(1_000..1_400).contains(&row) {
            ta46 += (9.0 + 4.0 * noise.next().abs()) * if row % 2 == 0 { 1.0 } else { -1.0 };
            truth.insert(("upper", "TA46", shown), "spike");
        }
        if (300..400).contains(&row) {
            if row == 300 {
                stuck = rh;
            }
            rh = stuck;
            // It takes two hours to know.
            if row >= 324 {
                truth.insert(("upper", "RH", shown), "stuck sensor");
            }
        }
        if (1_000..1_400).contains(&row) && sw > 320.0 {
            ta46 += 4.0;
            truth.insert(("upper", "TA46", shown), "dead fan");
        }
        if (500..1_000).contains(&row) {
            let drift = (row - 500) as f64 * 0.012;
            ta34 += drift;
            // Below the limit it is neither good nor to be found.
            let fault = if drift > 3.5 { "drift between heights" } else { FAINT };
            truth.insert(("lower", "TA34", shown), fault);
        }
        if (1_600..1_700).contains(&row) {
            cal = 7999.0;
            truth.insert(("upper", "calPAR", shown), "7999 saturation");
        }
        if (700..1_300).contains(&row) && !(4.0..22.0).contains(&hour) {
            par += 15.0;
            truth.insert(("upper", "PAR", shown), "night-time PAR offset");
        }
        if row == step_at {
            truth.insert(("upper", "SW", shown), "clock step");
        }
        upper.push((shown, [ta46, rh, sw, par, cal, base + 0.1].map(|value| format!("{value:.3}")).to_vec()));
        lower.push((shown, vec![format!("{ta34:.3}")]));
    }
    (upper, lower, truth)
}

#[test]
fn a_week_of_known_faults_is_told_apart_from_good_values() {
    let (upper, lower, truth) = week();
    let tower = Station::new().table(&format!("name = \"upper\"\nfiles = [\"upper.dat\"]\n{CONFIG}")).more(MORE);
    tower.write("upper.dat", file(COLUMNS, &upper));
    tower.write("lower.dat", file("TA34", &lower));
    tower.in_process().ingest();

    let start = super::station::START + 5 * 3600;
    let mut found: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    let (mut good, mut flagged) = (0_u64, BTreeMap::<String, u64>::new());
    let mut columns_of_step = BTreeSet::new();
    for (table, names) in [("upper", COLUMNS), ("lower", "TA34")] {
        for row in tower.rows(table) {
            let number = (row.ts / 1_000_000_000 - start) / STEP;
            let is_after_step = truth.get(&("upper", "SW", number)) == Some(&"clock step");
            for (name, digit) in names.split(',').zip(row.flags.chars()) {
                let is_raised = matches!(digit, '3' | '4' | '9');
                let known = truth.iter().find(|(key, _)| key.0 == table && key.1 == name && key.2 == number);
                match known {
                    Some((_, fault)) if **fault == *FAINT => {}
                    Some((_, fault)) => {
                        let count = found.entry(fault).or_default();
                        count.0 += 1;
                        count.1 += u64::from(is_raised);
                    }
                    // The step is flagged on every value of its row.
                    None if is_after_step => {
                        if is_raised {
                            columns_of_step.insert(name);
                        }
                    }
                    None => {
                        good += 1;
                        if is_raised {
                            *flagged.entry(format!("{table}.{name}")).or_default() += 1;
                        }
                    }
                }
            }
        }
    }
    println!("fault                    values   found");
    for (fault, (values, raised)) in &found {
        println!("{fault:24} {values:6}  {raised:6}");
    }
    let false_alarms: u64 = flagged.values().sum();
    println!("good values {good}, flagged {false_alarms}: {flagged:?}");
    assert_eq!(found.len(), 7, "{found:?}");
    for (fault, (values, raised)) in &found {
        assert!(raised * 100 >= values * 97, "{fault}: {raised} of {values}");
    }
    assert_eq!(found["clock step"], (1, 1));
    assert!(false_alarms * 1_000 <= good * 5, "{false_alarms} of {good} good values: {flagged:?}");
}
