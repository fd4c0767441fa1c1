//! A tag column that the configuration names after the first rows came (I3, I11).

use super::*;

#[test]
fn i3_a_tag_column_added_later_makes_rows_of_conflicts_and_gives_each_row_its_key() {
    let mut tower = Station::new();
    let content: String = (0..6)
        .map(|row| format!("\"2024-05-01 00:00:{:02}\",{row},{},{}\r\n", row / 2 * 5, row % 2 + 1, 10 + row))
        .collect();
    ingest(&tower, behind_header(&content), "header 4 staged 3 conflicts 3").expect(1);
    tower.run(&["sync"]).works();
    tower.configure(|sections| sections.table += "\n[table.columns.A]\nuse = \"tag\"");
    let ended = tower.run_json(&["ingest"]);
    assert!(
        notes(&ended).contains("6 rows have new tags") && notes(&ended).contains("without tags"),
        "{}",
        notes(&ended)
    );
    let all = |tower: &Station| {
        let mut rows = rows(tower);
        rows.sort();
        rows
    };
    let expected: Vec<String> = (0..6)
        .map(|row| format!("2024-05-01T05:00:{:02}Z {row} [{},{}]", row / 2 * 5, row % 2 + 1, 10 + row))
        .collect();
    assert_eq!(all(&tower), expected);
    assert_eq!(tower.count("SELECT count(*) FROM conflict"), 0);
    assert_eq!(tower.count("SELECT rows * 100 + pending * 10 + conflicts FROM logger_table"), 660);
    // Read again, no row stands twice.
    counted(tower.run_json(&["ingest", DAT]), "header 4 duplicates 6").expect(0);
    assert_eq!(all(&tower), expected);
    assert_eq!(tower.run_json(&["ingest"]).json()["tables"][0]["notes"], serde_json::json!([]));
}

/// A header with a third column.
fn three_columns() -> String {
    HEADER
        .replace("\"B\"\r\n", "\"B\",\"C\"\r\n")
        .replace("\"\",\"\"\r\n", "\"\",\"\",\"\"\r\n")
        .replace("\"Smp\",\"Smp\"", "\"Smp\",\"Smp\",\"Smp\"")
}

/// Tags, record and values of each row.
fn tagged(tower: &Station) -> Vec<String> {
    let rows = tower.rows(TABLE);
    rows.iter().map(|row| format!("{} {} {}", row.tags, row.record.unwrap(), row.vals)).collect()
}

/// A is a tag column from the first row on.
fn tagged_by_a() -> Station {
    Station::new().with(|sections| sections.table += "\n[table.columns.A]\nuse = \"tag\"")
}

/// Two rows at each of two times; A and B tell the rows of one time apart.
fn two_plots() -> Station {
    let tower = tagged_by_a();
    let content = "\"2024-05-01 00:00:00\",0,1,20\r\n\"2024-05-01 00:00:00\",1,2,10\r\n\
                   \"2024-05-01 00:00:05\",2,1,20\r\n\"2024-05-01 00:00:05\",3,2,10\r\n";
    ingest(&tower, behind_header(content), "header 4 staged 4").expect(0);
    tower.run(&["sync"]).works();
    tower
}

/// The file is read again, and changes nothing.
#[track_caller]
fn is_read_again(tower: &Station, counts: &str) {
    let before = (tagged(tower), tower.count("SELECT count(*) FROM conflict"));
    counted(tower.run_json(&["ingest", DAT]), counts).expect(i32::from(counts.contains("conflicts")));
    assert_eq!((tagged(tower), tower.count("SELECT count(*) FROM conflict")), before);
    let (rows, pending) = ("SELECT count(*) FROM reading", "SELECT count(*) FROM reading WHERE state = 0");
    assert_eq!(tower.count("SELECT rows FROM logger_table"), tower.count(rows));
    assert_eq!(tower.count("SELECT pending FROM logger_table"), tower.count(pending));
    assert_eq!(tower.count("SELECT conflicts FROM logger_table"), before.1);
    assert_eq!(tower.run_json(&["ingest"]).json()["tables"][0]["notes"], serde_json::json!([]));
}

