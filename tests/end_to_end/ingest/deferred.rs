//! Lines that a read leaves for a later one, in files that are overwritten before that (I1, I2).

use std::time::Duration;

use super::*;

const CSV: &str = "met.csv";

fn csv(names: &str, keys: &str) -> Station {
    Station::new().table(&format!(
        "name = \"met\"\nfiles = [\"{CSV}\"]\nformat = \"csv\"\nnames = {names}\ntime_column = \"Time\"\n\
         time_format = \"%Y-%m-%d %H:%M\"\n{keys}"
    ))
}

/// Each file takes the place of the one before, and is read when it has stood still for so long.
fn collect(tower: &Station, files: &[&str], still: u64) {
    for text in files {
        tower.write(CSV, text);
        tower.age(CSV, Duration::from_secs(still));
        let _ = tower.run(&["run"]);
    }
}

fn values(tower: &Station) -> Vec<String> {
    tower.rows("met").into_iter().map(|row| format!("{}{}", row.tags, row.vals)).collect()
}

#[test]
fn i1_a_last_line_without_its_end_keeps_its_text_when_its_file_is_overwritten() {
    let tower = csv("[\"Time\", \"v\"]", "");
    let file = |hour: u32| format!("2026-11-20 0{hour}:00,{hour}.5\n2026-11-20 0{hour}:30,{hour}.7");
    collect(&tower, &[&file(0), &file(1), &file(2)], 30);
    assert_eq!(values(&tower), ["[][0.5]", "[][1.5]", "[][2.5]"]);
    let said = tower.run(&["rejected"]).stdout;
    assert!(said.contains("2026-11-20 00:30,0.7") && said.contains("2026-11-20 01:30,1.7"), "{said}");
    assert!(said.contains("set last_line_after = \"0s\""), "{said}");
    // The last one gets its end.
    collect(&tower, &[&(file(2) + "\n")], 0);
    assert_eq!(values(&tower).last().unwrap(), "[][2.7]");
    assert_eq!(tower.count("SELECT count(*) FROM setting WHERE key LIKE 'deferred%'"), 0);
    // The user does as it says.
    tower.replace_in_config("name = \"met\"", "name = \"met\"\nlast_line_after = \"0s\"");
    let _ = tower.run(&["rejected", "--again"]);
    assert_eq!(values(&tower), ["[][0.5]", "[][0.7]", "[][1.5]", "[][1.7]", "[][2.5]", "[][2.7]"]);
    assert_eq!(tower.count("SELECT rejected_lines FROM logger_table"), 0);
    collect(&tower, &[&file(3), &file(4)], 0);
    assert_eq!(tower.count("SELECT rows FROM logger_table"), 10);
}

#[test]
fn i2_a_cut_line_is_no_row_and_gives_way_to_the_whole_one_whenever_that_comes() {
    let tower = csv("[\"Time\", \"v\"]", "");
    collect(&tower, &["2026-11-20 00:00,1.5\n2026-11-20 00:30,1", "2026-11-20 01:00,2.5\n2026-11-20 01:30,3.5\n"], 0);
    assert_eq!(values(&tower), ["[][1.5]", "[][2.5]", "[][3.5]"]);
    assert_eq!(tower.count("SELECT rejected_lines FROM logger_table"), 1);
    tower.write("export.csv", "2026-11-20 00:30,12.75\n");
    let _ = tower.run(&["ingest", "--table", "met", "export.csv"]).expect(0);
    assert_eq!(tower.count("SELECT rejected_lines FROM logger_table"), 0);
    assert_eq!(values(&tower)[1], "[][12.75]");
}

#[test]
fn i1_the_last_line_of_a_file_that_is_gone_keeps_its_text() {
    let tower = csv("[\"Time\", \"v\"]", "");
    collect(&tower, &["2026-11-20 00:00,1.5\n2026-11-20 00:30,1.7"], 30);
    std::fs::remove_file(tower.path(CSV)).unwrap();
    let _ = tower.run(&["run"]);
    assert!(tower.run(&["rejected"]).stdout.contains("2026-11-20 00:30,1.7"));
    assert_eq!(tower.count("SELECT count(*) FROM setting WHERE key LIKE 'deferred%'"), 0);
}

