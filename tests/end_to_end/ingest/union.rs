//! Lines of one time under headers with different columns: a logger's program that was changed, or two files of one table (I3, I8, I11).

use super::*;

/// A header with these columns, and rows behind it.
fn under(names: &[&str], rows: &str) -> String {
    Logger::par().table("Table1").columns(names).header() + rows
}

fn row(second: i64, record: i64, values: &str) -> String {
    format!("\"2024-05-01 00:00:{second:02}\",{record},{values}\r\n")
}

/// A station with the table of [`HEADER`] in as many files as it likes.
fn tower() -> Station {
    Station::new().table(&format!("name = \"{TABLE}\"\nfiles = [\"*.dat\"]"))
}

/// Reads one more file, under a name of its own, and says what the table's lines were.
#[track_caller]
fn read(tower: &Station, name: &str, content: &str, counts: &str) -> Ended {
    tower.write(name, content);
    counted(tower.run_json(&["ingest", tower.path(name).to_str().unwrap()]), counts)
}

fn conflicts(tower: &Station) -> Vec<String> {
    let json = tower.run_json(&["conflicts"]).json();
    let text = |item: &serde_json::Value, key: &str| item[key].as_str().unwrap_or_default().to_owned();
    json["conflicts"].as_array().unwrap().iter().map(|item| text(item, "raw") + " " + &text(item, "stays")).collect()
}

fn extended(ended: &Ended) -> u64 {
    ended.json()["tables"][0]["extended"].as_u64().unwrap()
}

/// Nothing that the store holds changes when all files are read again.
#[track_caller]
fn all_is_read_again(tower: &Station, files: &[&str]) {
    let held = |tower: &Station| {
        let sql = "SELECT group_concat(version || ' ' || state) FROM (SELECT * FROM reading ORDER BY id)";
        (rows(tower), conflicts(tower), tower.database().query_row(sql, [], |row| row.get::<_, String>(0)).unwrap())
    };
    let before = held(tower);
    for name in files {
        let ended = tower.run_json(&["ingest", tower.path(name).to_str().unwrap()]);
        assert_eq!(extended(&ended), 0, "{name}");
    }
    assert_eq!(held(tower), before);
    assert_eq!(tower.count("SELECT conflicts FROM logger_table"), tower.count("SELECT count(*) FROM conflict"));
}

#[test]
fn i3_a_row_gets_the_columns_that_it_lacks_from_another_header_in_either_order() {
    let (first, second) = (under(&["A", "B"], &row(0, 0, "1,2")), under(&["A", "C"], &row(0, 0, "1,3")));
    for order in [[&first, &second], [&second, &first]] {
        for keep in ["keep", "replace"] {
            let tower = tower().table_keys(&format!("on_conflict = \"{keep}\""));
            read(&tower, "a.dat", order[0], "header 4 staged 1").expect(0);
            tower.run(&["sync"]).works();
            let ended = read(&tower, "b.dat", order[1], "header 4 duplicates 1");
            assert_eq!(extended(&ended.expect(0)), 1);
            let stored = tower.rows(TABLE)[0].clone();
            let names = tower.in_process().store.column_names(TABLE).unwrap();
            let value = |name: &str| stored.values()[names.iter().position(|known| known == name).unwrap()].clone();
            assert_eq!((value("A"), value("B"), value("C")), (1.into(), 2.into(), 3.into()));
            assert_eq!((stored.flags.as_str(), stored.state.as_str()), ("222", "pending"), "it is pending again");
            assert_eq!(tower.count("SELECT pending FROM logger_table"), 1);
            all_is_read_again(&tower, &["a.dat", "b.dat"]);
        }
    }
}

#[test]
fn i8_the_newer_of_two_forms_empties_no_column_that_its_header_lacks() {
    let tower = tower().table_keys("on_conflict = \"replace\"");
    read(&tower, "a.dat", &under(&["A", "B", "C"], &row(0, 0, "1,2,3")), "header 4 staged 1").expect(0);
    read(&tower, "b.dat", &under(&["A", "C"], &row(0, 0, "9,3")), "header 4 conflicts 1").expect(1);
    assert_eq!(rows(&tower), ["2024-05-01T05:00:00Z 0 [9,2,3]"]);
    assert_eq!(conflicts(&tower), ["[1,2,3] newer"]);
    all_is_read_again(&tower, &["a.dat", "b.dat"]);
    // A value that the header has and that is missing is another content.
    read(&tower, "c.dat", &under(&["A", "B"], &row(0, 0, "9,\"NAN\"")), "header 4 conflicts 1").expect(1);
    assert_eq!(rows(&tower), ["2024-05-01T05:00:00Z 0 [9,null,3]"]);
}