#[test]
fn i1_a_content_whose_header_lacks_the_new_tag_column_is_kept() {
    let mut tower = Station::new();
    let content = "\"2024-05-01 00:00:00\",0,1,2\r\n\"2024-05-01 00:00:00\",0,3,4\r\n";
    ingest(&tower, behind_header(content), "header 4 staged 1 conflicts 1").expect(1);
    let wider = three_columns() + "\"2024-05-01 00:00:05\",1,1,2,5\r\n";
    ingest(&tower, wider, "header 4 staged 1").expect(0);
    tower.configure(|sections| sections.table += "\n[table.columns.C]\nuse = \"tag\"");
    let note = notes(&tower.run_json(&["ingest"]));
    assert!(
        note.contains("1 row has new tags and is sent again; 1 row without a value there did not change"),
        "{note}"
    );
    assert_eq!(tagged(&tower), ["[\"5\"] 1 [1,2,5]", "[] 0 [1,2]"]);
    let raw = tower.run_json(&["conflicts"]).json()["conflicts"][0]["raw"].clone();
    assert_eq!(raw, "\"2024-05-01 00:00:00\",0,3,4");
    is_read_again(&tower, "header 4 duplicates 1");
}

#[test]
fn i6_a_content_beside_a_row_that_was_pruned_becomes_no_row_by_a_new_tag_column() {
    let mut tower = Station::new();
    tower.replace_in_config("[store]\n", "[store]\nkeep = \"400d\"\n");
    let content = "\"2024-05-01 00:00:00\",0,1,2\r\n\"2024-05-01 00:00:00\",0,3,4\r\n";
    ingest(&tower, behind_header(content), "header 4 staged 1 conflicts 1").expect(1);
    let recent = (chrono::Utc::now() - chrono::TimeDelta::hours(6)).format("%Y-%m-%d %H:%M:%S");
    tower.write(DAT, three_columns() + &format!("\"{recent}\",1,1,2,5\r\n"));
    let _ = tower.run(&["run"]);
    assert_eq!(tagged(&tower), ["[] 1 [1,2,5]"], "row 0 is pruned");
    tower.configure(|sections| sections.table += "\n[table.columns.C]\nuse = \"tag\"");
    assert!(notes(&tower.run_json(&["ingest"]).expect(1)).contains("1 row has new tags"));
    assert_eq!(tagged(&tower), ["[\"5\"] 1 [1,2,5]"]);
    assert_eq!(tower.count("SELECT conflicts FROM logger_table"), 1);
}

#[test]
fn i3_one_tag_column_is_exchanged_for_another() {
    let tower = two_plots();
    tower.replace_in_config("[table.columns.A]", "[table.columns.B]");
    let note = notes(&tower.run_json(&["ingest"]));
    assert!(note.contains("4 rows have new tags and are sent again. "), "{note}");
    let expected = ["[\"10\"] 1 [2,10]", "[\"10\"] 3 [2,10]", "[\"20\"] 0 [1,20]", "[\"20\"] 2 [1,20]"];
    assert_eq!(tagged(&tower), expected);
    assert_eq!(tower.count("SELECT count(*) FROM series"), 2);
    tower.run(&["sync"]).works();
    assert_eq!(tower.count("SELECT pending FROM logger_table"), 0);
    is_read_again(&tower, "header 4 duplicates 4");
}

#[test]
fn the_series_that_rows_leave_has_changed_for_a_summary() {
    let tower = two_plots();
    let before = tower.count("SELECT version FROM changed WHERE series = 0 AND slot = 1");
    tower.replace_in_config("[table.columns.A]", "[table.columns.B]");
    assert!(notes(&tower.run_json(&["ingest"]).expect(1)).contains("new tags"));
    let slots = format!("SELECT count(*) FROM changed WHERE series IN (1, 2) AND version > {before}");
    assert_eq!(tower.count(&slots), 2);
}

