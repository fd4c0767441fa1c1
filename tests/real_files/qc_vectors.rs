//! The flags of ioos_qc 3.0, QARTOD's reference implementation, case by case.
//!
//! The cases stand in a file beside the project (`FLUXTOWER_QC_VECTORS`), because they are somebody else's output. Where
//! fluxtower flags otherwise, the case stands in [`DIFFERENT`] with the reason; anything else must be equal.

use std::path::Path;

use fluxtower::config::Config;
use fluxtower::format::Value;
use fluxtower::qc::{Flag, Series, TableTests};
use fluxtower::time::Timestamp;
use serde_json::Value as Json;

/// Case, test within a series (or empty), our flags, and why.
const DIFFERENT: &[(&str, &str, &str, &str)] = &[
    ("gr_inf", "", "991", "an infinite value is no measurement: missing, as everywhere else in ioos_qc"),
    (
        "spk_avg_zero_threshold",
        "",
        "",
        "a threshold of 0 is refused by the configuration instead of switching the test off",
    ),
    ("roc_after_nan", "", "1923", "a jump may hide in a gap: not evaluated, not passed"),
    ("roc_10hz", "", "1331", "true seconds: 50, 5 and 1 per second, not steps cut to whole seconds"),
    (
        "flat_from_start",
        "",
        "12233444",
        "until the window is full it may have stood still for longer than there are rows",
    ),
    ("flat_slow_drift", "", "1223333333", "as flat_from_start"),
    ("flat_broken_by_spike", "", "1223111133", "as flat_from_start"),
    ("s07_SWC_quasi_constant", "flat_long", "1222222222222222222211111111111111", "as flat_from_start"),
    ("s07_SWC_quasi_constant", "flat_short", "1222223333334444444411111133331111", "as flat_from_start"),
    ("clim_overlap_last_wins", "", "11", "midnight of 1 July ends a day of June"),
    ("clim_hour", "", "231", "06:00 ends the hour from 05:00, and midnight the day before"),
    ("gap_default", "", "1113", "the gap is wrong, not the value behind it"),
    ("gap_half_hour", "", "113", "as gap_default"),
    ("flat_after_long_nan", "", "1999992", "one value in the window is no line"),
    ("flat_two_points_nan", "", "19", "a missing value is missing, however few rows there are"),
    ("flat_thr_below_dt", "", "122222", "a span that holds one value cannot be judged"),
    ("att_range_whole_exact", "", "", "a window is required: a test of the whole series would need the future"),
    ("s13_three_points_nan_mid", "roc", "192", "as roc_after_nan"),
    (
        "s17_flat_across_gap",
        "flat",
        "1223339999999999992444444",
        "as flat_from_start, and as flat_after_long_nan at the first value after the gap",
    ),
    ("s17_flat_across_gap", "aggregate", "1113339999999999991444444", "as above; the range test passes it"),
];

/// Tests of ioos_qc that fluxtower does not have.
const NOT_HERE: &[(&str, &str)] = &[
    ("duplicate_timestamp_test", "a time stands once in the store: the second is a duplicate or a conflict"),
    ("data_reception_test", "`status` says how old the newest row is"),
    ("syntax_test", "a line of another shape is rejected with its text"),
    ("density_inversion_test", "for profiles of water"),
    ("location_test", "a tower does not move"),
];

#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    pub times: &'a Json,
    pub values: &'a Json,
}

fn number(value: &Json) -> Value {
    match value {
        Json::Number(number) => Value::Number(number.as_f64().unwrap()),
        _ => Value::Missing,
    }
}

fn times(case: Case<'_>, count: usize) -> Vec<Timestamp> {
    match case.times.as_array() {
        Some(times) => times
            .iter()
            .map(|time| {
                let time = chrono::DateTime::parse_from_rfc3339(time.as_str().unwrap()).unwrap();
                Timestamp::from_utc(time.to_utc())
            })
            .collect(),
        None => (0..count).map(|row| Timestamp::from_nanos(row as i64 * 60_000_000_000)).collect(),
    }
}

fn span(list: &Json) -> String {
    let mut ends: Vec<f64> = list.as_array().unwrap().iter().map(|end| end.as_f64().unwrap()).collect();
    ends.sort_by(f64::total_cmp);
    format!("[{:?}, {:?}]", ends[0], ends[1])
}

