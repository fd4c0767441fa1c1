//! What real files look like, and what breaks naive readers: a case each (docs/file-formats.md).

use std::time::Duration;

use crate::support::{DAT, Logger, Station, TABLE};
use serde_json::Value;

/// Ingests and gives the first table's part of the report.
fn ingest(tower: &Station) -> Value {
    let ended = tower.run_json(&["ingest"]);
    assert!(ended.code <= 1, "{ended:?}");
    ended.json()["tables"][0].clone()
}

fn counts(report: &Value) -> [u64; 8] {
    ["lines", "header", "staged", "duplicates", "conflicts", "rejected", "deferred", "blank"]
        .map(|key| report[key].as_u64().unwrap())
}

/// One file with these data lines behind the PAR table's header.
fn with_lines(lines: &[&str]) -> (Station, Value) {
    let tower = Station::new();
    let body: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    tower.write(DAT, Logger::par().header() + &body);
    let report = ingest(&tower);
    (tower, report)
}

fn only_values(lines: &[&str]) -> Vec<String> {
    let (tower, _) = with_lines(lines);
    tower.rows(TABLE).into_iter().map(|row| row.vals).collect()
}

#[test]
fn a_tail_of_nul_bytes_is_blank_and_the_row_appended_behind_it_is_read() {
    let tower = Station::new();
    let logger = Logger::par();
    tower.write(DAT, [logger.file(0..3).into_bytes(), vec![0; 700]].concat());
    assert_eq!(counts(&ingest(&tower)), [8, 4, 3, 0, 0, 0, 0, 1]);
    tower.append(DAT, logger.rows(10..12));
    let report = ingest(&tower);
    assert_eq!(report["staged"], 2, "{report}");
    let gaps = tower.run_json(&["gaps"]).expect(1).json();
    assert_eq!(gaps["gaps"][0]["missing"], 7);
}

#[test]
fn line_ends_may_be_mixed_and_a_byte_order_mark_may_stand_first() {
    let tower = Station::new();
    let text = Logger::par().file(0..4).replacen("\r\n", "\n", 3);
    tower.write(DAT, [b"\xEF\xBB\xBF".to_vec(), text.into_bytes()].concat());
    assert_eq!(counts(&ingest(&tower))[..3], [8, 4, 4]);
}

#[test]
fn units_in_windows_1252_are_read() {
    let tower = Station::new();
    let text = Logger::par().file(0..1).replace("umol/m^2/s", "@C");
    let bytes: Vec<u8> = text.bytes().map(|byte| if byte == b'@' { 0xB0 } else { byte }).collect();
    tower.write(DAT, bytes);
    ingest(&tower);
    assert_eq!(tower.count("SELECT count(*) FROM column_list WHERE units = '°C'"), 1);
}

#[test]
fn strings_stay_strings_and_missing_words_are_missing_quoted_or_bare() {
    let values = only_values(&[
        "\"2024-05-01 00:00:00\",0,\"64291\",\"OK, ON POWER UP\",\"1,4093  \"",
        "\"2024-05-01 00:00:05\",1,\"NAN\",NAN,\"INF\"",
        "\"2024-05-01 00:00:10\",2,7.591075E-005,6.36E-05,-0.5",
    ]);
    assert_eq!(
        values,
        ["[\"64291\",\"OK, ON POWER UP\",\"1,4093  \"]", "[null,null,\"INF\"]", "[7.591075E-005,6.36E-05,-0.5]"]
    );
}

