//! Tests the rules of the line row by row, and parses the lines with a parser of other authors.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, FixedOffset};
use influxdb_line_protocol::{FieldValue, parse_lines};
use proptest::prelude::*;

use super::*;
use crate::ameriflux::Range;
use crate::config::{ColumnConfig, FileFormat, OnConflict, TableName};
use crate::time::StationClock;

const AT: Timestamp = Timestamp::from_nanos(1_780_272_000_000_000_000);

fn table(columns: &[(&str, ColumnConfig)]) -> TableConfig {
    TableConfig {
        name: TableName("46m_par".to_owned()),
        events: false,
        files: Vec::new(),
        format: FileFormat::Logger(None),
        after: crate::config::After::Keep,
        closed_after: Duration::from_secs(86_400),
        logger_table: None,
        measurement: "fastdata".to_owned(),
        tags: BTreeMap::from([("station".to_owned(), "US-UMB".to_owned())]),
        bucket: None,
        position: None,
        clock: StationClock::Fixed(FixedOffset::east_opt(0).unwrap()),
        station_clock: StationClock::Fixed(FixedOffset::east_opt(0).unwrap()),
        stamps: StationClock::Fixed(FixedOffset::east_opt(0).unwrap()).into(),
        on_conflict: OnConflict::Keep,
        samples: Default::default(),
        last_line_after: Duration::from_secs(600),
        valid_from: DateTime::UNIX_EPOCH,
        sentinels: Default::default(),
        stale_after: None,
        quality: Default::default(),
        level: None,
        sensor: None,
        columns: columns.iter().map(|(name, config)| ((*name).to_owned(), config.clone())).collect(),
        made_of: None,
    }
}

fn ranged() -> ColumnConfig {
    ColumnConfig { range: Some(Range { suspect: (0.0, 1.0), fail: (0.0, 2.0) }), ..ColumnConfig::default() }
}

fn used_as(column_use: ColumnUse) -> ColumnConfig {
    ColumnConfig { column_use, ..ColumnConfig::default() }
}

fn sent_as(field: &str) -> ColumnConfig {
    ColumnConfig { field: Some(field.to_owned()), ..ColumnConfig::default() }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// The line without the parts that are equal in most cases.
fn fields(table: &TableConfig, columns: &[&str], values: &str, flags: &str) -> String {
    let shape = LineShape::new(table, &names(columns), &[]).unwrap();
    let mut out = Vec::new();
    shape.render(AT, values, flags, &mut out).unwrap();
    let line = String::from_utf8(out).unwrap();
    line.strip_prefix("fastdata,station=US-UMB ")
        .and_then(|line| line.strip_suffix(" 1780272000000000000\n"))
        .unwrap_or_else(|| panic!("head or time of {line:?}"))
        .to_owned()
}

#[test]
fn a_row_is_one_line_with_tags_fields_and_time() {
    let shape = LineShape::new(&table(&[]), &names(&["PAR", "BattV"]), &pairs(&[("plot", "A 1")])).unwrap();
    let mut out = b"before\n".to_vec();
    shape.render(Timestamp::from_nanos(-5), "[1.50,12]", "22", &mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), "before\nfastdata,plot=A\\ 1,station=US-UMB PAR=1.50,BattV=12 -5\n");
}

#[test]
fn i8_only_finite_numbers_are_values_and_they_keep_their_bytes() {
    for (values, flags, sent) in [
        ("[1,2.50]", "11", "a=1,b=2.50"),
        ("[-0,1E+5]", "11", "a=-0,b=1E+5"),
        ("[.5,+7]", "11", "a=0.5,b=7.0"),
        ("[1,null]", "19", "a=1"),
        ("[1,\"NAN\"]", "12", "a=1"),
        ("[1,\"5\"]", "12", "a=1"),
        ("[1,1e400]", "11", "a=1"),
        ("[1,-7999]", "19", "a=1"),
        ("[1]", "1", "a=1"),
        ("[3e2,true]", "12", "a=3e2"),
    ] {
        assert_eq!(fields(&table(&[]), &["a", "b"], values, flags), sent, "{values} {flags}");
    }
}