#[test]
fn i3_a_tag_column_is_exchanged_for_one_with_the_same_texts() {
    let tower = tagged_by_a();
    let content = "\"2024-05-01 00:00:00\",0,1,2\r\n\"2024-05-01 00:00:00\",1,2,1\r\n\"2024-05-01 00:00:00\",2,3,3\r\n";
    ingest(&tower, behind_header(content), "header 4 staged 3").expect(0);
    tower.run(&["sync"]).works();
    tower.replace_in_config("[table.columns.A]", "[table.columns.B]");
    assert!(notes(&tower.run_json(&["ingest"]).expect(1)).contains("new tags"));
    assert_eq!(tagged(&tower), ["[\"1\"] 1 [2,1]", "[\"2\"] 0 [1,2]", "[\"3\"] 2 [3,3]"]);
    assert_eq!(tower.count("SELECT pending FROM logger_table"), 2, "the row whose tag is the same is not sent again");
    // B is no field any more, and files do not take it out of what was sent.
    tower.run(&["sync"]).expect(1).says("no longer sends B");
    assert_eq!(tower.count("SELECT pending FROM logger_table"), 0);
    is_read_again(&tower, "header 4 duplicates 3");
}

#[test]
fn i3_a_further_tag_column_keeps_the_spelling_of_the_first() {
    let mut tower = tagged_by_a();
    let content = "\"2024-05-01 00:00:00\",0,007,20\r\n\"2024-05-01 00:00:00\",1,NAN,10\r\n";
    ingest(&tower, behind_header(content), "header 4 staged 2").expect(0);
    tower.configure(|sections| sections.table += "\n[table.columns.B]\nuse = \"tag\"");
    assert!(notes(&tower.run_json(&["ingest"]).expect(1)).contains("new tags"));
    assert_eq!(tagged(&tower), ["[\"007\",\"20\"] 0 [7.0,20]", "[\"NAN\",\"10\"] 1 [null,10]"]);
    is_read_again(&tower, "header 4 duplicates 2");
}

#[test]
fn i3_rows_that_only_a_tag_told_apart_are_conflicts_without_it_and_rows_again_with_it() {
    let tower = two_plots();
    tower.replace_in_config("use = \"tag\"", "use = \"field\"");
    assert!(notes(&tower.run_json(&["ingest"]).expect(1)).contains("new tags"));
    assert_eq!(tagged(&tower), ["[] 0 [1,20]", "[] 2 [1,20]"]);
    is_read_again(&tower, "header 4 duplicates 2 conflicts 2");
    tower.replace_in_config("use = \"field\"", "use = \"tag\"");
    assert!(notes(&tower.run_json(&["ingest"]).expect(1)).contains("new tags"));
    assert_eq!(tagged(&tower), ["[\"1\"] 0 [1,20]", "[\"1\"] 2 [1,20]", "[\"2\"] 1 [2,10]", "[\"2\"] 3 [2,10]"]);
    is_read_again(&tower, "header 4 duplicates 4");
}

#[test]
fn i11_a_newer_content_stays_the_row_under_its_new_tags() {
    let mut tower = Station::new().table_keys("on_conflict = \"replace\"");
    let content = "\"2024-05-01 00:00:00\",0,1,2\r\n\"2024-05-01 00:00:00\",0,1,3\r\n\"2024-05-01 00:00:00\",0,1,4\r\n";
    ingest(&tower, behind_header(content), "header 4 staged 1 conflicts 2").expect(1);
    tower.configure(|sections| sections.table += "\n[table.columns.A]\nuse = \"tag\"");
    assert!(notes(&tower.run_json(&["ingest"]).expect(1)).contains("new tags"));
    assert_eq!(tagged(&tower), ["[\"1\"] 0 [1,4]"]);
    assert_eq!(tower.count("SELECT count(*) FROM conflict WHERE stays = 'newer'"), 2);
    assert_eq!(tower.count("SELECT conflicts FROM logger_table"), 2);
}

