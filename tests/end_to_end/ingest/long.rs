//! Pieces of a file that are too long to be a line: what is behind them is read, in bounded memory.

use super::*;

const BEFORE: &[u8] = b"\"2024-05-01 00:00:00\",0,1,2\r\n";
const BEHIND: &[u8] = b"\"2024-05-01 00:00:05\",1,3,4\r\n";

#[test]
fn i1_a_row_behind_20_mb_of_nul_bytes_is_read() {
    for end in ["", "\r\n"] {
        let tower = Station::new();
        let content = [BEFORE, &vec![0; 20_000_000], end.as_bytes(), BEHIND].concat();
        let blank = if end.is_empty() { "" } else { " blank 1" };
        ingest(&tower, behind_header(content), &format!("header 4 staged 2{blank}")).expect(0);
    }
}

#[test]
fn i1_of_a_line_that_is_too_long_the_beginning_is_kept_and_what_is_behind_it_is_read() {
    let tower = Station::new();
    let content = [BEFORE, &vec![b'x'; 40_000_000], b"\r\n", BEHIND].concat();
    ingest(&tower, behind_header(content), "header 4 staged 2 rejected 1").expect(1);
    assert_eq!(rejected(&tower)[0].1.len(), 65_536);
    tower.append(DAT, "\"2024-05-01 00:00:10\",2,5,6\r\n");
    counted(tower.run_json(&["ingest"]), "staged 1").expect(0);
}

#[test]
fn rejected_prints_the_beginning_of_a_long_line_with_its_length_and_json_the_whole() {
    let tower = Station::new();
    let long = "°".repeat(30_000);
    ingest(
        &tower,
        behind_header([BEFORE, long.as_bytes(), b"\r\n", b"short\r\n"].concat()),
        "header 4 staged 1 rejected 2",
    )
    .expect(1);
    let printed = tower.run(&["rejected"]).expect(0).stdout;
    let beginning = format!("    {}… (60,000 bytes; `--json` prints them all)\n", "°".repeat(200));
    assert!(printed.contains(&beginning) && printed.contains("    short\n"), "{printed}");
    assert!(printed.len() < 2_000, "{}", printed.len());
    assert_eq!(rejected(&tower)[1].1, long);
}