#[test]
fn a_flag_goes_out_with_each_field_that_has_a_range() {
    let table = table(&[("a", ranged()), ("c", ranged())]);
    for (values, flags, sent) in [
        ("[1,2,3]", "134", "a=1,a_qc=1,b=2,c=3,c_qc=4"),
        ("[null,2,3]", "921", "a_qc=9,b=2,c=3,c_qc=1"),
        // Staged before the table had c: the line is unchanged (I7).
        ("[1,2]", "12", "a=1,a_qc=1,b=2"),
        ("[1,null,-9999]", "199", "a=1,a_qc=1,c_qc=9"),
        // A text that no test judged is not sent, and its flag says nothing.
        ("[\"x\",2,3]", "221", "b=2,c=3,c_qc=1"),
    ] {
        assert_eq!(fields(&table, &["a", "b", "c"], values, flags), sent, "{values} {flags}");
    }
}

#[test]
fn a_row_without_a_value_carries_the_flags_of_all_fields_but_those_with_a_text_that_is_never_sent() {
    let table = table(&[("a", ranged()), ("plot", used_as(ColumnUse::Tag)), ("x", used_as(ColumnUse::Ignore))]);
    for (values, flags, sent) in
        [("[null,\"p\",1,null,null]", "92299", "a_qc=9,b_qc=9,c_qc=9"), ("[null,\"p\",1]", "922", "a_qc=9")]
    {
        assert_eq!(fields(&table, &["a", "plot", "x", "b", "c"], values, flags), sent, "{values}");
    }
    assert_eq!(fields(&table, &["a", "plot", "x", "b", "c"], "[null,\"p\",1,\"s\",9]", "92229"), "a_qc=9,c_qc=9");
    assert_eq!(fields(&table, &["b", "plot"], "[\"s\",\"p\"]", "22"), "b_qc=2", "one flag goes out in every row");
}

#[test]
fn a_column_that_holds_no_numbers_has_no_flag_in_a_row_without_a_value() {
    let table = table(&[("a", ranged())]);
    let shape = LineShape::new(&table, &names(&["a", "a_TMn"]), &[]).unwrap().without_numbers_in([1]);
    let mut out = Vec::new();
    shape.render(AT, "[null,null]", "99", &mut out).unwrap();
    assert!(String::from_utf8(out).unwrap().contains(" a_qc=9 "));
    assert_eq!(sent(&shape, "[null,null]", "99"), "a_qc=9", "verify expects what was sent");
}

#[test]
fn tag_and_ignored_columns_are_no_fields() {
    let mut table = table(&[("plot", used_as(ColumnUse::Tag)), ("x", used_as(ColumnUse::Ignore))]);
    assert_eq!(fields(&table, &["plot", "x", "T"], "[\"A\",5,1]", "221"), "T=1");
    let nothing = LineShape::new(&table, &names(&["plot", "x"]), &[]);
    assert_eq!(nothing.unwrap_err(), LineError::NothingToSend { measurement: "fastdata".to_owned() });
    table.measurement = "\\".to_owned();
    assert_eq!(LineShape::new(&table, &names(&["T"]), &[]).unwrap().measurement(), "/");
}