#[test]
fn a_fraction_of_a_second_may_have_up_to_nine_digits_and_midnight_may_be_2400() {
    let (tower, report) = with_lines(&[
        "\"2024-05-01 00:00:00.5\",0,1,1,1",
        "\"2024-05-01 00:00:00.000664\",1,1,1,1",
        "\"2024-05-01 00:00:00.123456789\",2,1,1,1",
        "\"2024-05-01 24:00:00\",3,1,1,1",
    ]);
    assert_eq!(report["staged"], 4);
    let times: Vec<String> = tower.rows(TABLE).iter().map(crate::support::Row::time).collect();
    assert_eq!(
        times,
        [
            "2024-05-01T05:00:00.000664Z",
            "2024-05-01T05:00:00.123456789Z",
            "2024-05-01T05:00:00.500Z",
            "2024-05-02T05:00:00Z"
        ]
    );
    assert_eq!(tower.rows(TABLE)[3].ts_text.as_deref(), Some("2024-05-01 24:00:00"));
}

#[test]
fn a_table_of_1107_columns_is_read_and_viewed() {
    let tower = Station::new();
    let names: Vec<String> = (1..=1105).map(|number| format!("N({number},1)")).collect();
    let logger = Logger::par().columns(&names.iter().map(String::as_str).collect::<Vec<_>>());
    tower.write(DAT, logger.file(0..3));
    assert_eq!(counts(&ingest(&tower))[..3], [7, 4, 3]);
    assert_eq!(tower.rows(TABLE)[2].values().len(), 1105);
    assert_eq!(tower.count(&format!("SELECT count(\"N(1105,1)\") FROM \"t_{TABLE}\"")), 3);
    let _ = tower.run(&["sync"]).expect(0);
}

