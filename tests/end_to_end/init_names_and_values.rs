//! `init` on text tables whose names, units and values are written in a way of their own: signs of Unicode in numbers, a net
//! radiation that is called as a record number is, missing values that look like comments, names and units in odd lines. What
//! is read is what the file says, or the configuration has a CHECK.

use std::fs;

use crate::init_text_tables::{Drafted, half_hour, init};
use crate::support::{Logger, Station};

const STAMP: &str = "%Y-%m-%d %H:%M:%S";

/// Rows of half hours: the stamp, and what `rest` says of each.
fn rows(count: u32, separator: &str, rest: impl Fn(u32) -> String) -> String {
    (0..count).map(|row| format!("{}{separator}{}\n", half_hour(row, STAMP), rest(row))).collect()
}

#[test]
fn i1_line_ends_in_the_wrong_order_are_line_ends() {
    let text = format!("Time,T,RH\n{}", rows(20, ",", |row| format!("{row}.5,55"))).replace('\n', "\n\r");
    let drafted = Drafted::of("serial.csv", &text);
    assert_eq!(drafted.counts(), [20, 0, 0]);
    drafted.station.append("serial.csv", "2025-11-21 00:00:00,5,55\n\r");
    assert_eq!(drafted.counts(), [1, 0, 0]);
    let station = Station::new();
    station.write(crate::support::DAT, Logger::par().file(0..6).replace("\r\n", "\n\r"));
    station.ingest_accounted();
    assert_eq!(station.rows(crate::support::TABLE).len(), 6);
    // init reads it, too.
    fs::remove_file(station.config_path()).unwrap();
    init(&station, &[crate::support::DAT], &[]).works();
}

#[test]
fn i1_lines_that_powershell_appends_in_utf_16_are_rows() {
    let drafted = Drafted::of("met.csv", &format!("Time,T,RH\n{}", rows(20, ",", |row| format!("{row}.5,55"))));
    assert_eq!(drafted.counts(), [20, 0, 0]);
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    drafted.station.append("met.csv", wide("2025-11-21 00:00:00,7.5,55\r\n2025-11-21 00:30:00,8.5,55\r\n"));
    assert_eq!(drafted.counts(), [2, 0, 0]);
    drafted.station.append("met.csv", wide("2025-11-21 01:00:00,9.5,55\r\n"));
    drafted.station.append("met.csv", "2025-11-21 01:30:00,10.5,55\r\n");
    assert_eq!(drafted.counts(), [2, 0, 0]);
    let rows = drafted.rows("met");
    assert!(rows[20].ends_with(",7.5,55") && rows[23].ends_with(",10.5,55"), "{rows:?}");
    assert_eq!(drafted.station.run(&["rejected"]).code, 0);
}