#[test]
fn tags_are_clean_sorted_and_never_empty() {
    let mut table = table(&[("Plot No", ColumnConfig { column_use: ColumnUse::Tag, ..sent_as("plot") })]);
    table.tags.insert("height".to_owned(), "46m".to_owned());
    table.tags.insert("empty".to_owned(), String::new());
    table.tags.insert("_field".to_owned(), "C:\\".to_owned());
    table.tags.insert("time".to_owned(), "a,b=c d".to_owned());
    let shape = LineShape::new(&table, &names(&["T"]), &pairs(&[("Plot No", "7"), ("Z\n", "")])).unwrap();
    let sent = [("field", "C:/"), ("height", "46m"), ("plot", "7"), ("station", "US-UMB"), ("time_2", "a,b=c d")];
    assert_eq!(shape.tags(), pairs(&sent));
    let mut out = Vec::new();
    shape.render(AT, "[1]", "1", &mut out).unwrap();
    let head = "fastdata,field=C:/,height=46m,plot=7,station=US-UMB,time_2=a\\,b\\=c\\ d T=1 ";
    assert!(String::from_utf8(out).unwrap().starts_with(head));
}

#[test]
fn names_that_fall_together_stay_apart() {
    for (config, columns, sent) in [
        (vec![], vec!["a\\b", "a/b", "a/b_2"], "a/b_3=1,a/b=2,a/b_2=3"),
        (vec![], vec!["station", "T", "_T"], "station_2=1,T=2,T_2=3"),
        (vec![("T", ranged())], vec!["T", "T_qc", "x"], "T=1,T_qc=1,T_qc_2=2,x=3"),
        (vec![("T", ranged())], vec!["T_qc", "T", "x"], "T_qc_2=1,T=2,T_qc=1,x=3"),
        (vec![], vec!["_x", "x", "y"], "x_2=1,x=2,y=3"),
        (vec![], vec!["time", "time_2", "y"], "time_3=1,time_2=2,y=3"),
        (vec![("T", sent_as("x")), ("U", sent_as("x"))], vec!["T", "U", "x"], "x_2=1,x_3=2,x=3"),
        (vec![("x", used_as(ColumnUse::Tag))], vec!["y", "z", "x", "_x"], "y=1,z=2,x_2=4"),
        (vec![], vec!["time", "", " "], "time_2=1,unnamed=2,unnamed_2=3"),
        (vec![], vec!["TH1(5)", "DataFilled(1,1)", "a b=c"], "TH1(5)=1,DataFilled(1\\,1)=2,a\\ b\\=c=3"),
    ] {
        let values = if columns.len() == 4 { "[1,2,3,4]" } else { "[1,2,3]" };
        let flags = "1".repeat(columns.len());
        assert_eq!(fields(&table(&config), &columns, values, &flags), sent, "{columns:?}");
    }
}

#[test]
fn names_do_not_depend_on_the_order_of_the_columns() {
    let table = table(&[("T", ranged()), ("U", sent_as("x"))]);
    let all = ["_x", "x", "T", "T_qc", "time", "time_2", "a\\b", "a/b", "U"];
    let sent = |columns: &[&str]| -> BTreeMap<String, (String, String)> {
        let shape = LineShape::new(&table, &names(columns), &[]).unwrap();
        let sent: Vec<String> = shape.sent_names().map(str::to_owned).collect();
        let pairs = sent.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone()));
        columns.iter().map(|column| (*column).to_owned()).zip(pairs).collect()
    };
    let mut turned = all;
    let wanted = sent(&all);
    assert_eq!(wanted["x"], ("x".to_owned(), "x_qc".to_owned()));
    assert_eq!(wanted["T"], ("T".to_owned(), "T_qc".to_owned()));
    for _ in 0..all.len() {
        turned.rotate_left(1);
        assert_eq!(sent(&turned), wanted, "{turned:?}");
        let mut mirrored = turned;
        mirrored.reverse();
        assert_eq!(sent(&mirrored), wanted, "{mirrored:?}");
    }
}

#[test]
fn i7_a_longer_column_list_renames_no_column_whose_name_is_its_own() {
    let table = table(&[("T", ranged())]);
    let all = ["T", "a\\b", "T_qc", "x", "T_qc_3", "time"];
    let whole = LineShape::new(&table, &names(&all), &[]).unwrap();
    for length in 1..=all.len() {
        let shape = LineShape::new(&table, &names(&all[..length]), &[]).unwrap();
        let sent: Vec<_> = shape.field_names().collect();
        assert_eq!(sent, whole.field_names().take(length).collect::<Vec<_>>());
    }
}