#[test]
fn i2_a_torn_line_stays_provisional_under_its_new_tags() {
    let mut tower = Station::new();
    tower.write(DAT, behind_header("\"2024-05-01 00:00:00\",0,1,12"));
    tower.age(DAT, std::time::Duration::from_secs(3600));
    counted(tower.run_json(&["ingest"]), "header 4 staged 1").expect(0);
    tower.configure(|sections| sections.table += "\n[table.columns.A]\nuse = \"tag\"");
    assert!(notes(&tower.run_json(&["ingest"]).expect(1)).contains("new tags"));
    tower.append(DAT, ".75\r\n");
    counted(tower.run_json(&["ingest"]), "duplicates 1").expect(0);
    assert_eq!(tagged(&tower), ["[\"1\"] 0 [1,12.75]"]);
    assert_eq!(tower.count("SELECT count(*) FROM conflict"), 0);
}

#[test]
fn i5_rows_whose_tag_columns_changed_stay_pending_until_an_ingest_has_given_them_their_tags() {
    let mut tower = tagged_by_a();
    ingest(&tower, behind_header("\"2024-05-01 00:00:00\",0,1,20\r\n"), "header 4 staged 1").expect(0);
    let mut tagged = String::new();
    tower.configure(|sections| tagged.clone_from(&sections.table));
    tower.configure(|sections| sections.table = sections.table.replace("\n[table.columns.A]\nuse = \"tag\"", ""));
    let said = tower.run(&["sync"]);
    assert!(format!("{}{}", said.stdout, said.stderr).contains("its tag columns changed"), "{}", said.stdout);
    assert_eq!(tower.count("SELECT pending * 10 + sent FROM logger_table"), 10);
    // The key comes back before any ingest: the row is sent under its tag, and not under none.
    tower.configure(|sections| sections.table.clone_from(&tagged));
    assert_eq!(tower.run_json(&["sync"]).works().number("sent"), 1);
    // A tag column that no file has keeps no row from being sent.
    let tower = Station::new().with(|sections| sections.table += "\n[table.columns.Nowhere]\nuse = \"tag\"");
    ingest(&tower, behind_header("\"2024-05-01 00:00:00\",0,1,20\r\n"), "header 4 staged 1").expect(0);
    assert_eq!(tower.run_json(&["sync"]).works().number("sent"), 1);
}

#[test]
fn i11_a_conflict_whose_time_was_written_in_an_earlier_format_follows_the_tags_and_the_clock() {
    let table = |format: &str, more: &str| {
        format!(
            "name = \"plots\"\nfiles = [\"plots.csv\"]\nformat = \"csv\"\nnames = [\"Time\", \"Plot\", \"T\"]\ntime_column = \"Time\"\n\
             time_format = \"{format}\"\nlast_line_after = \"0s\"\n{more}"
        )
    };
    let mut tower = Station::new().with(|sections| sections.table = table("%m/%d/%Y %H:%M", ""));
    tower.write("plots.csv", "05/13/2024 00:00,a,1\r\n05/13/2024 00:00,b,2\r\n");
    tower.run(&["ingest"]).works();
    assert_eq!(tower.count("SELECT rows * 10 + conflicts FROM logger_table"), 11);
    let tag = "[table.columns.Plot]\nuse = \"tag\"";
    tower.configure(|sections| sections.table = table("%Y-%m-%d %H:%M", tag));
    tower.write("plots.csv", "2024-05-13 00:00,a,1\r\n2024-05-13 00:00,b,2\r\n");
    tower.run(&["ingest"]).works();
    assert_eq!(tower.count("SELECT rows * 10 + conflicts FROM logger_table"), 20);
    let times = |tower: &Station| tower.count("SELECT count(DISTINCT id & 4503599627370495) FROM reading");
    assert_eq!(times(&tower), 1);
    // Their stamp is still known, though no file is written so any more.
    let before = tower.count("SELECT min(id & 4503599627370495) FROM reading");
    let clock = "[[table.clock]]\nfrom = \"2024-05-13 00:00:00\"\nuntil = \"2024-05-13 00:01:00\"\nadd = \"1h\"";
    for (more, hours) in [(format!("{tag}\n{clock}"), 1), (tag.to_owned(), 0)] {
        tower.configure(|sections| sections.table = table("%Y-%m-%d %H:%M", &more));
        tower.run(&["ingest"]).works();
        let now = tower.count("SELECT min(id & 4503599627370495) FROM reading");
        assert_eq!((now - before, times(&tower)), (hours * 3_600_000_000, 1));
    }
}

