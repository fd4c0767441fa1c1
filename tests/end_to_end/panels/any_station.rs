//! For any configuration and any columns in the store: what is sent is shown, and shown so that it can be told apart.

use fluxtower::view::panel::{plan, tables};
use proptest::prelude::*;

use super::{check_board, config, known, panels};

const VARIABLES: [&str; 9] = ["TA", "RH", "WS", "WS_MAX", "CO2", "SW_IN", "LW_OUT", "TS", "SWC"];
const UNITS: [&str; 6] = ["", "Deg C", "mV", "%", "umol/mol", "<i>"];
const NAMES: [&str; 8] = ["A", "a", "A_qc", "<b>", "TS(1)", "Batt_V", "🌲", "x\"y"];
const LEVELS: [&str; 7] = [
    "",
    "height = \"46m\"",
    "height = \"4600cm\"",
    "height = \"0m\"",
    "depth = \"0m\"",
    "depth = \"15cm\"",
    "depth = \"0-30cm\"",
];
const SENSORS: [&str; 4] = ["", "CNR1", "station 1", "station 2"];

/// What is said of a column: variable, quantity, level, sensor, use, unit.
type Said = (Option<usize>, bool, usize, usize, u8, usize);

fn said() -> impl Strategy<Value = Said> {
    (
        proptest::option::of(0..VARIABLES.len()),
        any::<bool>(),
        0..LEVELS.len(),
        0..SENSORS.len(),
        0..8_u8,
        0..UNITS.len(),
    )
}

fn section(name: &str, said: &Said) -> String {
    let (variable, has_quantity, level, sensor, column_use, _) = *said;
    let mut text = format!("[table.columns.'{name}']\n");
    if column_use == 0 {
        return text + "use = \"ignore\"\nfield = \"ignored\"\n";
    }
    if let Some(variable) = variable {
        text += &format!("variable = \"{}\"\n", VARIABLES[variable]);
    }
    if has_quantity {
        text += "quantity = \"Mystery <b>\"\n";
    }
    text += &format!("{}\n", LEVELS[level]);
    if sensor > 0 {
        text += &format!("sensor = \"{}\"\n", SENSORS[sensor]);
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_column_that_is_sent_is_on_a_panel(
        columns in proptest::collection::vec(proptest::collection::vec(said(), 0..NAMES.len() + 30), 1..4),
        is_configured in any::<bool>(),
        plots in 0..20_usize,
    ) {
        let mut text = String::new();
        let mut stored = Vec::new();
        let values: Vec<String> = (0..plots).map(|plot| format!("{}", plot / 2 * 2)).collect();
        for (number, columns) in columns.iter().enumerate() {
            let name = format!("t{number}");
            text += &format!("[[table]]\nname = \"{name}\"\nfiles = [\"{name}.dat\"]\n[table.columns.Plot]\nuse = \"tag\"\n");
            let names: Vec<String> = (0..columns.len())
                .map(|at| NAMES.get(at).map_or_else(|| format!("C({at})"), |name| (*name).to_owned()))
                .collect();
            for (column, said) in names.iter().zip(columns) {
                if is_configured || said.4 == 0 {
                    text += &section(column, said);
                }
            }
            let units: Vec<(&str, &str)> =
                names.iter().zip(columns).map(|(name, said)| (name.as_str(), UNITS[said.5])).collect();
            let tags: Vec<Vec<(&str, &str)>> = values.iter().map(|value| vec![("Plot", value.as_str())]).collect();
            let tags: Vec<&[(&str, &str)]> = tags.iter().map(Vec::as_slice).collect();
            stored.push(known(&name, &units, &tags));
        }
        // A name that is sent twice is refused by the configuration, and rightly.
        let config = config(&text);
        let board = plan(&config, &stored);
        check_board(&board);
        prop_assert_eq!(&plan(&config, &stored), &board);
        for table in tables(&config, &stored) {
            for column in table.columns {
                let shown = panels(&board).flat_map(|panel| &panel.series).filter(|series| {
                    series.table == column.table && series.column == column.name
                });
                let tags: std::collections::BTreeSet<_> = shown.map(|series| series.tags.clone()).collect();
                let all: std::collections::BTreeSet<_> = table.series.iter().cloned().collect();
                if column.is_sent {
                    prop_assert_eq!(&tags, &all, "{} of {}", column.name, column.table);
                } else {
                    prop_assert!(tags.is_empty());
                }
            }
        }
    }
}