#[test]
fn a_field_has_the_same_name_in_every_series() {
    let table = table(&[("plot", used_as(ColumnUse::Tag))]);
    let columns = names(&["_plot", "plot"]);
    for value in ["A", ""] {
        let shape = LineShape::new(&table, &columns, &pairs(&[("plot", value)])).unwrap();
        assert_eq!(shape.field_names().collect::<Vec<_>>(), ["plot_2"], "{value:?}");
    }
}

#[test]
fn keys_over_the_servers_limit_are_refused() {
    let long = "x".repeat(65_535 - "fastdata,station=US-UMB,plot=".len());
    let column = names(&["T"]);
    let over = LineShape::new(&table(&[]), &column, &pairs(&[("plot", &format!("{long}x"))]));
    let over = over.unwrap_err();
    assert_eq!(over, LineError::KeyTooLong { field: String::new(), bytes: 65_536 });
    assert!(over.to_string().starts_with("measurement and tags need 65536 bytes"), "{over}");
    let fits = &long[.."T_qc".len().abs_diff(long.len()) - 4];
    assert!(LineShape::new(&table(&[]), &column, &pairs(&[("plot", fits)])).is_ok());
    let field_over = LineShape::new(&table(&[]), &names(&["T", "T2"]), &pairs(&[("plot", fits)]));
    assert_eq!(field_over.unwrap_err(), LineError::KeyTooLong { field: "T2".to_owned(), bytes: 65_536 });
}

#[test]
fn a_damaged_row_is_an_error_and_leaves_nothing_behind() {
    let shape = LineShape::new(&table(&[]), &names(&["a", "b"]), &[]).unwrap();
    for (at, values, flags, error) in [
        (AT, "[1,2", "11", LineError::Values { at: AT, byte: 4 }),
        (AT, "[1,x]", "11", LineError::Values { at: AT, byte: 3 }),
        (AT, "[1,2,3]", "111", LineError::Columns { at: AT, columns: 2 }),
        (AT, "[1,2]", "1", LineError::Flags { at: AT }),
        (AT, "[1,2]", "111", LineError::Flags { at: AT }),
        (AT, "[1,2]", "1 ", LineError::Flags { at: AT }),
        (Timestamp::MIN, "[1,2]", "11", LineError::TimeOutOfRange(Timestamp::MIN)),
        (Timestamp::MAX, "[1,2]", "11", LineError::TimeOutOfRange(Timestamp::MAX)),
    ] {
        let mut out = b"kept".to_vec();
        assert_eq!(shape.render(at, values, flags, &mut out), Err(error), "{values} {flags}");
        assert_eq!(out, b"kept");
    }
}

/// A value as the store writes it, and what the bucket must have.
fn cell() -> impl Strategy<Value = (String, Option<f64>)> {
    prop_oneof![
        any::<f64>()
            .prop_filter("JSON has no other", |number| number.is_finite())
            .prop_map(|number| (format!("{number:?}"), Some(number))),
        "-?[0-9]{1,12}(\\.[0-9]{1,9})?([eE][+-]?[0-9]{1,2})?".prop_map(|token| {
            let number = token.parse().unwrap();
            (token, Some(number))
        }),
        Just(("null".to_owned(), None)),
        any::<String>().prop_map(|text| (serde_json::to_string(&text).unwrap(), None)),
    ]
}

fn row() -> impl Strategy<Value = Vec<(String, Option<f64>, u8)>> {
    proptest::collection::vec((cell(), prop_oneof![4 => Just(b'1'), 1 => Just(b'4'), 1 => Just(b'9')]), 0..6)
        .prop_map(|cells| cells.into_iter().map(|((token, number), flag)| (token, number, flag)).collect())
}