/// `key = value` where the case has it.
fn part(config: &Json, theirs: &str, ours: &str, spell: impl Fn(&Json) -> String) -> Option<String> {
    config.get(theirs).filter(|value| !value.is_null()).map(|value| format!("{ours} = {}", spell(value)))
}

fn plain(value: &Json) -> String {
    format!("{:?}", value.as_f64().unwrap())
}

fn seconds(value: &Json) -> String {
    format!("\"{}s\"", value.as_f64().unwrap())
}

/// The column's keys for one test of ioos_qc.
fn spelled(test: &str, config: &Json) -> String {
    let list = |parts: &[Option<String>]| parts.iter().flatten().cloned().collect::<Vec<_>>().join(", ");
    match test {
        "gross_range_test" => {
            let parts = [part(config, "suspect_span", "suspect", span), part(config, "fail_span", "fail", span)];
            parts.into_iter().flatten().collect::<Vec<_>>().join("\n")
        }
        "spike_test" => format!(
            "spike = {{ {} }}",
            list(&[
                part(config, "suspect_threshold", "suspect", plain),
                part(config, "fail_threshold", "fail", plain),
                part(config, "method", "method", Json::to_string),
            ])
        ),
        "rate_of_change_test" => format!(
            "rate_of_change = {{ {} }}",
            list(&[part(config, "threshold", "suspect", plain), part(config, "fail_threshold", "fail", plain)])
        ),
        "flat_line_test" => format!(
            "flat_line = {{ {} }}",
            list(&[
                part(config, "suspect_threshold", "suspect", seconds),
                part(config, "fail_threshold", "fail", seconds),
                part(config, "tolerance", "tolerance", plain),
            ])
        ),
        "attenuated_signal_test" => {
            let by = |kind: &Json| if kind == "std" { "\"deviation\"".to_owned() } else { "\"range\"".to_owned() };
            // Without min_obs, ioos_qc judges a window of one value.
            let least = config.get("min_obs").and_then(Json::as_u64).unwrap_or(1);
            format!(
                "attenuated_signal = {{ {}, least = {least} }}",
                list(&[
                    part(config, "suspect_threshold", "suspect", plain),
                    part(config, "fail_threshold", "fail", plain),
                    part(config, "test_period", "window", seconds),
                    part(config, "check_type", "by", by),
                ])
            )
        }
        "climatology_test" => {
            let member = |member: &Json| {
                let key = match member.get("period").and_then(Json::as_str) {
                    None => "dates",
                    Some("month") => "months",
                    Some("hour") => "hours",
                    Some("dayofyear") => "days",
                    Some(period) => panic!("no period {period} here"),
                };
                let keys = [
                    part(member, "tspan", key, Json::to_string),
                    part(member, "vspan", "suspect", span),
                    part(member, "fspan", "fail", span),
                ];
                format!("{{ {} }}", list(&keys))
            };
            let members: Vec<String> = config["config"].as_array().unwrap().iter().map(member).collect();
            format!("climatology = {{ bands = [{}] }}", members.join(", "))
        }
        other => panic!("no test {other}"),
    }
}

/// The flags of one column `x` with these keys.
fn flags(table_keys: &str, column_keys: &str, case: Case<'_>) -> String {
    let text = format!(
        "[station]\nname = \"X\"\nutc_offset = \"+00:00\"\n[destination]\nkind = \"files\"\n[[table]]\nname = \"t\"\nfiles = \
         [\"t.dat\"]\n{table_keys}\n[table.columns.x]\n{column_keys}\n"
    );
    let config = Config::parse(&text, Path::new("config.toml")).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let tests = TableTests::new(&config.spec(&config.tables[0]), &["x".to_owned()], Vec::new());
    let mut series = Series::new(&tests);
    let values: Vec<Value> = match case.values.as_array() {
        Some(values) => values.iter().map(number).collect(),
        None => vec![Value::Number(1.0); case.times.as_array().unwrap().len()],
    };
    let mut out = String::new();
    for (row, (ts, value)) in times(case, values.len()).into_iter().zip(&values).enumerate() {
        series.push(&tests, ts, &[*value], &[]);
        if row > 0 {
            out.push_str(&series.before().flags);
        }
    }
    if !values.is_empty() {
        series.close();
        out.push_str(&series.current().flags);
    }
    out
}

fn digits(flags: &Json) -> String {
    flags.as_array().unwrap().iter().map(Json::to_string).collect()
}

