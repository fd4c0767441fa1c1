//! The sections of columns, tests and pairs, with every key. As `site.rs`.

use super::sections::Kind::{Flag, Group, Groups, Number, Numbers, NumbersAndTexts, Text, Texts, Whole, Wholes};
use super::sections::{DURATIONS, Key, MAY_BE_NOTHING, RANGES, Section, free, given, needed, refused};

const COLUMN: &str = "[station]\nname = \"US-UMB\"\nutc_offset = \"-05:00\"\n[destination]\nkind = \"files\"\n\
                      [[table]]\nname = \"met\"\nfiles = [\"met.dat\"]\n[table.columns.A]\n";
const TWO_TABLES: &str = "[station]\nname = \"US-UMB\"\nutc_offset = \"-05:00\"\n[destination]\nkind = \"files\"\n\
                          [[table]]\nname = \"met\"\nfiles = [\"met.dat\"]\n[[table]]\nname = \"soil\"\nfiles = [\"soil.dat\"]\n\
                          [[pair]]\n";
const PAIR: &str = "[station]\nname = \"US-UMB\"\nutc_offset = \"-05:00\"\n[destination]\nkind = \"files\"\n\
                    [[table]]\nname = \"met\"\nfiles = [\"met.dat\"]\n\
                    [[pair]]\nname = \"light\"\ntable = \"met\"\ncolumn = \"PPFD\"\nagainst = \"SW_IN\"\n";
const PAIR_WITH_MEASURE: &str = "[station]\nname = \"US-UMB\"\nutc_offset = \"-05:00\"\n[destination]\nkind = \"files\"\n\
                    [[table]]\nname = \"met\"\nfiles = [\"met.dat\"]\n\
                    [[pair]]\nname = \"light\"\ntable = \"met\"\ncolumn = \"PPFD\"\nagainst = \"SW_IN\"\n\
                    difference = { suspect = 2 }\n";
const COLUMN_TESTS: &[Key] = &[
    free("spike", Group, "{ suspect = 2 }", &["{}"]),
    free("rate_of_change", Group, "{ suspect = 2 }", &["{}"]),
    free("flat_line", Group, "{ suspect = \"2h\", tolerance = 0.1 }", &["{}"]),
    free("attenuated_signal", Group, "{ suspect = 2, window = \"1h\" }", &["{}"]),
    free("climatology", Group, "{ bands = [{ suspect = [0, 1] }] }", &["{}"]),
    refused("unit", Text, "\"hPa\""),
];
const COLUMN_DIAGNOSTIC: &[Key] = &[
    needed("diagnostic", Text, "\"csat3\"", &["\"csat\"", "\"anemometer\""]),
    needed("governs", Texts, "[\"Ux\"]", &["[]", "[\"\"]"]),
];
const COLUMN_DERIVED: &[Key] = &[
    needed("formula", Text, "\"TA + 273.15\"", &["\"\"", "\"TA +\"", "\"2 + 3\"", "\"TS(1) + 2\""]),
    given("unit", Text, "\"hPa\"", &["\"\""]),
];
const COLUMN_KEYS: &[Key] = &[
    free("use", Text, "\"field\"", &["\"tags\"", "\"skip\""]),
    free("type", Text, "\"integer\"", &["\"int\"", "\"string\""]),
    free("field", Text, "\"PPFD_46m\"", &["\"\"", "\"time\"", "\"_PPFD\"", "'PPFD\\46m'"]),
    free("variable", Text, "\"TA_1_1_1\"", &["\"PPFD\"", "\"BATTERY_VOLTAGE\"", "\"ta\""]),
    given("suspect", Numbers, "[11.5, 15]", RANGES),
    free("fail", Numbers, "[9.6, 18]", &["[1]", "[2, 1]"]),
    free("missing", NumbersAndTexts, "[]", &["[nan]"]),
    free("withhold", Flag, "true", &[]),
    free("kind", Text, "\"direction\"", &["\"Direction\"", "\"angle\""]),
    free("quantity", Text, "\"Air temperature\"", &["\"\"", "\" Air\""]),
    given("height", Text, "\"46m\"", &["\"46\"", "\"-2m\"", "\"0-30cm\"", "\"4600m\"", "\"150 ft\""]),
    free("depth", Text, "\"7.5cm\"", &["\"\"", "\"30-0cm\"", "\"7,5cm\""]).instead_of(&["height"]),
    free("sensor", Text, "\"CNR1\"", &["\"\""]),
];

