//! The four lines, what they may lack, and what comes when they change.

use super::*;

const ROW_0: &str = "\"2024-05-01 00:00:00\",0,1,2\r\n";
const ROW_1: &str = "\"2024-05-01 00:00:05\",1,3,4\r\n";

#[test]
fn i1_rows_behind_a_header_of_two_lines_are_never_taken_for_units() {
    let tower = Station::new();
    let two: String = HEADER.split_inclusive('\n').take(2).collect();
    let ended = ingest(&tower, two + ROW_0 + ROW_1 + ROW_0, "deferred 5").expect(1);
    assert!(notes(&ended).contains("a line of the header is missing"), "{}", notes(&ended));
}

#[test]
fn names_with_commas_are_one_column_each() {
    let tower = Station::new();
    ingest(&tower, Logger::par().columns(&["T(1,1)", "T(1,2)"]).file(0..1), "header 4 staged 1").expect(0);
    assert_eq!(tower.in_process().store.column_names(TABLE).unwrap(), ["T(1,1)", "T(1,2)"]);
}

#[test]
fn a_column_that_went_away_is_null_and_comes_back() {
    let tower = Station::new();
    let narrower = HEADER.replace(",\"B\"", "").replace(",\"\",\"\"\r\n", ",\"\"\r\n").replace("\"Smp\",", "");
    ingest(&tower, behind_header(ROW_0), "header 4 staged 1").expect(0);
    ingest(&tower, narrower + "\"2024-05-01 00:00:05\",1,3\r\n", "header 4 staged 1").expect(0);
    assert_eq!(tower.rows(TABLE)[1].values(), [serde_json::json!(3), serde_json::Value::Null]);
    assert_eq!(tower.rows(TABLE)[1].flags, "29");
}

#[test]
fn i1_rows_behind_a_damaged_header_in_mid_file_are_kept_as_rejected() {
    let tower = Station::new();
    let damaged = HEADER.replace("\"A\",\"B\"", "\"A\",\"A\"");
    let content = [HEADER, ROW_0, &damaged, ROW_1].concat();
    let ended = ingest(&tower, &content, "header 4 staged 1 rejected 5").expect(1);
    assert!(notes(&ended).contains("names the column \\\"A\\\" twice"), "{}", notes(&ended));
    assert!(rejected(&tower).iter().any(|line| line.1 == ROW_1.trim_end()));
    // An append does not come under the header before the damaged one.
    ingest(&tower, content + "\"2024-05-01 00:00:10\",2,5,6\r\n", "rejected 6").expect(1);
    assert_eq!(tower.rows(TABLE).len(), 1);
}

#[test]
fn rows_of_another_table_joined_to_a_file_are_never_taken_for_its_own() {
    let tower = Station::new();
    let other = HEADER.replace("Table1", "Status").replace("\"A\",\"B\"", "\"Battery\",\"Panel\"");
    let content = [HEADER, ROW_0, &other, ROW_1].concat();
    let ended = ingest(&tower, &content, "header 8 staged 1 rejected 1").expect(1);
    assert!(notes(&ended).contains("names the logger table \\\"Status\\\""), "{}", notes(&ended));
    ingest(&tower, content + "\"2024-05-01 00:00:10\",2,5,6\r\n", "header 4 rejected 2").expect(1);
    assert_eq!(rows(&tower), ["2024-05-01T05:00:00Z 0 [1,2]"]);
}

#[test]
fn a_pinned_logger_table_refuses_any_other_from_the_first_file_on() {
    let tower = Station::new().table_keys("logger_table = \"PARCal\"");
    ingest(&tower, behind_header(ROW_0), "header 4 rejected 1").expect(1);
    ingest(&tower, par(0..2), "header 4 staged 2").expect(0);
}

#[test]
fn a_new_table_name_over_the_same_columns_is_the_same_table() {
    let tower = Station::new();
    ingest(&tower, par(0..2), "header 4 staged 2").expect(0);
    ingest(&tower, Logger::par().table("PARCal_2019").file(1..4), "header 4 staged 2 duplicates 1").expect(0);
}

#[test]
fn i1_rows_before_the_header_of_a_cut_file_are_rejected_and_the_file_is_read() {
    let tower = Station::new();
    let content = [ROW_0, HEADER, ROW_1].concat();
    ingest(&tower, &content, "header 4 staged 1 rejected 1").expect(1);
    assert_eq!(rejected(&tower), [("is before the header".to_owned(), ROW_0.trim_end().to_owned())]);
    let drafted = tower.run(&["init", "--output", "draft.toml", tower.path(DAT).to_str().unwrap()]);
    assert!(!drafted.stderr.contains("has no TOA5 header"), "{}", drafted.stderr);
}

#[test]
fn blanks_behind_commas_are_no_part_of_names_and_numbers() {
    let tower = Station::new();
    let content = behind_header("\"2024-05-01 00:00:00\",0,1,2\r\n").to_vec();
    let content = String::from_utf8(content).unwrap().replace(',', ", ");
    ingest(&tower, content, "header 4 staged 1").expect(0);
    assert_eq!(tower.in_process().store.column_names(TABLE).unwrap(), ["A", "B"]);
    assert_eq!(rows(&tower), ["2024-05-01T05:00:00Z 0 [1,2]"]);
}
