//! `turbulence`: a quick look at a sonic's scans, held against rotated scans.

use super::*;
use crate::support::dice::Dice;
use crate::support::turbulence::rotated;

const COLUMNS: [[&str; 3]; 6] = [
    ["Ux", "m/s", "Smp"],
    ["Uy", "m/s", "Smp"],
    ["Uz", "m/s", "Smp"],
    ["T_sonic", "C", "Smp"],
    ["CO2", "mg/m^3", "Smp"],
    ["diag_csat", "", "Smp"],
];
const KEYS: &str = "turbulence = [\"Ux\", \"Uy\", \"Uz\", \"T_sonic\", \"CO2\"]\nturbulence_pressure = 98.0\n\
    [table.columns.diag_csat]\ndiagnostic = \"csat3a\"\ngoverns = [\"Ux\", \"Uy\", \"Uz\", \"T_sonic\"]";

#[test]
fn a_quick_look_at_ten_hertz_is_that_of_scans_that_are_rotated_one_by_one() {
    let station = station(KEYS);
    let mut dice = Dice(5);
    let mut rows = BTreeMap::new();
    let mut scans: BTreeMap<NaiveDateTime, Vec<[f64; 5]>> = BTreeMap::new();
    for scan in 1..=2 * 18_000_i64 {
        let at = day(1) + TimeDelta::milliseconds(scan * 100);
        let mut part = |range: f64| (dice.below(2_000_001) as f64 / 1e6 - 1.0) * range;
        let lift = part(0.3);
        let values = [
            -2.5 + part(1.0) - lift,
            1.4 + part(0.8),
            0.08 + lift,
            21.0 + part(0.2) + lift,
            690.0 + part(9.0) - 4.0 * lift,
        ];
        let is_bad = scan % 37 == 0;
        let texts: Vec<String> = values.iter().map(|value| format!("{value:.5}")).collect();
        let read = [0, 1, 2, 3, 4].map(|place| texts[place].parse::<f64>().unwrap());
        // Of scans that the instrument calls bad, nothing counts.
        let diagnostic = if is_bad { "1" } else { "0" };
        rows.insert(at, [texts, vec![diagnostic.to_owned()]].concat());
        if !is_bad {
            scans.entry(end_of(at)).or_default().push(read);
        }
    }
    station.write("met.dat", file(&COLUMNS, &rows));
    let report = station.run_json(&["ingest"]).json();
    assert_eq!(report["tables"][1]["made"], 2, "{report}");
    let found = rows_of(&station, MADE);
    for (end, scans) in &scans {
        let made = &found[end];
        for (name, wanted) in rotated(scans) {
            let (value, flag) = &made[name];
            let value = value.as_f64().unwrap();
            assert!((value - wanted).abs() <= 1e-9 * wanted.abs(), "{end} {name}: {value} for {wanted}");
            assert_eq!(*flag, '2', "{end} {name}");
            assert_eq!(made[&format!("{name}_samples")].0, scans.len(), "{end} {name}");
        }
    }
    is_as_if_made_anew(&station);
}

#[test]
fn a_quick_look_is_in_no_file_for_ameriflux_and_init_proposes_it() {
    let mut rows = BTreeMap::new();
    for scan in 1..=400_i64 {
        let values = [1.5, 0.2, 0.1, 20.0, 690.0, 0.0].map(|value| format!("{}", value + (scan % 7) as f64 / 10.0));
        rows.insert(day(1) + TimeDelta::milliseconds(scan * 100), values.to_vec());
    }
    let station = Station::new();
    station.write("fast.dat", file(&COLUMNS, &rows).replace("T_sonic", "Ts"));
    station.run(&["init", "fast.dat", "--output", "drawn.toml"]).works();
    let drawn = std::fs::read_to_string(station.path("drawn.toml")).unwrap();
    assert!(drawn.contains("#turbulence = [\"Ux\", \"Uy\", \"Uz\", \"Ts\"]"), "{drawn}");
    let with = drawn.replace("#turbulence", "turbulence");
    std::fs::write(station.config_path(), with).unwrap();
    station.run(&["check"]).expect(1);
    let config = station.in_process().config;
    let quick: Vec<_> = config.tables[1].columns.iter().filter(|(name, _)| name.contains("_quick")).collect();
    assert!(quick.len() == 7 && quick.iter().all(|(_, column)| column.variable.is_none()), "{quick:?}");
    assert!(config.tables[1].columns["USTAR_quick"].quantity.as_ref().unwrap().contains("quick look"));
}
