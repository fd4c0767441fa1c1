//! What is seen at which zoom.

use fluxtower::store::Store;
use fluxtower::time::Timestamp;
use fluxtower::view::summary::{RibbonRequest, SummaryError, TraceRequest};

use super::station::{DAY, SECOND, at, bring, check, summaries, tower, trace};
use crate::support::{Station, TABLE};

#[test]
fn the_peak_of_a_single_row_is_seen_at_every_zoom_and_a_failed_one_apart() {
    let tower = tower();
    let (peak, fault) = (DAY + 4_321, DAY + 9_999);
    bring(&tower, 0..3 * DAY, |row| match row {
        _ if row == peak => Some("1899.125,1,54321.25".to_owned()),
        _ if row == fault => Some("123456.5,1,1".to_owned()),
        _ => Some(format!("{}.5,1,2", row % 700)),
    });
    let summaries = summaries(&tower);
    let mut widths = Vec::new();
    for minutes in [1, 10, 60, 240, 600, 1_440, 4_000, 10_000, 50_000, 500_000, 5_000_000, 20_000_000] {
        for (row, points) in [(peak, 1_200), (peak, 90), (fault, 1_200), (fault, 7)] {
            let half = minutes * 30 * SECOND;
            let span = (at(row).minus(half), at(row).plus(half));
            let seen = trace(&tower, &summaries, "PPFD", span, points);
            widths.push(seen.bin_s.map_or(0, |width| width.0 as i64));
            let column = &seen.columns[0];
            let values = column.high.as_ref().unwrap_or(&column.value);
            let greatest = values.iter().filter_map(|value| value.get()).fold(f64::NEG_INFINITY, f64::max);
            if row == peak {
                assert_eq!(greatest.to_bits(), 1899.125f64.to_bits(), "{minutes} min in {points} points");
            } else {
                assert!(greatest < 1_900.0, "a failed value sets the scale over {minutes} min");
                assert!(
                    column.fail.iter().any(|fail| fail.2.get() == Some(123_456.5)),
                    "{minutes} min in {points} points"
                );
            }
        }
    }
    widths.sort_unstable();
    widths.dedup();
    assert!(widths.len() > 10, "few zooms were looked at: {widths:?}");
}

#[test]
fn every_width_of_bins_says_what_the_rows_say() {
    let tower = tower();
    bring(&tower, 0..2 * DAY + 77, |row| match row % 1_000 {
        3 => Some("7999,\"NAN\",5".to_owned()),
        4..=39 => Some(format!("{},-3.25,\"NAN\"", row % 200 * 10)),
        45 => Some("\"INF\",\"text\",".to_owned()),
        _ => None,
    });
    let summaries = summaries(&tower);
    for rows in
        [(0, 3 * DAY), (-5, 20), (100, 100), (500, 3_000), (DAY - 3, DAY + 2_000), (-10 * DAY, 400 * DAY), (17, 15_003)]
    {
        for points in [1, 5, 60, 300, 2_000] {
            check(&tower, &summaries, rows, points);
        }
    }
}

#[test]
fn rows_are_said_with_the_test_that_raised_them_and_the_words_of_a_person() {
    let tower = tower();
    bring(&tower, 0..40, |row| Some(format!("{},1,2", if row == 7 { "1950" } else { "5" })));
    let flag = [
        "flag",
        "--table",
        TABLE,
        "--column",
        "Total_PPFD",
        "--from",
        "2024-05-01 00:00:15",
        "--to",
        "2024-05-01 00:00:15",
    ];
    let _ = tower.run(&[&flag[..], &["--as", "4", "--reason", "spider"]].concat()).expect(0);
    let summaries = summaries(&tower);
    let span = (at(0), at(39));
    let seen = trace(&tower, &summaries, "PPFD", span, 1_200);
    let findings = seen.columns[0].findings.clone().unwrap();
    assert_eq!(findings.len(), 1);
    assert_eq!((findings[0].0, findings[0].1, findings[0].2), (7, "gross_range", "suspect"));
    assert!(findings[0].3.contains("1900"), "{findings:?}");
    assert_eq!(seen.interval_s.unwrap().get(), Some(5.0));
    let seen = trace(&tower, &summaries, "Total_PPFD", span, 1_200);
    let findings = seen.columns[0].findings.clone().unwrap();
    assert_eq!((findings[0].0, findings[0].1, findings[0].2), (3, "by hand", "fail"));
    assert!(findings[0].3.contains("spider"), "{findings:?}");
    assert_eq!(seen.columns[0].value[3].get(), None);
    assert_eq!(seen.columns[0].fail[0].1.get(), Some(1.0));
    let seen = trace(&tower, &summaries, "calPPFD", span, 1_200);
    let expected = seen.columns[0].expected.clone().unwrap();
    assert_eq!((expected.low[0].get(), expected.high[39].get()), (Some(0.0), Some(99_000.0)));
}

