//! Stamps without a year, as in the arrays of some loggers: the year turns with the rows of the file and with the file's
//! time, and no row is put a year back (docs/file-formats.md#arrays).

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::support::{DAT, Station, TABLE};

/// Seconds since 1970.
const NEW_YEAR_2024: u64 = 1_704_067_200;
const NEW_YEAR_2025: u64 = 1_735_689_600;
const DAY: u64 = 86_400;

fn station(year: u16) -> Station {
    Station::new().table_keys(&keys(year))
}

fn keys(year: u16) -> String {
    format!(
        "format = \"csv\"\nnames = [\"ID\", \"Day\", \"HM\", \"A\"]\n[table.csv]\narray = 101\nyear = {year}\ntime_columns = [\"Day\", \"HM\"]"
    )
}

/// Writes the file as at `seconds`, with a row at noon of each of these days of the year, whose value is the day.
fn write(station: &Station, days: &[u32], seconds: u64) {
    let rows: String = days.iter().map(|day| format!("101,{day},1200,{day}\r\n9,1,2,3\r\n")).collect();
    station.write(DAT, rows);
    set_time(station, DAT, seconds);
}

fn set_time(station: &Station, name: &str, seconds: u64) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    File::options().write(true).open(station.path(name)).unwrap().set_modified(time).unwrap();
}

fn ingest(station: &Station) -> Value {
    let ended = station.run_json(&["ingest"]);
    assert!(ended.code <= 1, "{ended:?}");
    ended.json()["tables"][0].clone()
}

/// The dates of the rows with their values.
fn rows(station: &Station) -> Vec<String> {
    station.rows(TABLE).iter().map(|row| format!("{} {}", &row.time()[..10], row.vals)).collect()
}

#[test]
fn a_file_over_the_end_of_a_year_has_the_years_of_its_rows() {
    // The configured year is that of its first row or of its last one.
    for year in [2023, 2024] {
        let station = station(year);
        write(&station, &[364, 365, 1, 2], NEW_YEAR_2024 + 2 * DAY);
        let report = ingest(&station);
        assert_eq!((report["staged"].as_u64(), report["rejected"].as_u64()), (Some(4), Some(0)), "{report}");
        assert_eq!(rows(&station), ["2023-12-30 [364]", "2023-12-31 [365]", "2024-01-01 [1]", "2024-01-02 [2]"]);
        // A change of the clock reads the stamps as they are kept.
        let station = station.clock("utc_offset = \"-06:00\"");
        station.run(&["rekey"]).works();
        assert_eq!(rows(&station), ["2023-12-30 [364]", "2023-12-31 [365]", "2024-01-01 [1]", "2024-01-02 [2]"]);
        assert_eq!(station.rows(TABLE)[3].time(), "2024-01-02T18:00:00Z");
    }
}

#[test]
fn a_file_that_is_read_in_december_and_again_in_january_goes_on_in_the_new_year() {
    // Appended to, and overwritten; over a leap day that the configured year does not have.
    for is_append in [true, false] {
        let station = station(2023);
        write(&station, &[363, 364], NEW_YEAR_2024 - DAY);
        ingest(&station);
        let january: &[u32] = if is_append { &[363, 364, 365, 1, 2] } else { &[1, 2] };
        write(&station, january, NEW_YEAR_2024 + 2 * DAY);
        let report = ingest(&station);
        assert_eq!((report["rejected"].as_u64(), report["conflicts"].as_u64()), (Some(0), Some(0)), "{report}");
        let found = rows(&station);
        assert_eq!(found[found.len() - 2..], ["2024-01-01 [1]", "2024-01-02 [2]"], "{is_append}");
        // The same file a year later: 2024 has a day 366.
        let mut all = january.to_vec();
        all.extend([300, 366]);
        write(&station, if is_append { &all } else { &[365, 366] }, NEW_YEAR_2025);
        ingest(&station);
        write(
            &station,
            if is_append {
                all.push(1);
                &all
            } else {
                &[1]
            },
            NEW_YEAR_2025 + DAY,
        );
        let report = ingest(&station);
        assert_eq!((report["rejected"].as_u64(), report["conflicts"].as_u64()), (Some(0), Some(0)), "{report}");
        let found = rows(&station);
        assert_eq!(found[found.len() - 2..], ["2024-12-31 [366]", "2025-01-01 [1]"], "{is_append}");
    }
}