#[test]
fn a_time_in_a_view_keeps_its_fraction_and_an_older_view_is_renewed() {
    let row = |second: &str, record: i64| format!("\"2024-05-01 00:00:{second}\",{record},1,2,3");
    let (tower, _) = with_lines(&[&row("00", 0), &row("00.05", 1), &row("00.123456789", 2), &row("10", 3)]);
    let view = format!("t_{TABLE}");
    let times = |tower: &Station| -> Vec<String> {
        let database = tower.database();
        let mut statement = database.prepare(&format!("SELECT time_utc FROM \"{view}\" ORDER BY ts")).unwrap();

        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let expected = ["00", "00.05", "00.123456789", "10"].map(|second| format!("2024-05-01 05:00:{second}"));
    assert_eq!(times(&tower), expected);
    let schema = |tower: &Station| tower.count("SELECT schema_version FROM pragma_schema_version");
    let before = schema(&tower);
    tower.append(DAT, row("20", 4) + "\r\n");
    ingest(&tower);
    assert_eq!(schema(&tower), before, "an up-to-date view is not made again");
    let database = rusqlite::Connection::open(tower.store_path()).unwrap();
    database.execute_batch(&format!("DROP VIEW \"{view}\"; CREATE VIEW \"{view}\" AS SELECT 1 AS time_utc;")).unwrap();
    drop(database);
    tower.append(DAT, row("30", 5) + "\r\n");
    ingest(&tower);
    assert_eq!(times(&tower).len(), 6);
}

#[test]
fn a_column_named_ts_is_the_loggers_in_the_view_and_the_views_own_column_gets_a_prefix() {
    let tower = Station::new();
    tower.write(
        DAT,
        "\"TOA5\",\"s\",\"CR1000\",\"1\",\"o\",\"p\",\"1\",\"t\"\r\n\"TIMESTAMP\",\"RECORD\",\"Ts\",\"State\",\"ta\",\"TA\",\"TA_flag\"\r\n\
         \"TS\",\"RN\",\"C\",\"\",\"C\",\"C\",\"\"\r\n\"\",\"\",\"Smp\",\"Smp\",\"Smp\",\"Smp\",\"Smp\"\r\n\"2026-06-01 00:00:00\",7,21.5,3,1,2,9\r\n",
    );
    ingest(&tower);
    let number = |column: &str| tower.count(&format!("SELECT CAST({column} * 10 AS INTEGER) FROM \"t_{TABLE}\""));
    assert_eq!((number("Ts"), number("State")), (215, 30));
    assert_eq!((number("ta"), number("TA_2"), number("TA_flag")), (10, 20, 90));
    assert_eq!(tower.count(&format!("SELECT row_ts > 0 AND row_state = 'pending' FROM \"t_{TABLE}\"")), 1);
}

#[test]
fn one_odd_quote_spoils_one_line_and_not_its_neighbours() {
    let (tower, report) = with_lines(&[
        "\"2024-05-01 00:00:00\",0,1,2,3",
        "\"2024-05-01 00:00:05\",1,\"1,2,3",
        "\"2024-05-01 00:00:10\",2,1,2,3",
    ]);
    assert_eq!((report["staged"].as_u64(), report["rejected"].as_u64()), (Some(2), Some(1)));
    let rejected = tower.run_json(&["rejected"]).expect(0).json();
    assert_eq!(rejected["rejected"][0]["raw"], "\"2024-05-01 00:00:05\",1,\"1,2,3");
    assert!(rejected["rejected"][0]["place"].as_str().unwrap().ends_with(":6"), "{rejected}");
}

#[test]
fn an_odd_quote_in_the_units_costs_the_units_only() {
    let tower = Station::new();
    tower.write(DAT, Logger::par().file(0..5).replace("umol/m^2/s", "6\" pipe"));
    assert_eq!(counts(&ingest(&tower))[..3], [9, 4, 5]);
}

#[test]
fn a_header_in_mid_file_is_a_header_and_its_columns_join_the_list() {
    let tower = Station::new();
    let logger = Logger::par();
    let wider = logger.clone().column("RH");
    tower.write(DAT, logger.file(0..3) + &logger.file(3..5) + &wider.file(5..7));
    assert_eq!(counts(&ingest(&tower)), [19, 12, 7, 0, 0, 0, 0, 0]);
    let rows = tower.rows(TABLE);
    assert_eq!((rows[0].values().len(), rows[6].values().len()), (3, 4));
}

#[test]
fn swapped_columns_go_to_their_own_names() {
    let tower = Station::new();
    tower.write(DAT, Logger::par().columns(&["A", "B"]).header() + "\"2024-05-01 00:00:00\",0,1,2\r\n");
    ingest(&tower);
    tower.write(DAT, Logger::par().columns(&["B", "A"]).header() + "\"2024-05-01 00:00:05\",1,20,10\r\n");
    ingest(&tower);
    assert_eq!(tower.rows(TABLE)[1].vals, "[10,20]");
}

#[test]
fn other_formats_are_named_as_what_they_are_and_nothing_of_them_is_staged() {
    for (content, word) in [
        ("\"TOB1\",\"64291\",\"CR1000X\"\r\nbinary", "TOB1"),
        ("\"TOB3\",\"x\"\r\nbinary", "TOB3"),
        ("30,2004,151,58,.451,-.077\r\n", "arrays"),
        ("<?xml version=\"1.0\"?>\r\n<csixml>\r\n", "CSIXML"),
        ("{\"head\": {}}\r\n", "CSIJSON"),
        ("TOA5,some_site,CR1000,E7000,,,,\r\n", "spreadsheet"),
        ("version https://git-lfs.github.com/spec/v1\r\noid sha256:1\r\n", "git-LFS"),
    ] {
        let tower = Station::new();
        tower.write(DAT, content);
        let report = ingest(&tower);
        assert!(report["notes"].to_string().contains(word), "{report}");
        assert_eq!(report["lines"], report["deferred"], "{report}");
        let status = tower.run_json(&["status"]).expect(1).json();
        assert!(status["verdict"].to_string().contains(word), "{status}");
    }
}

#[test]
fn a_file_whose_fields_another_program_put_in_quotes_gives_the_loggers_own_rows_and_is_named() {
    let tower = Station::new();
    let logger = Logger::par();
    tower.write(DAT, logger.file(0..10));
    ingest(&tower);
    let quoted = |line: &str| {
        let fields: Vec<String> = line.split(',').map(|field| format!("\"{}\"", field.trim_matches('"'))).collect();
        fields.join(",") + "\r\n"
    };
    let rows: String = logger.rows(5..20).lines().map(quoted).collect();
    tower.write(DAT, logger.header() + &rows);
    let report = ingest(&tower);
    assert_eq!(counts(&report), [19, 4, 10, 5, 0, 0, 0, 0]);
    assert!(report["notes"].to_string().contains("record number in quotes"), "{report}");
    let status = tower.run_json(&["status"]).expect(1).json();
    assert!(status["verdict"].to_string().contains("read as numbers"), "{status}");
    tower.write(DAT, logger.file(5..30));
    let report = ingest(&tower);
    assert_eq!(counts(&report), [29, 4, 10, 15, 0, 0, 0, 0]);
    assert_eq!(report["notes"].as_array().map(Vec::len), Some(0), "{report}");
    let values: Vec<String> = tower.rows(TABLE).into_iter().map(|row| row.vals).collect();
    assert!(values.iter().all(|vals| !vals.contains('"')), "{values:?}");
}

#[test]
fn a_file_that_r_saved_with_its_record_numbers_bare_gives_numbers_and_is_named_by_init_too() {
    let tower = Station::new();
    let logger = Logger::par();
    let quoted = |line: &str| {
        let fields = line.split(',').enumerate();
        let quote = |(place, field): (usize, &str)| match place {
            1 => field.to_owned(),
            _ => format!("\"{}\"", field.trim_matches('"')),
        };
        fields.map(quote).collect::<Vec<_>>().join(",") + "\r\n"
    };
    let rows: String = logger.rows(0..30).lines().map(quoted).collect();
    tower.write(DAT, logger.header() + &rows);
    let report = ingest(&tower);
    assert_eq!(counts(&report)[..3], [34, 4, 30]);
    assert!(report["notes"].to_string().contains("numbers in quotes in a column that no logger quotes"), "{report}");
    let status = tower.run_json(&["status"]).expect(1).json();
    assert!(status["verdict"].to_string().contains("read as numbers"), "{status}");
    let values: Vec<String> = tower.rows(TABLE).into_iter().map(|row| row.vals).collect();
    assert!(values.iter().all(|vals| !vals.contains('"')), "{values:?}");
    // The logger's own file has the same rows.
    tower.write(DAT, logger.file(0..30));
    assert_eq!(counts(&ingest(&tower))[..4], [34, 4, 0, 30]);
    // `init` says it of such a file.
    tower.write(DAT, logger.header() + &rows);
    let _ = tower.run(&["init", "--utc-offset", "-05:00", "--output", "draft.toml", DAT]).expect(0);
    let text = std::fs::read_to_string(tower.path("draft.toml")).unwrap();
    assert!(text.contains("they are read as numbers"), "{text}");
}

#[test]
fn an_empty_file_and_an_unfinished_header_are_read_again_when_they_are_more() {
    let tower = Station::new();
    let logger = Logger::par();
    tower.write(DAT, "");
    assert_eq!(counts(&ingest(&tower)), [0; 8]);
    let two_lines: String = logger.header().lines().take(2).map(|line| format!("{line}\r\n")).collect();
    tower.write(DAT, two_lines);
    assert_eq!(counts(&ingest(&tower)), [2, 0, 0, 0, 0, 0, 2, 0]);
    tower.write(DAT, logger.header());
    assert_eq!(counts(&ingest(&tower))[..3], [4, 4, 0]);
    tower.write(DAT, logger.file(0..2));
    assert_eq!(ingest(&tower)["staged"], 2);
}

#[test]
fn a_dead_clocks_row_is_rejected_with_its_text_and_not_lost() {
    let (tower, report) = with_lines(&[
        "\"1990-01-01 00:00:00\",0,1,2,3",
        "\"2046-01-01 00:00:00\",1,1,2,3",
        "\"2024-05-01 00:00:00\",2,1,2,3",
    ]);
    let counts = ["staged", "rejected", "held"].map(|key| report[key].as_u64().unwrap());
    assert_eq!(counts, [1, 1, 1]);
    let rejected = tower.run(&["rejected"]).expect(0);
    assert!(rejected.stdout.contains("clock is wrong") && rejected.stdout.contains("1990-01-01"), "{rejected:?}");
}

#[test]
fn i3_equal_times_with_other_content_are_a_conflict_kept_beside() {
    let (tower, report) = with_lines(&[
        "\"2024-05-01 00:00:00\",0,1,2,3",
        "\"2024-05-01 00:00:05\",1,1,2,3",
        "\"2024-05-01 00:00:05\",2,9,9,9",
        "\"2024-05-01 00:00:10\",3,1,2,3",
    ]);
    assert_eq!((report["staged"].as_u64(), report["conflicts"].as_u64()), (Some(3), Some(1)));
    assert_eq!(tower.rows(TABLE)[1].vals, "[1,2,3]");
    let kept = tower.kept();
    let path = tower.path(DAT).display().to_string();
    let _ = tower.run(&["ingest", &path]).expect(1);
    assert_eq!(tower.kept(), kept);
    assert_eq!(
        tower.run_json(&["gaps"]).expect(0).json()["gaps"].as_array().unwrap().len(),
        0,
        "record 2 was in the file"
    );
}

#[test]
fn i3_with_replace_the_newer_content_stays_however_often_the_file_is_read() {
    let tower = Station::new().table_keys("on_conflict = \"replace\"");
    let header = Logger::par().header();
    tower.write(DAT, format!("{header}\"2024-05-01 00:00:00\",0,1,2,3\r\n"));
    ingest(&tower);
    let _ = tower.run(&["sync"]).expect(0);
    tower.write(DAT, format!("{header}\"2024-05-01 00:00:00\",0,9,9,9\r\n"));
    assert_eq!(ingest(&tower)["conflicts"], 1);
    let row = tower.rows(TABLE).remove(0);
    assert_eq!((row.vals.as_str(), row.state.as_str()), ("[9,9,9]", "pending"));
    tower.write(DAT, format!("{header}\"2024-05-01 00:00:00\",0,1,2,3\r\n\"2024-05-01 00:00:00\",0,9,9,9\r\n"));
    ingest(&tower);
    assert_eq!(tower.rows(TABLE)[0].vals, "[9,9,9]");
    assert_eq!(tower.count("SELECT rows - pending - sent FROM logger_table"), 0);
}

#[test]
fn a_record_collected_twice_with_another_seventh_digit_is_the_same_reading() {
    let (tower, _) = with_lines(&["\"2024-05-01 00:00:00\",0,8.852894,2,3"]);
    tower.write(
        DAT,
        Logger::par().header() + "\"2024-05-01 00:00:00\",0,8.852895,2,3\r\n\"2024-05-01 00:00:05\",1,1,2,3\r\n",
    );
    let report = ingest(&tower);
    assert_eq!((report["duplicates"].as_u64(), report["conflicts"].as_u64()), (Some(1), Some(0)));
}

#[test]
fn an_appended_file_is_resumed_at_its_end_and_an_unchanged_one_is_not_read() {
    let tower = Station::new();
    let logger = Logger::par();
    tower.write(DAT, logger.file(0..100));
    assert_eq!(ingest(&tower)["lines"], 104);
    assert_eq!(ingest(&tower)["lines"], 0);
    tower.append(DAT, logger.rows(100..103));
    assert_eq!(counts(&ingest(&tower)), [3, 0, 3, 0, 0, 0, 0, 0]);
}

#[test]
fn the_same_size_and_time_with_other_content_is_not_unchanged() {
    let tower = Station::new();
    let logger = Logger::par();
    tower.write(DAT, logger.file(10..20));
    tower.age(DAT, Duration::from_secs(100));
    let modified = std::fs::metadata(tower.path(DAT)).unwrap().modified().unwrap();
    ingest(&tower);
    tower.write(DAT, logger.file(20..30));
    std::fs::File::options().write(true).open(tower.path(DAT)).unwrap().set_modified(modified).unwrap();
    assert_eq!(ingest(&tower)["staged"], 10);
}

#[test]
fn an_unterminated_last_line_waits_until_it_is_terminated_or_the_file_has_been_still() {
    let tower = Station::new();
    let logger = Logger::par();
    let whole = logger.file(0..2);
    tower.write(DAT, &whole[..whole.len() - 3]);
    assert_eq!(counts(&ingest(&tower)), [6, 4, 1, 0, 0, 0, 1, 0]);
    tower.write(DAT, &whole);
    assert_eq!(ingest(&tower)["staged"], 1);
    tower.write(DAT, whole.trim_end().to_owned() + "\r\n" + logger.row(2).trim_end());
    assert_eq!(ingest(&tower)["deferred"], 1);
    tower.age(DAT, Duration::from_secs(3_600));
    assert_eq!(ingest(&tower)["staged"], 1);
    assert_eq!(tower.rows(TABLE).len(), 3);
    assert_eq!(ingest(&tower)["lines"], 0);
}

#[test]
fn a_file_that_is_being_written_is_waited_for_and_each_line_is_counted_once() {
    let whole = Logger::par().file(0..100);
    let written_beside = || {
        let tower = Station::new();
        // A writer's buffer ends in mid-line.
        std::fs::write(tower.path(DAT), &whole[..whole.len() / 2]).unwrap();
        let path = tower.path(DAT);
        let rest = whole.clone();
        let writer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(60));
            std::fs::write(path, rest).unwrap();
        });
        let report = ingest(&tower);
        writer.join().unwrap();
        (tower, counts(&report))
    };
    // A busy machine may hold the writer up for longer than a reader waits; not each time.
    let waited_for = (0..10).map(|_| written_beside()).find(|(_, counts)| *counts == [104, 4, 100, 0, 0, 0, 0, 0]);
    let (tower, _) = waited_for.expect("a reader that waits finds the whole file");
    // One that stays short is read, and its last line waits.
    std::fs::write(tower.path(DAT), &whole[..whole.len() - 2]).unwrap();
    assert_eq!(counts(&ingest(&tower)), [104, 4, 0, 99, 0, 0, 1, 0]);
}