#[test]
fn i1_newest_rows_first_in_files_that_overlap_are_all_rows() {
    let tower = csv("[\"Time\", \"v\"]", "");
    let file = |last: u32| {
        let rows = (last.saturating_sub(4)..last).rev();
        rows.map(|row| format!("2026-11-20 {:02}:{}0,{row}.5\n", row / 6, row % 6)).collect::<String>()
    };
    for last in 4..20 {
        collect(&tower, &[&file(last)], 0);
        // The newest row may wait for the next file.
        assert!(tower.count("SELECT rows FROM logger_table") >= i64::from(last) - 1, "{last}");
    }
    assert_eq!(tower.count("SELECT count(*) FROM rejected_line"), 0);
}

#[test]
fn i2_a_last_line_that_is_finished_in_the_next_file_is_one_row_whatever_was_cut() {
    for names in ["[\"Time\", \"v\"]", "[\"v\", \"Time\"]"] {
        let line = |value: &str, time: &str| match names.starts_with("[\"v") {
            true => format!("{value},{time}"),
            false => format!("{time},{value}"),
        };
        let whole = [line("1.5", "2026-11-20 00:30"), line("12.75", "2026-11-20 01:30")];
        for cut in 1..4 {
            let torn = &whole[1][..whole[1].len() - cut];
            for (still, is_taken) in [(0, false), (30, false), (1_200, true)] {
                let tower = csv(names, "");
                collect(&tower, &[&format!("{}\n{torn}", whole[0])], still);
                assert_eq!(tower.count("SELECT count(*) FROM provisional") == 1, is_taken, "{torn}");
                collect(&tower, &[&format!("{}\n{}\n", whole[0], whole[1])], 0);
                assert_eq!(values(&tower), ["[][1.5]", "[][12.75]"], "{torn}, {still} s");
                for none in ["conflict", "rejected_line", "provisional", "setting WHERE key LIKE 'deferred%'"] {
                    assert_eq!(tower.count(&format!("SELECT count(*) FROM {none}")), 0, "{none}: {torn}, {still} s");
                }
                assert_eq!(tower.count("SELECT rows FROM logger_table"), 2, "{torn}");
            }
        }
    }
}

#[test]
fn i2_a_cut_tag_makes_no_series_that_stays() {
    let tower = csv("[\"Time\", \"v\", \"plot\"]", "[table.columns.plot]\nuse = \"tag\"\n");
    collect(&tower, &["2026-11-20 00:30,1.5,6a\n2026-11-20 01:30,2.5,6"], 1_200);
    assert_eq!(values(&tower), ["[\"6\"][2.5,6]", "[\"6a\"][1.5,\"6a\"]"]);
    collect(&tower, &["2026-11-20 00:30,1.5,6a\n2026-11-20 01:30,2.5,6a\n"], 0);
    assert_eq!(values(&tower), ["[\"6a\"][1.5,\"6a\"]", "[\"6a\"][2.5,\"6a\"]"]);
}

#[test]
fn i2_a_cut_value_of_a_table_with_one_value_a_line_is_replaced_by_the_whole_one() {
    let tower = csv("[\"Time\", \"S\", \"V\"]", "[table.csv]\nsensor_column = \"S\"\nvalue_column = \"V\"\n");
    collect(&tower, &["2026-11-20 00:00,A,1.5\n2026-11-20 00:00,B,3"], 1_200);
    collect(&tower, &["2026-11-20 00:00,A,1.5\n2026-11-20 00:00,B,3.75\n2026-11-20 01:00,A,4"], 1_200);
    collect(&tower, &["2026-11-20 00:00,A,1.5\n2026-11-20 00:00,B,3.75\n2026-11-20 01:00,A,4.25\n"], 0);
    assert_eq!(values(&tower), ["[][1.5,3.75]", "[][4.25,null]"]);
    assert_eq!(tower.count("SELECT count(*) FROM conflict"), 0);
    assert_eq!(tower.count("SELECT count(*) FROM provisional"), 0);
}

#[test]
fn i1_a_clock_that_is_set_back_within_an_overwritten_file_costs_no_row() {
    let tower = Station::new();
    let line = |minute: u32, record: u32| format!("\"2026-11-20 00:{minute:02}:00\",{record},1,{record}\r\n");
    for lines in [[line(0, 0), line(5, 1)], [line(10, 2), line(8, 3)], [line(13, 4), line(18, 5)]] {
        tower.write(DAT, behind_header(lines.concat()));
        let _ = tower.run(&["run"]);
    }
    let records: Vec<_> = tower.rows(TABLE).into_iter().map(|row| row.record).collect();
    assert_eq!(records, [Some(0), Some(1), Some(3), Some(2), Some(4), Some(5)]);
    assert_eq!(tower.count("SELECT count(*) FROM rejected_line"), 0);
}

