//! `[[panel]]`, with every key. As `site.rs`.

use super::sections::Kind::{Flag, Numbers, Text, Texts};
use super::sections::{DURATIONS, Key, RANGES, Section, free, given, needed};

const PANEL: &str = concat!(
    toml!(station),
    toml!(files),
    toml!(met),
    "[table.columns.Plot]\nuse = \"tag\"\n[table.columns.Spare]\nuse = \"ignore\"\n[[table]]\nname = \"plots\"\nfiles = [\"plots.tst\"]\nformat = \"csv\"\nnames = [\"Time\", \"Temp\"]\ntime_column = \"Time\"\n[[panel]]\n"
);
const PANEL_OF_ONE: &str =
    concat!(toml!(station), toml!(files), toml!(met), "[[panel]]\ntitle = \"Wind\"\ncolumns = [\"met/WS\"]\n");
const KEYS: &[Key] = &[
    needed("title", Text, "\"CO2 by height\"", &["\"\"", "\" CO2\""]),
    free("row", Text, "\"Gases\"", &["\"\""]),
    free("kind", Text, "\"latest\"", &["\"line\"", "\"stat\""]),
    needed(
        "columns",
        Texts,
        "[\"met/CO2\"]",
        &[
            "[]",
            "[\"CO2\"]",
            "[\"met/\"]",
            "[\"mett/CO2\"]",
            "[\"soil/TS\"]",
            "[\"met/CO2\", \"met/CO2\"]",
            "[\"met/Plot\"]",
            "[\"met/Spare\"]",
            "[\"plots/Tmp\"]",
            "[\"plots/Time\"]",
        ],
    ),
    free("labels", Texts, "[\"46 m\"]", &["[]", "[\"46 m\", \"34 m\"]", "[\"\"]", "[\"a\", \"a\"]"]),
    free("unit", Text, "\"ppm\"", &["\"\""]),
    free("bounds", Numbers, "[375, 425]", RANGES),
    free("mean", Text, "\"10m\"", DURATIONS),
    free("description", Text, "\"Means of 10 minutes.\"", &["\"\""]),
    free("hide", Flag, "true", &[]).instead_of(&["columns"]),
];
const RIGHT: &[Key] = &[
    given("right", Texts, "[\"met/WD\"]", &["[]", "[\"WD\"]", "[\"met/WS\"]", "[\"mett/WD\"]"]),
    free("right_bounds", Numbers, "[0, 360]", &["[1]", "[360, 0]", "[0, inf]", "[5, 5]"]),
];

pub const SECTIONS: &[Section] = &[
    Section {
        name: "panel",
        heading: "[[panel]]",
        before: PANEL,
        group: None,
        after: "",
        keys: &[KEYS],
        elsewhere: &[RIGHT],
    },
    Section {
        name: "panel_right",
        heading: "[[panel]]",
        before: PANEL_OF_ONE,
        group: None,
        after: "",
        keys: &[RIGHT],
        elsewhere: &[KEYS],
    },
];