#[test]
fn what_is_not_there_is_named_and_an_empty_table_has_an_empty_view() {
    let tower = tower();
    let summaries = summaries(&tower);
    let ask = |table: &str, column: Option<&str>, tags: Vec<(String, String)>, from: i64| {
        let reader = Store::open_reader(&tower.store_path()).unwrap();
        let columns = column.map(str::to_owned).into_iter().collect();
        let request = TraceRequest {
            table: table.to_owned(),
            columns,
            from: Timestamp::from_nanos(from),
            to: Timestamp::from_nanos(9),
            points: 5,
            tags,
        };
        summaries.trace(&reader, &request)
    };
    assert!(ask(TABLE, None, Vec::new(), 0).unwrap().times.is_empty());
    bring(&tower, 0..20, |_| None);
    let is_404 = |error: SummaryError| error.is_not_found();
    assert!(is_404(ask("none", None, Vec::new(), 0).unwrap_err()));
    assert!(is_404(ask(TABLE, Some("none"), Vec::new(), 0).unwrap_err()));
    assert!(is_404(ask(TABLE, Some("PPFD"), vec![("Plot".to_owned(), "6a".to_owned())], 0).unwrap_err()));
    assert!(!is_404(ask(TABLE, Some("PPFD"), Vec::new(), 10).unwrap_err()));
    for (from, to) in [(i64::MIN, i64::MAX), (i64::MAX, i64::MAX), (i64::MIN, i64::MIN), (0, 0)] {
        let seen = trace(&tower, &summaries, "PPFD", (Timestamp::from_nanos(from), Timestamp::from_nanos(to)), 0);
        assert_eq!(seen.times.len(), usize::from(from != to), "{from} {to}");
    }
}

#[test]
fn the_last_day_counts_flags_from_a_full_hour_on() {
    let tower = tower();
    bring(&tower, 0..DAY + 3_000, |row| Some(if row % 10 == 0 { "1950,\"NAN\",1" } else { "5,1,1" }.to_owned()));
    let summaries = summaries(&tower);
    let reader = Store::open_reader(&tower.store_path()).unwrap();
    let day = summaries.last_day(&reader, TABLE).unwrap();
    let from = day.from.unwrap();
    assert_eq!(from.nanos() % (3_600 * SECOND), 0);
    let first = from.nanos_since(at(0)).div_euclid(5 * SECOND);
    assert!((DAY + 2_999 - first) * 5 <= 86_400 && (DAY + 2_999 - first) * 5 > 23 * 3_600, "{first}");
    let counted = (first..DAY + 3_000).filter(|row| row % 10 == 0).count() as u64;
    assert_eq!(day.rows, (DAY + 3_000 - first).cast_unsigned());
    assert_eq!((day.columns[0].1.suspect, day.columns[0].1.values()), (counted, day.rows));
    assert_eq!((day.columns[1].1.missing, day.columns[1].1.not_evaluated), (counted, day.rows - counted));
    assert_eq!(summaries.interval(&reader, TABLE).unwrap(), Some(5.0));
}

#[test]
fn a_table_of_several_series_is_asked_by_its_tags() {
    let tower = Station::new().table_keys("[table.columns.Total_PPFD]\nuse = \"tag\"");
    bring(&tower, 0..600, |row| Some(format!("{},\"{}\",1", row % 50, row % 3)));
    let summaries = summaries(&tower);
    for plot in 0..3 {
        let tags = vec![("Total_PPFD".to_owned(), plot.to_string())];
        for points in [2, 50, 2_000] {
            crate::support::views::assert_true_to_rows(&tower, &summaries, TABLE, &tags, (at(0), at(900)), points);
        }
    }
    let reader = Store::open_reader(&tower.store_path()).unwrap();
    let request = RibbonRequest { table: TABLE.to_owned(), from: at(0), to: at(9), bins: 5, tags: Vec::new() };
    assert!(summaries.ribbon(&reader, &request).unwrap_err().is_not_found());
    assert_eq!(summaries.last_day(&reader, TABLE).unwrap().rows, 600);
}
