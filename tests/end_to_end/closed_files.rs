//! What becomes of the files that a logger closed, by `after` (docs/file-formats.md#closed-files).

use std::io::Read;
use std::time::Duration;

use chrono::TimeDelta;

use crate::support::{Logger, Station, TABLE};

const DAY: Duration = Duration::from_secs(86_400);

/// A file for each of `days`, the last one still written, with an hour between rows.
fn station(after: &str, days: u32) -> Station {
    let tower = Station::new().table(&format!("name = \"{TABLE}\"\nfiles = [\"met_*.dat\"]\nafter = '{after}'"));
    for day in 1..=days {
        tower.write(&name(day), day_file(day));
        tower.age(&name(day), DAY * (days + 1 - day) + Duration::from_secs(60));
    }
    tower
}

fn name(day: u32) -> String {
    format!("met_{day:02}.dat")
}

fn day_file(day: u32) -> String {
    let logger = Logger::par().every(TimeDelta::hours(1)).start(&format!("2024-05-{day:02} 00:00:00"));
    let first = i64::from(day) * 24;
    let rows: String = (0..24).map(|hour| logger.row_as(hour, first + hour)).collect();
    logger.header() + &rows
}

fn names(tower: &Station, folder: &str) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(tower.path(folder)) else { return Vec::new() };
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| name.contains("met_")).collect();
    names.sort();
    names
}

/// The command ends well, and its output holds the text.
#[track_caller]
fn says(tower: &Station, command: &[&str], text: &str) {
    let said = tower.run(command).expect(0).stdout;
    assert!(said.contains(text), "{text}: {said}");
}

#[test]
fn closed_files_are_moved_but_the_newest_of_the_pattern() {
    let tower = station("move:old", 4);
    let said = tower.run(&["archive", "--dry-run"]).expect(0).stdout;
    assert!(said.contains("met_01.dat stays: it is not read yet"), "{said}");
    let report = tower.run_json(&["ingest"]).expect(0).json();
    let table = &report["tables"][0];
    assert_eq!((table["staged"].as_u64(), table["put_away"].as_array().unwrap().len()), (Some(96), 3), "{table}");
    assert_eq!((names(&tower, "."), names(&tower, "old")), (vec![name(4)], vec![name(1), name(2), name(3)]));
    assert_eq!(tower.read("old/met_02.dat"), day_file(2).into_bytes());
    let status = tower.run_json(&["status"]).json();
    let closed = &status["tables"][0]["closed_files"];
    assert_eq!((closed["files"].as_u64(), closed["last"]["action"].as_str()), (Some(3), Some("moved")), "{closed}");
    assert!(closed["last"]["to"].as_str().unwrap().ends_with("met_03.dat"), "{closed}");
    // What is read from the folder again is no new row.
    let again = tower.run_json(&["ingest", tower.path("old/met_01.dat").to_str().unwrap()]).expect(0).json();
    assert_eq!((again["tables"][0]["duplicates"].as_u64(), again["tables"][0]["staged"].as_u64()), (Some(24), Some(0)));
    assert!(tower.path("old/met_01.dat").exists());
}

