//! Notes of an ingest: each names its table, is given where it concerns a row, and goes when its advice was followed.

use super::*;

/// What `status` reports of the last ingest and of the files.
fn found(tower: &Station) -> String {
    tower.run_json(&["status"]).works().json()["findings"].to_string()
}

#[test]
fn a_note_about_the_hour_that_spring_leaves_out_goes_when_its_advice_was_followed() {
    let mut tower = Station::new().clock("timezone = \"America/Detroit\"");
    let content = "\"2024-03-10 01:50:00\",0,1,2\r\n\"2024-03-10 02:10:00\",1,1,2\r\n\"2024-03-10 03:10:00\",2,1,2\r\n";
    let _ = ingest(&tower, behind_header(content), "header 4 staged 2 rejected 1").expect(1);
    assert!(found(&tower).contains("does not exist in America/Detroit"), "{}", found(&tower));
    tower.configure(|sections| "utc_offset = \"-05:00\"".clone_into(&mut sections.clock));
    let _ = tower.run(&["rekey"]).expect(0);
    let _ = tower.run(&["ingest"]).expect(0);
    assert_eq!(rows(&tower).len(), 3);
    assert!(!found(&tower).contains("does not exist"), "{}", found(&tower));
    // It is looked at once.
    assert_eq!(tower.run_json(&["ingest"]).json()["tables"][0]["sources"][0]["unchanged"], true);
}

#[test]
fn a_note_on_a_file_stays_where_another_configuration_does_not_concern_it() {
    let tower = Station::new();
    let content = behind_header("\"2024-05-01 00:00:00\",0,1,2\r\n\"2024-05-01 00:00:05\",\"1\",3,4\r\n");
    let _ = ingest(&tower, content, "header 4 staged 2").expect(1);
    assert!(found(&tower).contains("record number in quotes"));
    let tower = tower.table_keys("valid_from = \"2001-01-01\"");
    let _ = tower.run(&["ingest"]).expect(1);
    assert!(found(&tower).contains("record number in quotes"));
}

/// A table of a text file with this time format.
fn dated(format: &str) -> Station {
    Station::new().table(&format!(
        "name = \"m\"\nfiles = [\"m.csv\"]\nformat = \"csv\"\nnames = [\"Time\", \"T\"]\ntime_column = \"Time\"\n\
         last_line_after = \"0s\"\ntime_format = \"{format}\""
    ))
}

#[test]
fn a_changed_time_format_is_reported_where_a_row_means_another_time_by_it_and_nowhere_else() {
    for (before, after, row, says) in [
        ("%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M", "05/11/2024 03:00,5\n", true),
        // The row can be read by the format before alone, and means the same time by both.
        ("%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M", "05/30/2024 03:00,5\n", false),
        ("%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M", "05/05/2024 03:00,5\n", false),
        // It never read a row.
        ("%m/%d/%Y %H:%M", "%Y-%m-%d %H:%M", "2024-05-11 03:00,5\n", false),
    ] {
        let tower = dated(before);
        tower.write("m.csv", row);
        let _ = tower.run(&["ingest"]).works();
        tower.replace_in_config(before, after);
        let note = notes(&tower.run_json(&["ingest"]).works());
        let expected = "table \\\"m\\\": time_format changed: 1 row that the one before read would have another time";
        assert_eq!(note.contains(expected), says, "{row}: {note}");
        assert_eq!(note.contains("time_format"), says, "{row}: {note}");
        let would = tower.run_json(&["rekey", "--dry-run"]).expect(0).json();
        assert_eq!(would["tables"].as_array().unwrap().iter().any(|table| table["rows"] == 1), says, "{row}: {would}");
        assert_eq!(notes(&tower.run_json(&["ingest"]).works()), "[]", "once");
    }
}

#[test]
fn every_note_of_an_ingest_names_its_table_and_the_file_where_it_is_about_one() {
    let mut tower = Station::new().more("[[table]]\nname = \"other\"\nfiles = [\"other.dat\"]");
    tower.write("other.dat", "\"TOB9\",\"64291\",\"CR1000X\"\r\n");
    let content = "\"2024-05-01 00:00:00\",0,1,2\r\n\"2024-05-01 00:00:00\",1,3,4\r\n";
    let _ = ingest(&tower, behind_header(content), "header 4 staged 1 conflicts 1").expect(1);
    tower.configure(|sections| {
        sections.table +=
            "\non_conflict = \"replace\"\n[table.columns.A]\nuse = \"tag\"\n[table.columns.B]\nuse = \"ignore\"";
    });
    let report = tower.run_json(&["ingest"]).expect(1).json();
    let mut seen = 0;
    for table in report["tables"].as_array().unwrap() {
        let names = format!("table \"{}\": ", table["table"].as_str().unwrap());
        for note in table["notes"].as_array().unwrap() {
            assert!(note.as_str().unwrap().starts_with(&names), "{note}");
            seen += 1;
        }
        for file in table["sources"].as_array().unwrap() {
            let Some(note) = file["note"].as_str() else { continue };
            assert!(note.starts_with(&names) && note.contains(file["file"].as_str().unwrap()), "{note}");
        }
    }
    assert!(seen >= 2, "{report}");
    let status = found(&tower);
    for name in [TABLE, "other"] {
        assert!(status.contains(&format!("table \\\"{name}\\\": ")), "{status}");
    }
}
