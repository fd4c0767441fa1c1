//! Text tables of any dialect: recognised by `init`, read as pandas reads them, with the accounting and the growth of TOA5 files.
//!
//! The files and what pandas reads of them stand in `tests/dialects`, with the script that made both.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use fluxtower::time::Timestamp;
use serde_json::Value;

use crate::support::{DAT, Logger, Station, TABLE};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dialects")
}

/// The table of the new configuration, without what is said of columns that are fields.
fn drafted(config: &str) -> String {
    let table = config.split("[[table]]").nth(1).unwrap();
    let lines = table.lines().filter(|line| !line.starts_with('#') || line.starts_with("#   "));
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with("stale_after"));
    lines.map(|line| format!("    {line}\n")).collect()
}

/// The rows of the one table, each with its time by the station's clock, or in UTC.
fn rows(station: &Station, table: &str, is_utc: bool) -> Vec<(String, Vec<Value>)> {
    let offset = if is_utc { 0 } else { 5 * 3_600_000_000_000 };
    let rows = station.rows(table).into_iter().map(|row| {
        let micros = (row.ts - offset) / 1_000;
        let time = Timestamp::from_nanos(micros / 1_000_000 * 1_000_000_000).to_utc();
        (format!("{}.{:06}", time.format("%Y-%m-%dT%H:%M:%S"), micros % 1_000_000), row.values())
    });
    rows.collect()
}

/// Whether a value is what pandas reads. A word that means missing is kept as text, and is not sent.
fn is_same(ours: &Value, theirs: &Value) -> bool {
    match (ours.as_f64(), theirs.as_f64()) {
        (Some(ours), Some(theirs)) => (ours - theirs).abs() <= 1e-12 * theirs.abs().max(1.0),
        _ if theirs.is_null() => ours.is_null() || ["NA", "null", "N/A"].iter().any(|word| ours == word),
        _ => ours == theirs,
    }
}

#[test]
fn each_dialect_is_drafted_by_init_and_read_as_pandas_reads_it() {
    let expected: BTreeMap<String, Value> =
        serde_json::from_str(&fs::read_to_string(folder().join("expected.json")).unwrap()).unwrap();
    assert!(expected.len() >= 40);
    let mut golden = String::new();
    for (name, expected) in &expected {
        let bytes = fs::read(folder().join(name)).unwrap();
        let station = Station::new();
        fs::remove_file(station.config_path()).unwrap();
        station.write(name, &bytes);
        let file = station.path(name);
        station.run(&["init", "--utc-offset", "-05:00", file.to_str().unwrap()]).works();
        let config = fs::read_to_string(station.config_path()).unwrap();
        let _ = writeln!(golden, "== {name}");
        for line in String::from_utf8_lossy(&bytes).lines().take(4) {
            let _ = writeln!(golden, "{}", line.replace('\0', "").trim_end().escape_debug());
        }
        golden.push_str(&drafted(&config));
        let ingest = station.run_json(&["ingest"]).works().json();
        let table = &ingest["tables"][0];
        assert_eq!((&table["rejected"], &table["conflicts"]), (&0.into(), &0.into()), "{name}: {table}\n{config}");
        fs::rename(station.path("fluxtower.db"), station.store_path()).unwrap();
        let is_utc = expected["utc"].as_bool().unwrap();
        let mut ours = rows(&station, table["table"].as_str().unwrap(), is_utc);
        ours.sort_by(|a, b| a.0.cmp(&b.0));
        let theirs = expected["rows"].as_array().unwrap();
        assert_eq!(ours.len(), theirs.len(), "{name}\n{config}");
        for ((time, values), row) in ours.iter().zip(theirs) {
            let row = row.as_array().unwrap();
            assert_eq!(Some(time.as_str()), row[0].as_str(), "{name}\n{config}");
            assert_eq!(values.len() + 1, row.len(), "{name}\n{config}");
            for (ours, theirs) in values.iter().zip(&row[1..]) {
                assert!(is_same(ours, theirs), "{name} at {time}: {ours} is not {theirs}\n{config}");
            }
        }
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/dialects.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&file, &golden).unwrap();
    }
    let before = fs::read_to_string(&file).unwrap_or_default();
    let changed = golden.lines().zip(before.lines()).find(|(now, before)| now != before);
    assert!(
        golden == before,
        "what init writes changed, first at {changed:?}; if it is meant, run UPDATE_GOLDEN=1 cargo test --test end_to_end dialects"
    );
}