#[test]
fn files_set_aside_are_read_once() {
    let tower = Station::new();
    let logger = Logger::par();
    tower.write("46m_PAR.dat.backup", logger.file(0..3));
    tower.write("46m_PAR.bak1", logger.file(3..5));
    tower.write(DAT, logger.column("RH").file(5..7));
    let report = ingest(&tower);
    assert_eq!((report["files"].as_u64(), report["staged"].as_u64()), (Some(3), Some(7)));
    assert_eq!(tower.run_json(&["gaps"]).expect(0).json()["gaps"].as_array().unwrap().len(), 0);
    assert_eq!(ingest(&tower)["lines"], 0);
}

#[test]
fn the_double_hour_is_settled_by_record_and_order_and_reading_it_again_adds_nothing() {
    let tower = Station::new().clock("timezone = \"America/Detroit\"");
    let header = Logger::par().header();
    let row = |time: &str, record: i64| format!("\"2024-11-03 {time}:00\",{record},1,2,3\r\n");
    let first = header.clone() + &row("00:30", 0) + &row("01:00", 1) + &row("01:30", 2);
    let second = header.clone() + &row("01:00", 3) + &row("01:30", 4) + &row("02:00", 5);
    tower.write(DAT, &first);
    assert_eq!(ingest(&tower)["staged"], 3);
    tower.write(DAT, &second);
    assert_eq!(counts(&ingest(&tower))[2..5], [3, 0, 0]);
    let path = tower.path(DAT).display().to_string();
    for text in [&first, &second] {
        tower.write(DAT, text);
        let again = tower.run_json(&["ingest", &path]).expect(0).json();
        assert_eq!(again["tables"][0]["duplicates"], 3, "{again}");
    }
    let times: Vec<i64> = tower.rows(TABLE).iter().map(|row| row.ts).collect();
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] == 1_800_000_000_000), "{times:?}");
    // A row of the hour that spring leaves out never stops a file.
    tower.write(DAT, header + "\"2024-03-10 02:30:00\",9,1,2,3\r\n\"2024-03-10 03:30:00\",10,1,2,3\r\n");
    assert_eq!(ingest(&tower)["staged"], 1);
}