pub const SECTIONS: &[Section] = &[
    Section {
        name: "time_gap",
        heading: "time_gap",
        before: "[station]\nname = \"US-UMB\"\nutc_offset = \"-05:00\"\n[destination]\nkind = \"files\"\n\
                 [[table]]\nname = \"met\"\nfiles = [\"met.dat\"]\n",
        group: Some(("time_gap = { ", " }")),
        after: "",
        keys: &[&[
            needed("suspect", Text, "\"12m\"", DURATIONS),
            free("fail", Text, "\"2h\"", &["\"2\"", "\"0s\"", "\"5m\""]),
        ]],
        elsewhere: &[],
    },
    Section {
        name: "column",
        heading: "[table.columns.NAME]",
        before: COLUMN,
        group: None,
        after: "",
        keys: &[COLUMN_KEYS, COLUMN_TESTS],
        elsewhere: &[COLUMN_DIAGNOSTIC, COLUMN_DERIVED],
    },
    Section {
        name: "column_diagnostic",
        heading: "[table.columns.NAME]",
        before: COLUMN,
        group: None,
        after: "",
        keys: &[COLUMN_DIAGNOSTIC],
        elsewhere: &[COLUMN_KEYS, COLUMN_TESTS, COLUMN_DERIVED],
    },
    Section {
        name: "column_derived",
        heading: "[table.columns.NAME]",
        before: COLUMN,
        group: None,
        after: "",
        keys: &[COLUMN_DERIVED],
        elsewhere: &[COLUMN_KEYS, COLUMN_TESTS, COLUMN_DIAGNOSTIC],
    },
    Section {
        name: "column_tag",
        heading: "[table.columns.NAME]",
        before: COLUMN,
        group: None,
        after: "",
        keys: &[&[
            given("use", Text, "\"tag\"", &[]),
            free("field", Text, "\"plot\"", &["\"time\"", "\"station\""]),
            refused("type", Text, "\"text\""),
            refused("variable", Text, "\"TA\""),
            refused("suspect", Numbers, "[0, 1]"),
            refused("fail", Numbers, "[0, 1]"),
            refused("missing", NumbersAndTexts, "[7999]"),
            refused("withhold", Flag, "true"),
            refused("unit", Text, "\"hPa\""),
            refused("formula", Text, "\"TA + 1\""),
            refused("spike", Group, "{ suspect = 2 }"),
            refused("rate_of_change", Group, "{ suspect = 2 }"),
            refused("flat_line", Group, "{ suspect = \"2h\", tolerance = 0.1 }"),
            refused("attenuated_signal", Group, "{ suspect = 2, window = \"1h\" }"),
            refused("climatology", Group, "{ bands = [{ suspect = [0, 1] }] }"),
            refused("diagnostic", Text, "\"csat3\""),
            refused("governs", Texts, "[\"Ux\"]"),
            refused("kind", Text, "\"direction\""),
            refused("quantity", Text, "\"Air temperature\""),
            refused("height", Text, "\"46m\""),
            refused("depth", Text, "\"7.5cm\""),
            refused("sensor", Text, "\"CNR1\""),
        ]],
        elsewhere: &[],
    },
    Section {
        name: "spike",
        heading: "spike",
        before: COLUMN,
        group: Some(("spike = { ", " }")),
        after: "",
        keys: &[&[
            needed("suspect", Number, "2", &["0", "-1", "nan"]),
            free("fail", Number, "5", &["0", "1", "inf"]),
            free("method", Text, "\"differential\"", &["\"diff\"", "\"median\""]),
        ]],
        elsewhere: &[],
    },
    Section {
        name: "rate_of_change",
        heading: "rate_of_change",
        before: COLUMN,
        group: Some(("rate_of_change = { ", " }")),
        after: "",
        keys: &[&[
            needed("suspect", Number, "2", &["0", "-1"]),
            free("fail", Number, "5", &["0", "1"]),
            free("per", Text, "\"5m\"", DURATIONS),
        ]],
        elsewhere: &[],
    },
    Section {
        name: "flat_line",
        heading: "flat_line",
        before: COLUMN,
        group: Some(("flat_line = { ", " }")),
        after: "",
        keys: &[&[
            needed("suspect", Text, "\"2h\"", DURATIONS),
            free("fail", Text, "\"6h\"", &["\"6\"", "\"1h\""]),
            needed("tolerance", Number, "0.01", &["0", "-1"]),
            free("except", Numbers, "[99, 101]", RANGES),
        ]],
        elsewhere: &[],
    },
    Section {
        name: "attenuated_signal",
        heading: "attenuated_signal",
        before: COLUMN,
        group: Some(("attenuated_signal = { ", " }")),
        after: "",
        keys: &[&[
            needed("suspect", Number, "0.05", &["0", "-1"]),
            free("fail", Number, "0.01", &["0", "1"]),
            needed("window", Text, "\"30m\"", DURATIONS),
            free("by", Text, "\"range\"", &["\"std\"", "\"deviatoin\""]),
            free("least", Whole, "10", &["0", "-1", "2_000_000"]),
        ]],
        elsewhere: &[],
    },
    Section {
        name: "climatology",
        heading: "climatology",
        before: COLUMN,
        group: Some(("climatology = { ", " }")),
        after: "",
        keys: &[&[
            needed("file", Text, "\"bands.csv\"", &["\"\"", "\"met.csv\""]),
            given("variable", Text, "\"TA\"", &["\"\"", "\"SWC\""]),
            needed("suspect", Texts, "[\"p2_5\", \"p97_5\"]", &["[\"p2_5\"]", "[\"p2\", \"p97_5\"]", "[]"]),
            free("fail", Texts, "[\"p0_5\", \"p99_5\"]", &["[\"p0_5\"]", "[\"p2_5\", \"p50\"]"]),
            free("margin", Number, "3", &["-1", "nan"]),
            free("bands", Groups, "[{ suspect = [0, 1] }]", &["[]", "[{}]"])
                .instead_of(&["file", "variable", "suspect"]),
        ]],
        elsewhere: &[],
    },
    Section {
        name: "climatology_bands",
        heading: "bands",
        before: COLUMN,
        group: Some(("climatology = { bands = [{ ", " }] }")),
        after: "",
        keys: &[&[
            free("months", Wholes, "[6, 8]", &["[0, 3]", "[6, 13]", "[6]", "[6, 7, 8]"]),
            free("days", Wholes, "[1, 90]", &["[0, 90]", "[1, 367]"]),
            free("hours", Wholes, "[0, 5]", &["[0, 24]", "[-1, 5]"]),
            free(
                "dates",
                Texts,
                "[\"2026-06-01\", \"2026-08-31 23:59:59\"]",
                &["[\"June\", \"July\"]", "[\"2026-06-01\"]", "[\"2026-08-31\", \"2026-06-01\"]"],
            ),
            needed("suspect", Numbers, "[5, 30]", RANGES),
            free("fail", Numbers, "[0, 40]", &["[10, 20]", "[40, 0]"]),
        ]],
        elsewhere: &[],
    },
    Section {
        name: "pair",
        heading: "[[pair]]",
        before: TWO_TABLES,
        group: None,
        after: "",
        keys: &[&[
            needed("name", Text, "\"two heights\"", &["\"\""]),
            needed("table", Text, "\"met\"", &["\"mett\"", "\"\""]),
            needed("column", Text, "\"TA_46m\"", &["\"\""]),
            given("against_table", Text, "\"soil\"", &["\"sole\""]),
            needed("against", Text, "\"TA_34m\"", &["\"\""]),
            needed("difference", Group, "{ suspect = 2, fail = 5 }", &["{}"]),
            free("ratio", Group, "{ suspect = [1.8, 2.3] }", &["{}"]).instead_of(&["difference"]),
            free("when", Group, "{ column = \"SW_IN\", above = 20 }", &["{}"]),
            free("within", Text, "\"30s\"", MAY_BE_NOTHING),
            free("flags", Text, "\"column\"", &["\"first\"", "\"colum\""]),
        ]],
        elsewhere: &[],
    },
    Section {
        name: "pair_difference",
        heading: "difference",
        before: PAIR,
        group: Some(("difference = { ", " }")),
        after: "",
        keys: &[&[needed("suspect", Number, "2", &["0", "-1"]), free("fail", Number, "5", &["0", "1"])]],
        elsewhere: &[],
    },
    Section {
        name: "pair_ratio",
        heading: "ratio",
        before: PAIR,
        group: Some(("ratio = { ", " }")),
        after: "",
        keys: &[&[
            needed("suspect", Numbers, "[1.8, 2.3]", RANGES),
            free("fail", Numbers, "[1.2, 3]", &["[2, 2.1]", "[3, 1.2]"]),
        ]],
        elsewhere: &[],
    },
    Section {
        name: "pair_when",
        heading: "when",
        before: PAIR_WITH_MEASURE,
        group: Some(("when = { ", " }")),
        after: "",
        keys: &[&[
            needed("column", Text, "\"SW_IN\"", &["\"\""]),
            needed("above", Number, "20", &["nan"]),
            free("below", Number, "900", &["5", "nan"]),
        ]],
        elsewhere: &[],
    },
];