proptest! {
    #[test]
    fn i7_i8_every_row_comes_back_from_another_parser(
        measurement in "\\PC{0,12}|[a-z\\\\#_ ,=\"\n]{1,8}",
        tags in proptest::collection::btree_map("[a-z_#\\\\ ,=\"\n\u{feff}]{0,4}", "\\PC{0,8}|[a-z\\\\ ,=\"\n\0]{0,6}", 0..4),
        columns in proptest::collection::vec("\\PC{0,8}|[aT_qc2\\\\ ,=()\"#\n]{0,6}", 6),
        rows in proptest::collection::vec((any::<i64>(), row()), 1..8),
        ranges in proptest::collection::vec(any::<bool>(), 6),
    ) {
        let mut table = table(&[]);
        table.measurement = measurement;
        table.tags = tags;
        for (column, has_range) in columns.iter().zip(&ranges) {
            if *has_range {
                table.columns.insert(column.clone(), ranged());
            }
        }
        let shape = LineShape::new(&table, &columns, &[]).unwrap();
        let mut out = Vec::new();
        let mut sent = Vec::new();
        for (at, row) in &rows {
            let values = format!("[{}]", row.iter().map(|(token, _, _)| token.as_str()).collect::<Vec<_>>().join(","));
            let flags: String = row.iter().map(|(_, _, flag)| char::from(*flag)).collect();
            if shape.render(Timestamp::from_nanos(*at), &values, &flags, &mut out).is_ok() {
                sent.push((*at, row));
            }
        }
        let text = String::from_utf8(out).unwrap();
        prop_assert_eq!(text.lines().count(), sent.len());
        prop_assert!(!text.contains('\\') || !text.contains("\\\\"), "no backslash but the escape");
        let parsed: Vec<_> = parse_lines(&text).collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(parsed.len(), sent.len());
        for (line, (at, row)) in parsed.iter().zip(sent) {
            prop_assert_eq!(line.series.measurement.to_string(), shape.measurement());
            let tags: Vec<(String, String)> = line.series.tag_set.iter().flatten().map(|(key, value)| (key.to_string(), value.to_string())).collect();
            prop_assert_eq!(&tags[..], shape.tags());
            prop_assert_eq!(line.timestamp, Some(at));
            let found: BTreeMap<String, u64> = line
                .field_set
                .iter()
                .map(|(key, value)| match value {
                    FieldValue::F64(number) => (key.to_string(), number.to_bits()),
                    other => panic!("{key} is not a float: {other:?}"),
                })
                .collect();
            prop_assert_eq!(found.len(), line.field_set.len(), "no key twice");
            prop_assert!(tags.iter().all(|(key, _)| !found.contains_key(key)), "no key is tag and field");
            for (name, (_, number, flag)) in shape.field_names().zip(row) {
                let expected = number.filter(|_| *flag != MISSING).map(f64::to_bits);
                prop_assert_eq!(found.get(name).copied(), expected, "{}", name);
            }
        }
    }
}

#[test]
fn a_table_wider_than_the_product_allows_goes_to_several_measurements() {
    let columns: Vec<String> = (0..7).map(|number| format!("T{number}")).collect();
    // Time, two tags, and room for three fields with their flags.
    let tags = pairs(&[("plot", "6a")]);
    let shape = LineShape::within(Some(9), &table(&[]), &columns, &tags, &|_| false).unwrap();
    assert_eq!(shape.measurements().map(|(_, fields)| fields).collect::<Vec<_>>(), [3, 3, 1]);
    let mut out = Vec::new();
    shape.render(Timestamp::from_nanos(5), "[1,2,3,null,null,null,7]", "2229992", &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "a part without a value has no line: {text}");
    assert!(
        lines[0].contains("T0=1,T1=2,T2=3 5") && lines[1].contains("_3,") && lines[1].ends_with("T6=7 5"),
        "{text}"
    );
    assert_eq!(shape.field_names().count(), 7);
}