#[test]
fn a_file_whose_year_is_not_known_is_rejected_until_the_configuration_says_it() {
    let station = station(2023);
    write(&station, &[363, 364], NEW_YEAR_2024 - DAY);
    ingest(&station);
    // Collected a month late: it may be an older file that was copied then.
    write(&station, &[1, 2], NEW_YEAR_2024 + 32 * DAY);
    let report = ingest(&station);
    assert_eq!((report["staged"].as_u64(), report["rejected"].as_u64()), (Some(0), Some(2)), "{report}");
    let said = station.run_json(&["rejected"]).json().to_string();
    assert!(
        said.contains("its stamp has no year, which is 2023 or 2024") && said.contains("write year = 2024"),
        "{said}"
    );
    let config = fs::read_to_string(station.config_path()).unwrap();
    fs::write(station.config_path(), config.replace("year = 2023", "year = 2024")).unwrap();
    let report = ingest(&station);
    assert_eq!(report["taken_up"], 2, "{report}");
    assert_eq!(rows(&station)[2..], ["2024-01-01 [1]", "2024-01-02 [2]"]);
}

#[test]
fn files_of_an_archive_keep_the_configured_year_whenever_they_were_copied() {
    let station = station(2004);
    write(&station, &[100, 101], NEW_YEAR_2025 + 101 * DAY);
    ingest(&station);
    write(&station, &[1, 2, 50], NEW_YEAR_2025 + 102 * DAY);
    let report = ingest(&station);
    assert_eq!(report["rejected"], 0, "{report}");
    assert_eq!(
        rows(&station),
        ["2004-01-01 [1]", "2004-01-02 [2]", "2004-02-19 [50]", "2004-04-09 [100]", "2004-04-10 [101]"]
    );
}

#[test]
fn an_older_file_that_is_read_again_by_hand_keeps_the_year_that_it_had() {
    let station = station(2023);
    write(&station, &[363, 364], NEW_YEAR_2024 - DAY);
    ingest(&station);
    for days in [[1, 2], [100, 101], [300, 301]] {
        write(&station, &days, NEW_YEAR_2024 + u64::from(days[1]) * DAY);
        ingest(&station);
    }
    let before = rows(&station);
    assert_eq!(before[2..4], ["2024-01-01 [1]", "2024-01-02 [2]"]);
    let read = |name: &str, written: u64| {
        station.write(name, "101,1,1200,1\r\n101,2,1200,2\r\n");
        set_time(&station, name, written);
        let file = station.path(name);
        station.run_json(&["ingest", "--table", TABLE, file.to_str().unwrap()]).json()["tables"][0].clone()
    };
    // With the time at which it was written, and copied since.
    let report = read("january.dat", NEW_YEAR_2024 + 3 * DAY);
    assert_eq!((report["duplicates"].as_u64(), report["rejected"].as_u64()), (Some(2), Some(0)), "{report}");
    let report = read("copied.dat", NEW_YEAR_2024 + 330 * DAY);
    assert_eq!((report["staged"].as_u64(), report["rejected"].as_u64()), (Some(0), Some(2)), "{report}");
    assert_eq!(rows(&station), before);
}

#[test]
fn a_day_that_was_damaged_among_others_is_rejected_and_the_rows_behind_keep_their_year() {
    let station = station(2024);
    write(&station, &[300, 301, 2, 302], NEW_YEAR_2024 + 302 * DAY);
    let report = ingest(&station);
    assert_eq!((report["staged"].as_u64(), report["rejected"].as_u64()), (Some(3), Some(1)), "{report}");
    assert_eq!(rows(&station), ["2024-10-26 [300]", "2024-10-27 [301]", "2024-10-28 [302]"]);
}

#[test]
fn init_drafts_the_year_of_the_first_row() {
    for (days, written) in
        [([364, 365, 1, 2], NEW_YEAR_2024 + 2 * DAY), ([340, 341, 342, 343], NEW_YEAR_2024 + 5 * DAY)]
    {
        let station = Station::new();
        fs::remove_file(station.config_path()).unwrap();
        write(&station, &days, written);
        let file = station.path(DAT);
        station.run(&["init", "--utc-offset", "-05:00", file.to_str().unwrap()]).works();
        let config = fs::read_to_string(station.config_path()).unwrap();
        assert!(
            config.contains("# CHECK: the year of the file's first row") && config.contains("year = 2023"),
            "{config}"
        );
        let report = station.run_json(&["ingest"]).json();
        let tables = report["tables"].as_array().unwrap();
        let own = tables.iter().find(|table| table["table"].as_str().unwrap().ends_with("101")).unwrap();
        assert_eq!((own["staged"].as_u64(), own["rejected"].as_u64()), (Some(4), Some(0)), "{report}");
    }
}