#[test]
fn i1_rows_in_blocks_of_tags_and_newest_rows_first_are_rows_in_every_collection() {
    let tower = csv("[\"Time\", \"plot\", \"v\"]", "[table.columns.plot]\nuse = \"tag\"\n");
    let row = |hour: u32, minute: u32, plot: char| format!("2026-11-20 0{hour}:{minute}0,6{plot},{hour}.{minute}\n");
    for hour in 0..4 {
        let rows = ['a', 'b'].map(|plot| [row(hour, 0, plot), row(hour, 3, plot)].concat());
        collect(&tower, &[&rows.concat()], 0);
        assert_eq!(tower.count("SELECT rows FROM logger_table"), 4 * i64::from(hour + 1));
    }
    let tower = csv("[\"Time\", \"v\"]", "");
    for hour in 0..4 {
        let rows: Vec<String> = (0..6).rev().map(|ten| format!("2026-11-20 0{hour}:{ten}0,{hour}.{ten}\n")).collect();
        collect(&tower, &[&rows.concat()], 0);
        assert_eq!(tower.count("SELECT rows FROM logger_table"), 6 * i64::from(hour + 1));
    }
}

#[test]
fn i1_the_lines_of_a_file_whose_header_cannot_be_read_keep_their_texts_when_it_is_overwritten() {
    let row = |record: i64| format!("\"2024-05-01 {:02}:00:00\",{record},1,2\r\n", record % 24);
    let damaged = HEADER.replacen("\"B\"", "\"A\"", 1);
    assert!(damaged.contains("\"A\",\"A\""));
    let tower = Station::new();
    for record in 0..4 {
        tower.write(DAT, damaged.clone() + &row(2 * record) + &row(2 * record + 1));
        let _ = tower.run(&["ingest"]).expect(1);
        // Read once more, it says nothing new.
        let _ = tower.run(&["ingest", DAT]).expect(1);
    }
    tower.write(DAT, behind_header(row(8)));
    let _ = tower.run(&["ingest"]);
    assert_eq!(tower.rows(TABLE).len(), 1);
    let said = tower.run(&["rejected"]).stdout;
    for record in 0..8 {
        assert_eq!(said.matches(row(record).trim()).count(), 1, "{record}: {said}");
    }
    assert!(said.contains("before its header could be read"), "{said}");
    // The user does as it says.
    let export: String = (0..8).map(row).collect();
    tower.write("export.dat", behind_header(export));
    let _ = tower.run(&["ingest", "export.dat"]);
    assert_eq!(tower.rows(TABLE).len(), 9);
}

#[test]
fn i1_a_file_that_can_be_read_by_another_configuration_leaves_no_rejected_line() {
    let tower = csv("[\"Time\", \"v\"]", "");
    tower.replace_in_config("names = [\"Time\", \"v\"]\n", "");
    tower.replace_in_config("name = \"met\"", "name = \"met\"\ncsv = { names_line = 1 }");
    collect(&tower, &["Zeit,v\n2026-11-20 00:00,1.5\n2026-11-20 00:30,2.5\n"], 30);
    assert_eq!(values(&tower), [""; 0]);
    tower.replace_in_config("time_column = \"Time\"", "time_column = \"Zeit\"");
    let _ = tower.run(&["ingest"]);
    assert_eq!(values(&tower), ["[][1.5]", "[][2.5]"]);
    collect(&tower, &["Zeit,v\n2026-11-20 01:00,3.5\n"], 30);
    assert_eq!(tower.count("SELECT rejected_lines FROM logger_table"), 0);
    assert_eq!(tower.count("SELECT count(*) FROM setting WHERE key LIKE 'deferred%'"), 0);
}

#[test]
fn i3_a_file_whose_header_has_nul_bytes_in_it_says_nothing_new_when_it_is_read_again() {
    for damaged in [HEADER.replacen('"', "\"\0", 1), HEADER.replacen("\"TOA5\"", "\"TOA5\"\0", 1)] {
        let tower = Station::new();
        tower.write(DAT, damaged + "\"2024-05-01 00:00:00\",0,1,2\r\n");
        let _ = tower.run(&["ingest"]);
        let before = tower.count("SELECT count(*) FROM rejected_line");
        for _ in 0..2 {
            let _ = tower.run(&["ingest", DAT]);
            assert_eq!(tower.count("SELECT count(*) FROM rejected_line"), before);
        }
    }
}