#[test]
fn i11_tags_and_samples_can_change_together_where_no_line_is_a_row_yet() {
    let mut tower = Station::new().table_keys("samples_per_stamp = 5");
    // Two rows of a stamp that should have five are held.
    let content =
        "\"2024-05-01 00:00:00\",0,1,20\r\n\"2024-05-01 00:00:00\",1,1,10\r\n\"2024-05-01 00:00:01\",2,1,10\r\n";
    let _ = ingest(&tower, behind_header(content), "header 4 held 3");
    assert_eq!(tower.count("SELECT count(*) FROM series"), 1);
    tower.configure(|sections| {
        sections.table =
            format!("name = \"{TABLE}\"\nfiles = [\"{DAT}\"]\nsamples_per_stamp = 1\n[table.columns.A]\nuse = \"tag\"");
    });
    tower.run(&["ingest"]).works();
    tower.run(&["ingest", DAT]).works();
    assert_eq!(tagged(&tower), ["[\"1\"] 0 [1,20]", "[\"1\"] 2 [1,10]"]);
}

#[test]
fn i11_a_conflict_becomes_a_row_under_its_new_tags_although_valid_from_is_later_than_its_time_now() {
    let mut tower = Station::new();
    let content = "\"2024-05-01 00:00:00\",0,1,20\r\n\"2024-05-01 00:00:00\",0,2,10\r\n";
    ingest(&tower, behind_header(content), "header 4 staged 1 conflicts 1").expect(1);
    tower.configure(|sections| {
        sections.table += "\nvalid_from = \"2024-06-01\"\n[table.columns.A]\nuse = \"tag\"";
    });
    assert!(notes(&tower.run_json(&["ingest"])).contains("new tags"));
    assert_eq!(tagged(&tower), ["[\"1\"] 0 [1,20]", "[\"2\"] 0 [2,10]"]);
    assert_eq!(tower.count("SELECT count(*) FROM conflict"), 0);
}

#[test]
fn i3_a_tag_that_the_store_spells_in_another_way_makes_no_second_row_when_its_file_is_read_again() {
    for (tag, before) in [("007", "7.0"), ("+5", "5"), (".5", "0.5")] {
        let csv = "name = \"met\"\nfiles = [\"met.csv\"]\nformat = \"csv\"\nnames = [\"Time\", \"plot\", \"v\"]\ntime_column = \"Time\"\n";
        let tower = Station::new().table(csv);
        let content = format!("2026-11-20 00:00:00,{tag},1.5\n2026-11-20 00:30:00,{tag},2.5\n");
        tower.write("met.csv", &content);
        tower.run(&["run"]).works();
        let tower = tower.table(&format!("{csv}[table.columns.plot]\nuse = \"tag\"\n"));
        let _ = tower.run(&["run"]);
        let tags = || tower.rows("met").into_iter().map(|row| row.tags).collect::<Vec<_>>();
        assert_eq!(tags(), vec![format!("[\"{before}\"]"); 2]);
        tower.write("export.csv", &content);
        let _ = tower.run(&["ingest", "--table", "met", "export.csv"]);
        assert_eq!(tags(), vec![format!("[\"{tag}\"]"); 2]);
        assert_eq!(tower.count("SELECT rows FROM logger_table"), 2);
        assert_eq!(tower.count("SELECT count(*) FROM reading"), 2);
    }
}