#[test]
fn a_dry_run_says_what_would_go_and_why_the_others_stay() {
    let tower = station("delete", 4).with(|sections| sections.table.push_str("\nclosed_after = \"54h\""));
    tower.replace_in_config("after = 'delete'", "after = 'keep'");
    tower.run(&["ingest"]).expect(0);
    tower.replace_in_config("after = 'keep'", "after = 'delete'");
    tower.append(&name(1), "\"2024-05-01 23:30:00\",47,1,2,3\r\n");
    tower.age(&name(1), DAY * 4);
    let said = tower.run(&["archive", "--dry-run"]).expect(0).stdout;
    for line in [
        "met_01.dat stays: it changed since it was read; the next ingest reads it",
        "met_02.dat would be deleted",
        "met_03.dat stays: it was changed less than 2 d 6 h ago (`closed_after`)",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert!(!said.contains("met_04"), "{said}");
    assert_eq!(names(&tower, ".").len(), 4);
    tower.run(&["archive"]).expect(0);
    assert_eq!(names(&tower, "."), [name(1), name(3), name(4)]);
}

#[test]
fn i1_a_file_with_lines_that_are_no_rows_is_moved_and_never_deleted() {
    let tower = station("delete", 3);
    tower.append(&name(1), "\"2024-05-01 23:30:00\",47,1\r\n");
    // The beginning of a row: the file is not whole.
    tower.append(&name(2), "\"2024-05-02 23:3");
    for day in [1, 2] {
        tower.age(&name(day), DAY * 4);
    }
    tower.replace_in_config("after = 'delete'", "after = 'delete'\nlast_line_after = \"30d\"");
    tower.run(&["ingest"]).expect(1);
    assert_eq!(names(&tower, ".").len(), 3);
    let said = tower.run(&["archive", "--dry-run"]).expect(0).stdout;
    assert!(said.contains("met_01.dat stays: it has lines that are no rows"), "{said}");
    assert!(said.contains("met_02.dat stays: it is not read to its end"), "{said}");
    tower.replace_in_config("after = 'delete'", "after = 'gzip:old'");
    says(&tower, &["archive"], "compressed");
    assert_eq!((names(&tower, "."), names(&tower, "old")), (vec![name(2), name(3)], vec!["met_01.dat.gz".to_owned()]));
    let mut text = String::new();
    let file = std::fs::File::open(tower.path("old/met_01.dat.gz")).unwrap();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    assert!(text.ends_with("23:30:00\",47,1\r\n"), "{text}");
    says(&tower, &["rejected"], "23:30:00");
}

#[test]
fn i3_a_file_of_the_same_name_gets_a_number_and_what_a_killed_pass_left_stands_once() {
    let tower = station("move:old", 2);
    std::fs::create_dir(tower.path("old")).unwrap();
    tower.write("old/met_01.dat", "another file");
    tower.run(&["ingest"]).expect(0);
    assert_eq!(names(&tower, "old"), ["met_01.dat", "met_01_2.dat"]);
    assert_eq!(tower.read("old/met_01.dat"), b"another file");
    assert_eq!(tower.read("old/met_01_2.dat"), day_file(1).into_bytes());
    // Killed between the new name and the removal of the old one.
    tower.write(&name(1), day_file(1));
    tower.age(&name(1), DAY * 3);
    tower.run(&["ingest"]).expect(0);
    assert_eq!((names(&tower, "."), names(&tower, "old").len()), (vec![name(2)], 2));
    assert_eq!(tower.rows(TABLE).len(), 48);
}

#[test]
fn a_folder_that_the_pattern_reads_too_and_one_that_cannot_be_made_leave_the_files_where_they_are() {
    let tower = station("move:old", 3);
    tower.replace_in_config("[\"met_*.dat\"]", "[\"**/met_*.dat\"]");
    tower.run(&["ingest"]).expect(0);
    says(&tower, &["archive", "--dry-run"], "would be read again as");
    let tower = station("move:taken/old", 3);
    tower.write("taken", "a file where a folder should be");
    let said = tower.run(&["ingest"]).expect(1).stdout;
    assert!(said.contains("met_01.dat stays for now: cannot write"), "{said}");
    assert_eq!((names(&tower, ".").len(), tower.rows(TABLE).len()), (3, 72));
}

#[test]
fn a_file_that_two_tables_read_goes_when_both_say_so() {
    let array = |number: u32, after: &str| {
        format!(
            "name = \"array{number}\"\nfiles = [\"met_*.dat\"]\nformat = \"csv\"\nnames = [\"id\", \"day\", \"time\", \"T\"]\n{after}\n\
             [table.csv]\ntime_columns = [\"day\", \"time\"]\nyear = 2024\narray = {number}\n"
        )
    };
    let after = "after = \"delete\"";
    let tower = Station::new().table(&array(1, after)).more(&format!("[[table]]\n{}", array(2, "")));
    for day in 1..=2_u32 {
        tower.write(&name(day), format!("1,{day},100,5.5\r\n2,{day},100,6.5\r\n"));
        tower.age(&name(day), DAY * (4 - day));
    }
    tower.run(&["ingest"]).expect(0);
    assert_eq!(names(&tower, ".").len(), 2);
    says(&tower, &["archive", "--dry-run"], "table \"array2\" reads it too");
    let tower = tower.more(&format!("[[table]]\n{}", array(2, after)));
    tower.run(&["ingest"]).expect(0);
    assert_eq!(names(&tower, "."), [name(2)]);
    assert_eq!((tower.rows("array1").len(), tower.rows("array2").len()), (2, 2));
}