#[test]
fn i11_deciding_between_two_sets_of_columns_takes_nothing_away_whichever_is_kept_and_back_again() {
    let (long, short) = (under(&["A", "B", "C"], &row(0, 0, "1,2,3")), under(&["A", "D"], &row(0, 0, "9,4")));
    let tower = tower();
    read(&tower, "a.dat", &long, "header 4 staged 1").expect(0);
    read(&tower, "b.dat", &short, "header 4 conflicts 1").expect(1);
    assert_eq!(rows(&tower), ["2024-05-01T05:00:00Z 0 [1,2,3]"]);
    let files = ["a.dat", "b.dat"];
    for _ in 0..2 {
        tower.run_json(&["conflicts", "--keep", "newer"]).expect(0);
        assert_eq!(rows(&tower), ["2024-05-01T05:00:00Z 0 [9,2,3,4]"]);
        all_is_read_again(&tower, &files);
        tower.run_json(&["conflicts", "--keep", "older"]).expect(0);
        assert_eq!(rows(&tower), ["2024-05-01T05:00:00Z 0 [1,2,3,4]"]);
        all_is_read_again(&tower, &files);
    }
    assert_eq!(tower.count("SELECT count(*) FROM conflict"), 1);
    // By the configuration, nothing that was decided by hand is decided again.
    tower.replace_in_config("files = [", "on_conflict = \"replace\"\nfiles = [");
    all_is_read_again(&tower, &files);
}

#[test]
fn i11_the_older_form_is_decided_where_it_is_the_one_with_fewer_columns() {
    let tower = tower();
    read(&tower, "b.dat", &under(&["A", "C"], &row(0, 0, "9,3")), "header 4 staged 1").expect(0);
    read(&tower, "a.dat", &under(&["A", "B", "C"], &row(0, 0, "1,2,3")), "header 4 conflicts 1").expect(1);
    tower.run_json(&["conflicts", "--keep", "newer"]).expect(0);
    assert_eq!(rows(&tower), ["2024-05-01T05:00:00Z 0 [1,3,2]"]);
    tower.run_json(&["conflicts", "--keep", "older"]).expect(0);
    assert_eq!(rows(&tower), ["2024-05-01T05:00:00Z 0 [9,3,2]"], "B is not emptied");
    all_is_read_again(&tower, &["a.dat", "b.dat"]);
    let decision = tower.run_json(&["decisions"]).json()["decisions"][0]["id"].as_i64().unwrap();
    tower.run_json(&["decisions", "--reverse", &decision.to_string()]).expect(0);
    assert_eq!(rows(&tower), ["2024-05-01T05:00:00Z 0 [1,3,2]"]);
}

#[test]
fn i8_three_files_of_some_columns_each_make_one_row_and_a_column_that_none_has_stays_absent() {
    let tower = tower();
    let of = |name: &str, value: i64| under(&[name], &row(0, 0, &value.to_string()));
    read(&tower, "all.dat", &under(&["A", "B", "C", "D"], &row(5, 1, "0,0,0,0")), "header 4 staged 1").expect(0);
    for (name, value) in [("A", 1), ("C", 3)] {
        read(
            &tower,
            &format!("{name}.dat"),
            &of(name, value),
            if value == 1 { "header 4 staged 1" } else { "header 4 duplicates 1" },
        )
        .expect(0);
    }
    assert_eq!(tower.rows(TABLE)[0].vals, "[1,null,3,null]");
    // What stands there as missing was never said.
    assert_eq!(extended(&read(&tower, "B.dat", &of("B", 2), "header 4 duplicates 1").expect(0)), 1);
    assert_eq!(extended(&read(&tower, "D.dat", &of("D", 4), "header 4 duplicates 1").expect(0)), 1);
    assert_eq!(tower.rows(TABLE)[0].vals, "[1,2,3,4]");
    assert_eq!(tower.count("SELECT count(*) FROM reading WHERE header IS NOT NULL"), 0);
    all_is_read_again(&tower, &["all.dat", "A.dat", "B.dat", "C.dat", "D.dat"]);
}

#[test]
fn i8_derived_columns_of_a_union_are_computed_from_all_of_its_columns() {
    for order in [["A", "B"], ["B", "A"]] {
        let tower = tower().table_keys("[table.columns.Sum]\nformula = \"A + B\"");
        for (place, name) in order.iter().enumerate() {
            let value = if *name == "A" { "1.5" } else { "2" };
            let counts = if place == 0 { "header 4 staged 1" } else { "header 4 duplicates 1" };
            // Of the first file it is said that it lacks a column of the formula.
            read(&tower, &format!("{name}.dat"), &under(&[name], &row(0, 0, value)), counts)
                .expect(i32::from(place == 0));
        }
        let names = tower.in_process().store.column_names(TABLE).unwrap();
        let sum = names.iter().position(|name| name == "Sum").unwrap();
        assert_eq!(tower.rows(TABLE)[0].values()[sum], serde_json::json!(3.5), "{order:?}");
    }
}