const GERMAN: &str = "format = \"csv\"\ntime_column = \"Zeit\"\ntime_format = \"%d.%m.%Y %H:%M\"\n\
    [table.csv]\nseparator = \";\"\ndecimal = \",\"\nnames_line = 2\nunits_line = 3\ncomment = [\"#\", \"Summe\"]\n";
const GERMAN_HEAD: &str = "# Turm\r\nZeit;Temp;Wärme\r\n-;°C;W/m²\r\n";

fn german(rows: std::ops::Range<u32>) -> String {
    rows.map(|row| format!("01.05.2024 {:02}:{:02};{row},5;-0,{row}\r\n", row / 2, row % 2 * 30)).collect()
}

fn utf16(text: &str) -> Vec<u8> {
    "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

fn count(station: &Station, content: impl AsRef<[u8]>) -> Value {
    station.write(DAT, content);
    station.run_json(&["ingest"]).json()["tables"][0].clone()
}

fn counts(table: &Value) -> [u64; 5] {
    ["header", "staged", "duplicates", "rejected", "deferred"].map(|name| table[name].as_u64().unwrap())
}

#[test]
fn i1_comments_and_header_lines_are_no_rejected_lines_wherever_they_stand() {
    let station = Station::new().table_keys(GERMAN);
    let first = format!("{GERMAN_HEAD}{}# ein Kommentar\r\n{}Summe;1;2\r\n", german(0..3), german(3..5));
    assert_eq!(counts(&count(&station, &first)), [5, 5, 0, 0, 0]);
    // Overwritten, and appended to with the header once more.
    let second = format!("{GERMAN_HEAD}{}Zeit;Temp;Wärme\r\n-;°C;W/m²\r\n{}", german(5..6), german(6..8));
    assert_eq!(counts(&count(&station, &second)), [5, 3, 0, 0, 0]);
    assert_eq!(station.rows(TABLE)[7].vals, "[7.5,-0.7]");
    // A row that is none is kept as it stands.
    let third = format!("{second}01.05.2024 09:00;1,5\r\n");
    assert_eq!(counts(&count(&station, third))[3], 1);
    let raw: String = station.database().query_row("SELECT raw FROM rejected_line", [], |row| row.get(0)).unwrap();
    assert_eq!(raw, "01.05.2024 09:00;1,5");
}

#[test]
fn i2_i3_a_cut_file_of_a_dialect_gives_only_values_of_the_whole_one_and_each_once() {
    let whole = format!("{GERMAN_HEAD}{}", german(0..4));
    for (encoding, bytes, step) in [("UTF-8", whole.clone().into_bytes(), 1), ("UTF-16", utf16(&whole), 5)] {
        let all = Station::new().table_keys(GERMAN);
        all.write(DAT, &bytes);
        all.in_process().ingest();
        let all = all.rows(TABLE);
        assert_eq!(all.len(), 4, "{encoding}");
        for cut in (0..bytes.len()).step_by(step) {
            let station = Station::new().table_keys(GERMAN);
            let agent = station.in_process();
            station.write(DAT, &bytes[..cut]);
            agent.ingest();
            for row in station.rows(TABLE) {
                assert!(all.contains(&row), "{encoding} cut at {cut}: {row:?}");
            }
            station.write(DAT, &bytes);
            let report = agent.ingest();
            assert_eq!(report.totals().rejected, 0, "{encoding} cut at {cut}");
            assert_eq!(station.rows(TABLE), all, "{encoding} cut at {cut}");
        }
    }
}

#[test]
fn a_last_line_without_its_end_is_taken_when_the_file_stands_still_and_gives_way_to_the_whole_one() {
    let keys = format!("last_line_after = \"0s\"\n{GERMAN}");
    for encode in [|text: &str| text.as_bytes().to_vec(), utf16] {
        let station = Station::new().table_keys(&keys);
        let whole = format!("{GERMAN_HEAD}{}", german(0..13));
        count(&station, encode(whole.strip_suffix("2\r\n").unwrap()));
        assert_eq!(station.rows(TABLE).last().unwrap().vals, "[12.5,-0.1]");
        count(&station, encode(&whole));
        let rows = station.rows(TABLE);
        assert_eq!((rows.len(), rows[12].vals.as_str()), (13, "[12.5,-0.12]"));
    }
}

#[test]
fn i11_another_dialect_judges_rejected_lines_again() {
    let wrong = GERMAN.replace("separator = \";\"\ndecimal = \",\"", "separator = \"|\"").replace(", \"Summe\"", "");
    let wrong = wrong
        .replace("names_line = 2\nunits_line = 3", "skip_lines = 3")
        .replace("time_column", "names = [\"Zeit\", \"Temp\", \"W\"]\ntime_column");
    let station = Station::new().table_keys(&wrong);
    let table = count(&station, format!("{GERMAN_HEAD}{}Summe;1;2\r\n", german(0..3)));
    assert_eq!(counts(&table), [3, 0, 0, 4, 0]);
    // The collection has gone.
    station.write(DAT, format!("{GERMAN_HEAD}{}", german(3..4)));
    station.replace_in_config("separator = \"|\"", "separator = \";\"\ndecimal = \",\"");
    station.replace_in_config("comment = [\"#\"]", "comment = [\"#\", \"Summe\"]");
    station.run(&["ingest"]).works();
    let values: Vec<String> = station.rows(TABLE).into_iter().map(|row| row.vals).collect();
    assert_eq!(values, ["[0.5,-0.0]", "[1.5,-0.1]", "[2.5,-0.2]", "[3.5,-0.3]"]);
    assert_eq!(station.count("SELECT count(*) FROM rejected_line"), 0);
}

#[test]
fn a_stamp_with_its_offset_is_that_instant_whatever_the_stations_clock() {
    let keys = "format = \"csv\"\nnames = [\"t\", \"A\"]\ntime_column = \"t\"\ntime_format = \"%Y-%m-%d %H:%M%z\"\n[table.csv]\n\
        time_formats = [\"unix\"]";
    // Both hours of the night in which summer time ends.
    let text = "2024-11-03 01:30-04:00,1\n2024-11-03 01:30-05:00,2\n1730619000,3\n";
    let station = Station::new().clock("timezone = \"America/Detroit\"").table_keys(keys);
    count(&station, text);
    let times: Vec<String> = station.rows(TABLE).iter().map(|row| row.time()).collect();
    assert_eq!(times, ["2024-11-03T05:30:00Z", "2024-11-03T06:30:00Z", "2024-11-03T07:30:00Z"]);
    // Another clock moves none of them.
    let station = station.clock("utc_offset = \"-05:00\"");
    station.run(&["rekey"]).works();
    assert_eq!(station.rows(TABLE).iter().map(|row| row.time()).collect::<Vec<_>>(), times);
}

#[test]
fn a_file_that_is_no_text_is_named_as_what_it_is() {
    for (content, words) in [
        (&b"PK\x03\x04\x14\0\0\0\x08\0[Content_Types].xml"[..], "spreadsheet"),
        (b"PK\x03\x04\x14\0\0\0\x08\0met.csv", "zip archive"),
        (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0\0\0\0", "old Office"),
        (b"{\\rtf1\\ansi 2024-05-01 00:00:00,1,2\\par\n", "rich text"),
        (b"%PDF-1.7\n1 0 obj\n", "PDF"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>\n", "web page"),
        (b"7z\xBC\xAF\x27\x1C\0\x04", "compressed"),
        (b"SQLite format 3\0\x10\0\x01\x01", "SQLite"),
        (b"CDF\x01\0\0\0\0\0\0\0\x0A\0\0\0\x01", "netCDF"),
        (b"\x89HDF\r\n\x1A\n\0\0\0\0", "HDF5"),
        (b"PAR1\x15\x04\x15\x10", "Parquet"),
    ] {
        for station in [Station::new(), Station::new().table_keys(GERMAN)] {
            let note = count(&station, content).to_string();
            assert!(note.contains(words), "{words}: {note}");
            assert_eq!(station.count("SELECT count(*) FROM rejected_line"), 0, "{words}");
            station.write("other.csv", content);
            let file = station.path("other.csv");
            let init = station.run(&["init", "--add", file.to_str().unwrap()]);
            assert!(format!("{}{}", init.stdout, init.stderr).contains(words), "{words}: {init:?}");
        }
    }
}

#[test]
fn i3_rows_behind_a_header_in_the_middle_of_a_text_table_stand_under_it() {
    let keys =
        "format = \"csv\"\ntime_column = \"time\"\ntime_format = \"%Y-%m-%d %H:%M\"\n[table.csv]\nnames_line = 1";
    let row = |hour: i64, values: &str| format!("2024-05-01 {hour:02}:00,{values}\n");
    let first = "time,A,B\n".to_owned() + &row(1, "1,2") + &row(2, "1,2");
    let second = "time,B,A,X\n".to_owned() + &row(3, "2,1,3") + &row(4, "2,1,3");
    let third = "time,A,B\n".to_owned() + &row(5, "1,2");
    let expected = ["[1,2]", "[1,2]", "[1,2,3]", "[1,2,3]", "[1,2]"];
    let has_all = |station: &Station| {
        let rows = station.rows(TABLE);
        let values: Vec<&str> = rows.iter().map(|row| row.vals.trim_end_matches(']')).collect();
        let right: Vec<&str> = expected.iter().map(|row| row.trim_end_matches(']')).collect();
        assert!(values.len() == 5 && values.iter().zip(&right).all(|(is, right)| is.starts_with(right)), "{values:?}");
        assert_eq!(station.count("SELECT count(*) FROM rejected_line"), 0);
    };
    // In one file, and as it grows, a line a read.
    let whole = first + &second + &third;
    let station = Station::new().table_keys(keys);
    assert_eq!(counts(&count(&station, &whole)), [3, 5, 0, 0, 0]);
    has_all(&station);
    let station = Station::new().table_keys(keys);
    station.write(DAT, "");
    for line in whole.split_inclusive('\n') {
        station.append(DAT, line);
        let _ = station.run(&["ingest"]);
    }
    has_all(&station);
    // The whole file read again says nothing new.
    station.write("again.csv", &whole);
    let table = station.run_json(&["ingest", "again.csv"]).json()["tables"][0].clone();
    assert_eq!(counts(&table), [3, 0, 5, 0, 0], "{table}");
    // A line that only looks like one in part is none.
    let station = Station::new().table_keys(keys);
    let odd = "time,A,B\n".to_owned() + &row(1, "1,2") + "Time of day,B,A\n" + &row(2, "1,2");
    assert_eq!(counts(&count(&station, &odd)), [1, 2, 0, 1, 0]);
}

#[test]
fn rows_behind_another_line_of_units_in_the_middle_are_judged_by_it() {
    let keys = "format = \"csv\"\ntime_column = \"time\"\ntime_format = \"%Y-%m-%d %H:%M\"\n[table.csv]\nnames_line = 1\nunits_line = 2\n[table.columns.T]\nvariable = \"TA\"";
    let row = |hour: i64, values: &str| format!("2024-05-01 {hour:02}:00,{values}\n");
    let text = "time,T\n-,degC\n".to_owned()
        + &row(1, "20")
        + &row(2, "99")
        + "time,T\n-,degF\n"
        + &row(3, "68")
        + &row(4, "99");
    let station = Station::new().table_keys(keys);
    assert_eq!(counts(&count(&station, &text)), [4, 4, 0, 0, 0]);
    // 99 is too much of degrees Celsius, and not of Fahrenheit.
    let flags: Vec<String> = station.rows(TABLE).iter().map(|row| row.flags.clone()).collect();
    assert_eq!(flags, ["1", "4", "1", "1"]);
}

#[test]
fn a_file_that_is_one_line_is_named_with_its_reason_once_no_more_comes() {
    let toa5 = Logger::par().columns(&["A", "B"]).header()
        + "\"2024-05-01 00:00:00\",0,1,2\r\n\"2024-05-01 00:10:00\",1,1,2\r\n";
    let columns = format!("{GERMAN_HEAD}{}", german(0..4));
    for (keys, content, words) in [
        ("", toa5.replace("\r\n", "\r"), "lines end in CR alone"),
        (GERMAN, columns.replace("\r\n", "\r"), "lines end in CR alone"),
        ("", "nothing that a logger writes".to_owned(), "has no TOA5 header"),
    ] {
        let station = Station::new().table_keys(&format!("last_line_after = \"0s\"\n{keys}"));
        let note = count(&station, content.as_bytes()).to_string();
        assert!(note.contains(words), "{words}: {note}");
        assert!(station.run(&["status"]).stdout.contains(words), "{words}");
        // While it may still be written, nothing is known of it.
        let station = Station::new().table_keys(&format!("last_line_after = \"1h\"\n{keys}"));
        let note = count(&station, content.as_bytes()).to_string();
        assert!(!note.contains(words), "{words}: {note}");
    }
}

fn gzip(text: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(text).unwrap();
    packed.finish().unwrap()
}

#[test]
fn a_file_that_was_compressed_with_gzip_is_read_as_what_it_holds() {
    let keys = GERMAN.replacen("format", "files = [\"*.csv.gz\"]\nformat", 1);
    let station = Station::new().table(&format!("name = \"{TABLE}\"\n{keys}"));
    // Larger than one piece of reading, without a line end, of two parts.
    let comments = "# nothing that anybody could read as a row of the table\r\n".repeat(20_000);
    let text = format!("{GERMAN_HEAD}{}{comments}{}", german(0..4), german(4..8));
    let half = text.len() / 2;
    let packed = [gzip(&text.as_bytes()[..half]), gzip(&text.as_bytes()[half..text.len() - 2])].concat();
    station.write("may.csv.gz", &packed);
    let table = station.run_json(&["ingest"]).json()["tables"][0].clone();
    assert_eq!(counts(&table), [20_003, 8, 0, 0, 0], "{table}");
    // Known by its content.
    let again = station.run_json(&["ingest"]).json()["tables"][0].clone();
    assert_eq!((&again["lines"], &again["sources"][0]["unchanged"]), (&0.into(), &true.into()), "{again}");
    // Another name says nothing of what it holds.
    station.write("may_too.dat", &packed);
    let table = station.run_json(&["ingest", "may_too.dat"]).json()["tables"][0].clone();
    assert_eq!(counts(&table), [20_003, 0, 8, 0, 0], "{table}");
    // Half of it: it is still being written.
    station.write("june.csv.gz", &packed[..packed.len() / 2]);
    let torn = station.run_json(&["ingest"]).json().to_string();
    assert!(torn.contains("june.csv.gz kept changing while it was read"), "{torn}");
    station.remove("june.csv.gz");
    station.write("june.csv.gz", gzip(format!("{GERMAN_HEAD}01.06.2024 00:00;1,5;2\r\n").as_bytes()));
    station.run(&["ingest"]).works();
    assert_eq!(station.rows(TABLE).len(), 9);
    let check = station.run(&["check"]).stdout;
    assert!(check.contains("june.csv.gz: CSV, newest record 2024-06-01 00:00:00"), "{check}");
    let file = station.path("may.csv.gz");
    fs::remove_file(station.config_path()).unwrap();
    let init = station.run(&["init", file.to_str().unwrap()]).works().stdout;
    assert!(init.contains("Temp 0.5"), "{init}");
}

#[test]
fn a_gzip_file_that_is_cut_or_damaged_and_stands_still_is_named_as_such_and_is_not_put_away() {
    const STILL: std::time::Duration = std::time::Duration::from_secs(7_200);
    let mut text = format!("{GERMAN_HEAD}{}", german(0..8));
    text.extend((0..4_000).map(|row| {
        let (day, hour, minute) = (1 + row / 1_440, row / 60 % 24, row % 60);
        format!("{day:02}.07.2024 {hour:02}:{minute:02};{},5;{}\r\n", row % 7, row * 7_919 % 1_000)
    }));
    let packed = gzip(text.as_bytes());
    let says = "is a gzip file that is cut";
    for (name, cut) in [
        // In the checksum alone, in the rows, in the header of the table, in that of gzip.
        ("checksum", packed.len() - 3),
        ("rows", packed.len() - 300),
        ("head", 40),
        ("gzip", 6),
    ] {
        let keys =
            GERMAN.replacen("format", "files = [\"*.csv.gz\"]\nafter = \"move:old\"\nclosed_after = \"1h\"\nformat", 1);
        let station = Station::new().table(&format!("name = \"{TABLE}\"\n{keys}"));
        station.write("a.csv.gz", &packed[..cut]);
        // It may still be written.
        let waits = station.run_json(&["ingest"]).json().to_string();
        assert!(waits.contains("a.csv.gz kept changing"), "{name}: {waits}");
        station.age("a.csv.gz", STILL);
        // A newer file, so that the other is closed.
        station.write("b.csv.gz", gzip(format!("{GERMAN_HEAD}01.06.2024 00:00;1,5;2\r\n").as_bytes()));
        let ended = station.run_json(&["ingest"]).works().json();
        assert!(ended.to_string().contains(says), "{name}: {ended}");
        let status = station.run(&["status"]).stdout;
        assert!(status.contains("a.csv.gz") && status.contains(says), "{name}: {status}");
        let rows = station.rows(TABLE).len();
        let expected = match name {
            "checksum" => 4_009..4_010,
            "rows" => 3_000..4_009,
            _ => 1..2,
        };
        assert!(expected.contains(&rows), "{name}: {rows}");
        assert_eq!(station.count("SELECT count(*) FROM rejected_line"), 0, "{name}");
        // It is read once, and named until it is whole.
        let again = station.run_json(&["ingest"]).works().json();
        assert!(again.to_string().contains(says), "{name}: {again}");
        assert!(station.path("a.csv.gz").exists(), "{name}");
        station.write("a.csv.gz", &packed);
        station.run(&["ingest"]).works();
        assert_eq!(station.rows(TABLE).len(), 4_009, "{name}");
        let status = station.run(&["status"]).stdout;
        assert!(!status.contains("a.csv.gz"), "{name}: {status}");
    }
    let keys = GERMAN.replacen("format", "files = [\"*.csv.gz\"]\nformat", 1);
    let station = Station::new().table(&format!("name = \"{TABLE}\"\n{keys}"));
    let mut damaged = packed;
    let middle = damaged.len() / 2;
    damaged[middle..middle + 40].fill(0xA5);
    station.write("a.csv.gz", damaged);
    let ended = station.run_json(&["ingest"]).works().json().to_string();
    assert!(ended.contains("is a gzip file that is damaged"), "{ended}");
    let status = station.run(&["status"]).stdout;
    assert!(status.contains("a.csv.gz is a gzip file that is damaged"), "{status}");
}

#[test]
fn each_array_of_a_cr10x_is_a_table_of_its_own() {
    let station = Station::new();
    let rows: String = (0..8)
        .map(|row| {
            let (day, clock) = (151 + row / 6, [1800, 1900, 2000, 2100, 2200, 2300][row % 6]);
            let daily = if row == 6 { "24,2004,151,2400,12.9,1412\r\n" } else { "" };
            format!("{daily}30,2004,{day},{clock},.{row}51,-.077\r\n")
        })
        .collect();
    // Midnight, minutes without leading zeros, a line that lost its comma, one of no array.
    let rows = format!(
        "{rows}30,2004,152,2400,.9,1\r\n30,2004,153,58,1,1\r\n30,2004,1531,2,1,1\r\n300,04,153\r\n30,2004,15358,1,1\r\n,3,4\r\n"
    );
    station.write("met.dat", &rows);
    station.write("met.fsl", "(CR10X)\r\n\r\n30 Output_Table  60.00 Min\r\n1 30 L\r\n2 Year_RTM  L\r\n3 Day_RTM  L\r\n4 Hour_Minute_RTM  L\r\n5 Temp_AVG  L\r\n6 WS  L\r\n");
    fs::remove_file(station.config_path()).unwrap();
    let file = station.path("met.dat");
    let init = station.run(&["init", "--utc-offset", "-05:00", file.to_str().unwrap()]).works();
    assert!(init.stdout.contains("met_30: the first rows"), "{}", init.stdout);
    let report = station.run_json(&["ingest"]).json();
    fs::rename(station.path("fluxtower.db"), station.store_path()).unwrap();
    let shown: Vec<String> = station.rows("met_30").iter().map(|row| format!("{} {}", row.time(), row.vals)).collect();
    assert_eq!(shown.len(), 10, "{report}");
    assert_eq!(shown[0], "2004-05-30T23:00:00Z [0.051,-0.077]");
    assert_eq!(shown[8..], ["2004-06-01T05:00:00Z [0.9,1]", "2004-06-01T05:58:00Z [1,1]"]);
    assert_eq!(station.rows("met_24")[0].vals, "[12.9,1412]");
    // Three damaged lines are kept, and no line of another array is.
    let rejected = |table: &str| {
        report["tables"].as_array().unwrap().iter().find(|one| one["table"] == table).unwrap()["rejected"].clone()
    };
    assert_eq!((rejected("met_30"), rejected("met_24")), (3.into(), 1.into()), "{report}");
}

#[test]
fn arrays_without_a_year_take_it_from_the_configuration() {
    let keys = "format = \"csv\"\nnames = [\"ID\", \"Day\", \"HM\", \"A\"]\n[table.csv]\narray = 101\nyear = 2004\ntime_columns = [\"Day\", \"HM\"]";
    let station = Station::new().table_keys(keys);
    count(&station, "101,366,2345,1\r\n9,366,2345,1,2\r\n101,366,2400,2\r\n");
    let times: Vec<String> = station.rows(TABLE).iter().map(|row| row.time()).collect();
    assert_eq!(times, ["2005-01-01T04:45:00Z", "2005-01-01T05:00:00Z"]);
    // A change of the clock reads the stamps as they are kept.
    let station = station.clock("utc_offset = \"-06:00\"");
    station.run(&["rekey"]).works();
    assert_eq!(station.rows(TABLE)[0].time(), "2005-01-01T05:45:00Z");
}

#[test]
fn an_empty_value_before_a_time_of_two_columns_keeps_its_place() {
    let station = Station::new().table_keys(
        "format = \"csv\"\nnames = [\"ID\", \"Date\", \"Time\", \"T\"]\ntime_format = \"%Y-%m-%d %H:%M\"\n[table.csv]\n\
         separator = \";\"\ntime_columns = [\"Date\", \"Time\"]\n",
    );
    let table = count(&station, ";2024-05-01;10:00;5\n7;2024-05-01;10:30;6\n");
    assert_eq!(counts(&table), [0, 2, 0, 0, 0]);
    let values: Vec<String> = station.rows(TABLE).into_iter().map(|row| row.vals).collect();
    assert_eq!(values, ["[null,5]", "[7,6]"]);
}

#[test]
fn an_empty_name_before_or_behind_a_tab_keeps_the_other_names_at_their_columns() {
    for (names, row) in [("\tt\tT", "1\t2024-05-01 10:00:00\t5"), ("t\tT\t", "2024-05-01 10:00:00\t5\t1")] {
        let station = Station::new()
            .table_keys("format = \"csv\"\ntime_column = \"t\"\n[table.csv]\nseparator = \"tab\"\nnames_line = 1\n");
        let table = count(&station, format!("{names}\n{row}\n"));
        assert_eq!(counts(&table), [1, 1, 0, 0, 0], "{names:?}");
        let export = station.run(&["export", "--table", TABLE, "--columns", "T"]).expect(0).stdout;
        assert!(export.trim_end().ends_with(",5"), "{export}");
    }
}

#[test]
fn columns_whose_names_differ_in_case_alone_are_two() {
    let station = Station::new()
        .table_keys("format = \"csv\"\nnames = [\"t\", \"T\"]\ntime_column = \"T\"\n[table.csv]\nseparator = \";\"\n");
    let table = count(&station, "5;2024-05-01 10:00:00\n");
    assert_eq!(counts(&table), [0, 1, 0, 0, 0]);
    assert_eq!(station.rows(TABLE)[0].vals, "[5]");
}

#[test]
fn midnight_at_the_end_of_a_day_does_not_go_with_counted_times() {
    let station = Station::new().table_keys(
        "format = \"csv\"\nnames = [\"t\", \"A\"]\ntime_column = \"t\"\ntime_format = \"unix\"\n[table.csv]\nmidnight = \"end\"\n",
    );
    let _ = station.run(&["check"]).expect(2).says("midnight = \"end\" does not go with \"unix\"");
}