/// Our flags of a case.
pub fn case_flags(test: &str, config: &Json, inputs: Case<'_>) -> String {
    match test {
        "qartod_compare" => {
            let vectors = config["vectors"].as_array().unwrap();
            let flag = |value: &Json| Flag::from_digit(b'0' + u8::try_from(value.as_u64().unwrap()).unwrap());
            (0..vectors[0].as_array().unwrap().len())
                .map(|at| {
                    let of_one = vectors.iter().map(|vector| flag(&vector[at]).unwrap());
                    char::from(of_one.reduce(Flag::roll_up).unwrap().digit())
                })
                .collect()
        }
        // A gap says nothing good about a value, so a range that passes stands beside it.
        "time_gap_test" => {
            let hours = config["fail_span"].as_f64().unwrap();
            let gap = format!("time_gap = {{ fail = \"{}s\" }}", hours * 3600.0);
            flags(&gap, "fail = [0, 2]", inputs)
        }
        _ => flags("", &spelled(test, config), inputs),
    }
}

/// Counts an equal case; a different one must be listed.
fn compare(id: &str, test: &str, ours: &str, theirs: &str, wrong: &mut Vec<String>) -> bool {
    let listed = DIFFERENT.iter().find(|entry| entry.0 == id && entry.1 == test);
    match listed {
        None if ours == theirs => true,
        Some(entry) if ours == entry.2 => {
            println!("differs as documented: {id} {test}: {ours}, ioos_qc {theirs}: {}", entry.3);
            false
        }
        _ => {
            wrong.push(format!("{id} {test}: ours {ours}, ioos_qc {theirs}, listed {:?}", listed.map(|entry| entry.2)));
            false
        }
    }
}

#[test]
#[ignore = "needs FLUXTOWER_QC_VECTORS, the file of cases; .ci/run gives it"]
fn every_case_of_ioos_qc_gives_equal_flags_but_for_its_documented_mistakes() {
    let path = std::env::var("FLUXTOWER_QC_VECTORS").expect("FLUXTOWER_QC_VECTORS names the file of cases");
    let file: Json = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let (mut equal, mut wrong) = (0, Vec::new());
    for case in file["unit"].as_array().unwrap() {
        let (id, test) = (case["id"].as_str().unwrap(), case["test"].as_str().unwrap());
        if let Some((_, why)) = NOT_HERE.iter().find(|entry| entry.0 == test) {
            println!("not here: {id}: {why}");
            continue;
        }
        if DIFFERENT.iter().any(|entry| entry.0 == id && entry.2.is_empty()) {
            println!("differs as documented: {id}: {}", DIFFERENT.iter().find(|entry| entry.0 == id).unwrap().3);
            continue;
        }
        let theirs = digits(&case["flags"]);
        let inputs = Case { times: &case["times"], values: &case["values"] };
        let ours = case_flags(test, &case["config"], inputs);
        equal += usize::from(compare(id, "", &ours, &theirs, &mut wrong));
    }
    let mut of_series = 0;
    for series in file["series"].as_array().unwrap() {
        let id = series["id"].as_str().unwrap();
        let inputs = Case { times: &series["times"], values: &series["values"] };
        let mut all = Vec::new();
        for (name, test) in series["tests"].as_object().unwrap() {
            let keys = spelled(test["test"].as_str().unwrap(), &test["config"]);
            let ours = flags("", &keys, inputs);
            of_series += usize::from(compare(id, name, &ours, &digits(&test["flags"]), &mut wrong));
            all.push((name.clone(), keys));
        }
        // A column has one test of a kind, so kinds that come twice are rolled up from their own flags.
        let kinds: std::collections::BTreeSet<&str> =
            all.iter().map(|(_, keys)| keys.split(' ').next().unwrap()).collect();
        let ours = if kinds.len() == all.len() {
            flags("", &all.iter().map(|(_, keys)| keys.as_str()).collect::<Vec<_>>().join("\n"), inputs)
        } else {
            let each: Vec<String> = all.iter().map(|(_, keys)| flags("", keys, inputs)).collect();
            (0..each[0].len())
                .map(|at| {
                    let of_one = each.iter().map(|flags| Flag::from_digit(flags.as_bytes()[at]).unwrap());
                    char::from(of_one.reduce(Flag::roll_up).unwrap().digit())
                })
                .collect()
        };
        of_series += usize::from(compare(id, "aggregate", &ours, &digits(&series["aggregate"]), &mut wrong));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    println!("{equal} cases and {of_series} tests of series are equal");
    assert!(equal >= 25 && of_series >= 30, "{equal} cases, {of_series} tests of series");
}