#[test]
fn i3_an_export_without_record_numbers_is_the_same_reading_and_the_loggers_file_adds_them() {
    let without = HEADER.replace(",\"RECORD\"", "").replace(",\"RN\"", "").replace("\"\",\"\",\"Smp\"", "\"\",\"Smp\"");
    let export = |values: &[&str]| {
        let rows: String =
            (0..).zip(values).map(|(at, values)| format!("\"2024-05-01 00:00:{:02}\",{values}\r\n", at * 5)).collect();
        without.clone() + &rows
    };
    let logger = behind_header((0..3).map(|at| row(at * 5, at, &format!("{at},7"))).collect::<String>());
    let logger = String::from_utf8(logger).unwrap();
    let export = export(&["0,7", "1,7", "2,7"]);
    for order in [[&logger, &export], [&export, &logger]] {
        let tower = tower();
        read(&tower, "a.dat", order[0], "header 4 staged 3").expect(0);
        read(&tower, "b.dat", order[1], "header 4 duplicates 3").expect(0);
        assert_eq!(rows(&tower)[2], "2024-05-01T05:00:10Z 2 [2,7]");
        assert_eq!(tower.count("SELECT last_record FROM record_run"), 2);
        all_is_read_again(&tower, &["a.dat", "b.dat"]);
    }
}

#[test]
fn i3_columns_of_another_header_go_with_their_row_to_new_tags_and_to_another_time() {
    let mut tower = tower();
    read(&tower, "a.dat", &under(&["A", "P", "B"], &row(0, 0, "1,6,2")), "header 4 staged 1").expect(0);
    read(&tower, "b.dat", &under(&["A", "P"], &row(5, 1, "1,6")), "header 4 staged 1").expect(0);
    read(&tower, "c.dat", &under(&["A", "P"], &row(0, 0, "9,6")), "header 4 conflicts 1").expect(1);
    tower.configure(|sections| sections.table += "\n[table.columns.P]\nuse = \"tag\"");
    tower.run_json(&["ingest"]).expect(1);
    tower.configure(|sections| "utc_offset = \"-06:00\"".clone_into(&mut sections.clock));
    tower.run_json(&["rekey"]).expect(0);
    tower.run_json(&["conflicts", "--keep", "newer"]).expect(0);
    assert_eq!(rows(&tower), ["2024-05-01T06:00:00Z 0 [9,6,2]", "2024-05-01T06:00:05Z 1 [1,6,null]"]);
    // The second row never had B.
    let ended = read(&tower, "d.dat", &under(&["P", "B"], &row(5, 1, "6,8")), "header 4 duplicates 1").expect(0);
    assert_eq!(extended(&ended), 1);
    all_is_read_again(&tower, &["a.dat", "b.dat", "c.dat", "d.dat"]);
}

#[test]
fn i2_a_last_line_that_is_cut_adds_what_it_has_and_the_finished_line_puts_it_right() {
    let tower = tower().table_keys("last_line_after = \"0s\"");
    read(&tower, "a.dat", &under(&["A", "B"], &row(0, 0, "1,2")), "header 4 staged 1").expect(0);
    let cut = under(&["A", "C"], "\"2024-05-01 00:00:00\",0,1,12");
    read(&tower, "b.dat", &cut, "header 4 duplicates 1").expect(0);
    assert_eq!(tower.rows(TABLE)[0].vals, "[1,2,12]");
    // The other file's line proves nothing of C.
    read(&tower, "a.dat", &under(&["A", "B"], &row(0, 0, "1,2")), "header 4 duplicates 1").expect(0);
    read(&tower, "b.dat", &(cut.clone() + ".75\r\n"), "header 4 duplicates 1").expect(0);
    assert_eq!((tower.rows(TABLE)[0].vals.as_str(), conflicts(&tower).len()), ("[1,2,12.75]", 0));
    // Cut again, it changes nothing.
    read(&tower, "b.dat", &cut, "header 4 duplicates 1").expect(0);
    assert_eq!((tower.rows(TABLE)[0].vals.as_str(), conflicts(&tower).len()), ("[1,2,12.75]", 0));
    assert_eq!(tower.count("SELECT count(*) FROM provisional"), 0);
}

#[test]
fn i2_the_finish_of_a_cut_row_keeps_the_columns_that_it_got_meanwhile() {
    let tower = tower().table_keys("last_line_after = \"0s\"");
    let cut = under(&["A", "B"], "\"2024-05-01 00:00:00\",0,1,12");
    read(&tower, "a.dat", &cut, "header 4 staged 1").expect(0);
    read(&tower, "b.dat", &under(&["A", "C"], &row(0, 0, "1,3")), "header 4 duplicates 1").expect(0);
    read(&tower, "a.dat", &(cut + ".75\r\n"), "header 4 duplicates 1").expect(0);
    assert_eq!((tower.rows(TABLE)[0].vals.as_str(), conflicts(&tower).len()), ("[1,12.75,3]", 0));
    all_is_read_again(&tower, &["a.dat", "b.dat"]);
}