#[test]
fn a_file_without_header_is_read_by_the_configured_names_and_rows_of_one_time_differ_in_a_tag() {
    let tower = Station::new().table(
        "name = \"plots\"\nfiles = [\"plots.tst\"]\nformat = \"csv\"\nnames = [\"Time\", \"Plot\", \"Temp\"]\ntime_column = \"Time\"\ntime_format = \"%m/%d/%Y %H:%M\"\nlast_line_after = \"0s\"\n[table.columns.Plot]\nuse = \"tag\"",
    );
    tower.write("plots.tst", "06/25/2024 10:50,6a,1.5\n06/25/2024 10:50,6b,2.5\n06/25/2024 10:55,6a,3.5");
    assert_eq!(counts(&ingest(&tower)), [3, 0, 3, 0, 0, 0, 0, 0]);
    let rows = tower.rows("plots");
    assert_eq!(rows.iter().map(|row| row.tags.as_str()).collect::<Vec<_>>(), ["[\"6a\"]", "[\"6a\"]", "[\"6b\"]"]);
    let _ = tower.run(&["sync"]).expect(0);
    let outbox = std::fs::read_dir(tower.path("outbox")).unwrap().next().unwrap().unwrap().path();
    let sent = std::fs::read_to_string(outbox).unwrap();
    assert!(sent.contains("plots,Plot=6b,station=US-UMB Temp=2.5 "), "{sent}");
}