#[test]
fn tables_that_share_a_measurement_share_its_columns_once_they_do_not_fit_together() {
    let columns = |letter: char, count: usize| (0..count).map(|number| format!("{letter}{number}")).collect::<Vec<_>>();
    let (one, other) = (table(&[]), table(&[("plot", used_as(ColumnUse::Tag))]));
    let (few, many) = (columns('a', 100), columns('b', 148));
    let share = |table: &TableConfig, first: &[String], second: &[String]| {
        share_of_columns(500, table, &[(&one, first), (&other, second)])
    };
    // Time, two tags, 248 fields and their flags.
    assert_eq!(share(&one, &few, &many), 500);
    assert_eq!(share(&one, &few, &few), 500, "the same names are the same columns");
    assert_eq!(share_of_columns(500, &one, &[(&one, &columns('a', 400))]), 500, "alone");
    let more = columns('b', 149);
    let fields = |table: &TableConfig, columns: &[String]| {
        let most = share(table, &few, &more);
        let shape = LineShape::within(Some(most), table, columns, &[], &|_| true).unwrap();
        shape.measurements().map(|(_, fields)| fields).collect::<Vec<_>>()
    };
    let (first, second) = (fields(&one, &few), fields(&other, &more));
    assert_eq!((first.as_slice(), second.as_slice()), (&[100][..], &[124, 25][..]));
    assert!(1 + 2 + 2 * (first[0] + second[0]) <= 500);
    assert_eq!(share(&one, &few, &more), share(&one, &few, &columns('b', 300)), "one more column moves none");
}

#[test]
fn a_failed_value_is_held_back_where_asked_and_its_flag_goes_out() {
    let withheld = ColumnConfig { withhold: true, ..ranged() };
    let table = table(&[("T", withheld), ("U", ranged())]);
    assert_eq!(fields(&table, &["T", "U"], "[3,3]", "44"), "T_qc=4,U=3,U_qc=4");
    assert_eq!(fields(&table, &["T", "U"], "[1.5,1]", "31"), "T=1.5,T_qc=3,U=1,U_qc=1");
    let shape = LineShape::new(&table, &names(&["T", "U"]), &[]).unwrap();
    assert_eq!(sent(&shape, "[3,3]", "44"), "T_qc=4,U=3,U_qc=4", "verify expects what was sent");
}

/// The numbers that [`LineShape::sent_numbers`] passes on.
fn sent(shape: &LineShape, values: &str, flags: &str) -> String {
    let names: Vec<&str> = shape.sent_names().collect();
    let mut fields = Vec::new();
    shape.sent_numbers(values, flags, |place, number| fields.push(format!("{}={number}", names[place])));
    fields.join(",")
}

#[test]
fn what_verify_expects_of_a_row_is_what_its_line_holds() {
    let withheld = ColumnConfig { withhold: true, ..ranged() };
    let table = table(&[("T", withheld), ("U", ranged())]);
    let columns = ["T", "U", "V"];
    let shape = LineShape::new(&table, &names(&columns), &[]).unwrap();
    for (values, flags) in [
        ("[1.5,-2,3]", "112"),
        ("[1.5,null,\"text\"]", "192"),
        ("[null,null,null]", "999"),
        ("[3,null,null]", "499"),
        ("[3]", "4"),
        ("[1,2]", "11"),
        ("[null,null]", "99"),
    ] {
        let mut line: Vec<_> = fields(&table, &columns, values, flags).split(',').map(str::to_owned).collect();
        let mut expected: Vec<_> = sent(&shape, values, flags).split(',').map(str::to_owned).collect();
        line.sort();
        expected.sort();
        assert_eq!(expected, line, "{values} {flags}");
    }
}
