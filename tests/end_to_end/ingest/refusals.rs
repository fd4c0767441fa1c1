//! What is refused, with which words and which exit code, and that nothing is touched by it.

use super::*;

#[test]
fn a_file_of_another_format_is_named_as_what_it_is() {
    for (content, words) in [
        (
            "\u{feff}TOA5,some_site,CR1000,E7000,CR1000.Std.22,CPU:demo.CR1,12345,demo,,,,\nTimestamp,Record\n",
            "spreadsheet",
        ),
        ("TOA5,46m,CR5000,1041,CR5000.Std.07,CPU:Y21.CR5,6827,PARCal\nTIMESTAMP,RECORD,PPFD\n", "spreadsheet"),
        ("\"TOB1\",\"64291\",\"CR1000X\"\r\n", "TOB1"),
        ("\"TOB3\",\"64291\",\"CR1000X\"\r\n", "TOB3"),
        ("30,2004,151,58,.451,-.077\n30,2004,151,59,.451,-.077\n", "mixed arrays"),
        ("<?xml version=\"1.0\"?>\n<csixml version=\"1.0\">\n", "CSIXML"),
        ("{\"head\": {\"transaction\": 0}}\n", "CSIJSON"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "git-LFS pointer"),
        ("2021-06-25 10:50:05,6a,1\n", "format = \\\"csv\\\""),
    ] {
        let tower = Station::new();
        let lines = crate::support::physical_lines(content.as_bytes());
        let ended = ingest(&tower, content, &format!("deferred {lines}")).expect(1);
        assert!(notes(&ended).contains(words), "{words}: {}", notes(&ended));
        // It is still there at the next run, and still said; when the file itself is back, it is read.
        let again = counted(tower.run_json(&["ingest"]), "").expect(1);
        assert_eq!(notes(&again), notes(&ended));
        ingest(&tower, par(0..2), "header 4 staged 2").expect(0);
    }
}

#[test]
fn a_page_damaged_in_mid_file_is_found_and_said() {
    let tower = Station::new();
    ingest(&tower, par(0..4000), "header 4 staged 4000").expect(0);
    tower.database().query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0)).unwrap();
    let mut bytes = tower.read("store.db");
    let length = bytes.len();
    bytes[16_384..length].fill(0xA5);
    tower.write("store.db", bytes);
    tower.write(DAT, par(0..4010));
    tower.run(&["ingest"]).expect(4).says("is damaged");
}

#[test]
fn wrong_use_is_told_from_trouble() {
    let tower = Station::new();
    tower.write(DAT, par(0..2));
    tower.run(&["ingest", "--table", "nothing"]).expect(2).says("46m_par");
    tower.run(&["ingest", "--nonsense"]).expect(2);
    tower.run(&["ingest", "not_there.dat"]).expect(2);
}