#[test]
fn i1_a_date_that_is_none_is_rejected_with_its_text_and_what_of_it_is_no_time() {
    let impossible = [
        ("2073-50-00 21:01:33", "there is no month 50"),
        ("2026-02-29 21:01:48", "2026-02 has no day 29"),
        ("2024-05-01 25:00:00", "there is no hour 25"),
        ("2024-05-01 12:00:61", "there is no second 61"),
    ];
    let lines: Vec<String> = impossible.iter().map(|(time, _)| format!("\"{time}\",1,1,2,3")).collect();
    let (tower, report) = with_lines(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!((report["staged"].as_u64(), report["rejected"].as_u64()), (Some(0), Some(4)));
    let text = tower.run(&["rejected"]).expect(0).stdout;
    for (time, why) in impossible {
        assert!(text.contains(&format!("\"{time}\" is no time: {why}")), "{text}");
        assert!(text.contains(&format!("\"{time}\",1,1,2,3")), "the line itself: {text}");
    }
}

#[test]
fn a_gap_closes_when_an_export_is_ingested_by_hand() {
    let tower = Station::new();
    let logger = Logger::par();
    tower.write(DAT, logger.file(0..5));
    ingest(&tower);
    tower.write(DAT, logger.file(9..12));
    ingest(&tower);
    let gaps = tower.run_json(&["gaps"]).expect(1).json();
    assert_eq!((gaps["gaps"][0]["missing"].as_i64(), gaps["gaps"][0]["kind"].as_str()), (Some(4), Some("jump")));
    assert_eq!(
        (gaps["gaps"][0]["from"].as_str(), gaps["gaps"][0]["to"].as_str()),
        (Some("2024-05-01 00:00:20"), Some("2024-05-01 00:00:45"))
    );
    tower.write("export.dat", logger.file(3..10));
    let export = tower.path("export.dat").display().to_string();
    assert_eq!(tower.run_json(&["ingest", &export]).expect(0).json()["tables"][0]["staged"], 4);
    let _ = tower.run(&["gaps"]).expect(0);
}

#[test]
fn a_newer_a_damaged_and_a_foreign_database_are_refused_with_what_to_do() {
    let tower = Station::new();
    tower.write(DAT, Logger::par().file(0..3));
    ingest(&tower);
    let good = tower.read("store.db");
    let conn = rusqlite::Connection::open(tower.store_path()).unwrap();
    conn.pragma_update(None, "user_version", 99).unwrap();
    drop(conn);
    let _ = tower.run(&["ingest"]).expect(4).says("or a newer one, nothing was touched");

    tower.write("store.db", [b"not a database at all".repeat(1_000), Vec::new()].concat());
    let _ = tower.run(&["status"]).expect(4).says("damaged");
    let mut torn = good;
    torn.truncate(torn.len() / 2);
    tower.write("store.db", torn);
    let ended = tower.run(&["ingest"]);
    assert!(ended.code == 4 && ended.stderr.contains("damaged"), "{ended:?}");

    tower.remove("store.db");
    rusqlite::Connection::open(tower.store_path()).unwrap().execute_batch("CREATE TABLE mine (x)").unwrap();
    let _ = tower.run(&["ingest"]).expect(4).says("not one of fluxtower");
}

#[test]
fn a_second_ingest_leaves_the_work_to_the_first_and_ends_well() {
    let tower = Station::new();
    tower.write(DAT, Logger::par().file(0..3));
    ingest(&tower);
    let _lock = fluxtower::store::Lock::take(&tower.store_path(), fluxtower::store::LockKind::Ingest).unwrap().unwrap();
    let _ = tower.run(&["ingest"]).expect(0).says("another ingest is running");
}

#[test]
fn i1_i3_a_short_header_is_read_also_in_mid_file_and_the_table_goes_on_as_toa5() {
    let tower = Station::new();
    let short = "\"TOACI1\",\"46m\",\"PARCal\"\r\n\"TMSTAMP\",\"RECNBR\",\"BV\",\"OB\"\r\n";
    tower.write(DAT, format!("{short}\"2024-05-01 00:00:00\",0,13.08,81.4\r\n"));
    assert_eq!(counts(&ingest(&tower)), [3, 2, 1, 0, 0, 0, 0, 0]);
    // LoggerNet writes the header again when it reconnects.
    tower.append(DAT, format!("{short}\"2024-05-01 00:00:05\",1,13.09,NAN\r\n"));
    assert_eq!(counts(&ingest(&tower)), [3, 2, 1, 0, 0, 0, 0, 0]);
    let long = Logger::par().columns(&["BV", "OB"]).header()
        + "\"2024-05-01 00:00:05\",1,13.09,NAN\r\n\"2024-05-01 00:00:10\",2,13.1,80\r\n";
    tower.write(DAT, long);
    assert_eq!(counts(&ingest(&tower)), [6, 4, 1, 1, 0, 0, 0, 0]);
    let rows = tower.rows(TABLE);
    assert_eq!(
        rows.iter().map(|row| row.vals.as_str()).collect::<Vec<_>>(),
        ["[13.08,81.4]", "[13.09,null]", "[13.1,80]"]
    );
    assert_eq!(rows[1].record, Some(1));
    // A header that is not whole yet waits.
    tower.write(DAT, "\"TOACI1\",\"46m\",\"PARCal\"\r\n");
    assert_eq!(counts(&ingest(&tower)), [1, 0, 0, 0, 0, 0, 1, 0]);
}
