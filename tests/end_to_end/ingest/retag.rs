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
        notes(&ended).contains("3 rows have new tags") && notes(&ended).contains("without tags"),
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
