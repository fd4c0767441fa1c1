//! Files of a memory card that are damaged or joined in the middle (docs/file-formats.md#binary-files): the frames behind
//! are read, no row is made of two frames, and each byte is accounted for (I1).

use std::collections::BTreeSet;
use std::ops::Range;

use super::torn_records::lines_of;
use crate::support::dice::Dice;
use crate::support::{DAT, Row, Station, TABLE};

/// Seconds from 1990 to 2024-05-01 00:00:00.
const MAY: u32 = 1_083_369_600;
const STAMP: u16 = 13_533;
const FRAME: usize = 64;
/// Records in a frame.
const HELD: u32 = 4;

fn header_of(version: &str, [first, second]: [&str; 2], stamp: u16) -> Vec<u8> {
    let lines = [
        format!(
            "\"{version}\",\"46m\",\"CR1000X\",\"1041\",\"CR1000X.Std.08.01\",\"CPU:Y.CR1X\",\"6827\",\"2024-05-01 00:00:00\""
        ),
        format!("\"Flux\",\"1 MIN\",\"{FRAME}\",\"200\",\"{stamp}\",\"Sec100Usec\",\"0\",\"0\",\"1\""),
        format!("\"{first}\",\"{second}\""),
        "\"m/s\",\"umol\"".to_owned(),
        "\"Smp\",\"Smp\"".to_owned(),
        "\"IEEE4B\",\"IEEE8B\"   ".to_owned(),
    ];
    lines.map(|line| format!("{line}\r\n")).concat().into_bytes()
}

fn header() -> Vec<u8> {
    header_of("TOB3", ["Ux", "CO2"], STAMP)
}

/// A frame of TOB3 from record `first` on, one record a minute.
fn frame_of(first: u32, stamp: u16) -> Vec<u8> {
    let mut frame = Vec::new();
    frame.extend((MAY + 60 * first).to_le_bytes());
    frame.extend(0_u32.to_le_bytes());
    frame.extend(first.to_le_bytes());
    for number in first..first + HELD {
        frame.extend((number as f32 * 1.5 + 0.25).to_be_bytes());
        frame.extend((f64::from(number) + 400.125).to_be_bytes());
    }
    frame.extend((u32::from(stamp) << 16).to_le_bytes());
    frame
}

fn frame(first: u32) -> Vec<u8> {
    frame_of(first, STAMP)
}

fn frames(places: Range<u32>) -> Vec<u8> {
    places.flat_map(|place| frame(place * HELD)).collect()
}

fn values(number: i64) -> String {
    let number = u32::try_from(number).unwrap();
    format!("[{},{}]", number as f32 * 1.5 + 0.25, f64::from(number) + 400.125)
}

fn numbers(rows: &[Row]) -> Vec<i64> {
    rows.iter().filter_map(|row| row.record).collect()
}

/// The records of these frames.
fn held(places: impl IntoIterator<Item = u32>) -> Vec<i64> {
    places.into_iter().flat_map(|place| place * HELD..(place + 1) * HELD).map(i64::from).collect()
}

fn assert_whole(rows: &[Row], case: &str) {
    for row in rows {
        let number = row.record.unwrap();
        assert_eq!(row.vals, values(number), "{case}: record {number}");
        assert_eq!(row.time(), minute(number), "{case}: record {number}");
    }
}

fn minute(number: i64) -> String {
    format!("2024-05-01T{:02}:{:02}:00Z", 5 + number / 60, number % 60)
}

/// Contents, each a table of its own, so that one ingest is enough for all.
fn ingested(contents: &[Vec<u8>]) -> (Station, Vec<Vec<Row>>, Vec<u64>) {
    let name = |place: usize| format!("case_{place}");
    let table = |place: usize| format!("name = \"{0}\"\nfiles = [\"{0}.dat\"]\n", name(place));
    let more: String = (1..contents.len()).map(|place| format!("[[table]]\n{}", table(place))).collect();
    let tower = Station::new().table(&table(0)).more(&more);
    contents.iter().enumerate().for_each(|(place, content)| tower.write(&format!("{}.dat", name(place)), content));
    let report = tower.in_process().ingest();
    let rejected = report
        .tables
        .iter()
        .map(|table| {
            assert_eq!(table.counts.lines, table.counts.accounted(), "I1: {}", table.table);
            assert_eq!(table.counts.conflicts, 0, "{}", table.table);
            table.counts.rejected
        })
        .collect();
    let rows = (0..contents.len()).map(|place| tower.rows(&name(place))).collect();
    (tower, rows, rejected)
}

/// Bytes that no frame holds.
fn noise(length: usize) -> Vec<u8> {
    let mut dice = Dice(7);
    (0..length).map(|_| dice.below(256) as u8).collect()
}

#[test]
fn i1_i2_a_card_file_that_lost_bytes_anywhere_is_read_behind_them_and_the_rest_of_the_frame_is_rejected() {
    let cases: Vec<Vec<u8>> = (1..FRAME)
        .flat_map(|lost| [0, 7, FRAME - lost].map(|from| (lost, from)))
        .filter(|(lost, from)| from + lost <= FRAME)
        .map(|(lost, from)| {
            let mut torn = frame(10 * HELD);
            drop(torn.drain(from..from + lost));
            [header(), frames(0..10), torn, frames(11..20)].concat()
        })
        .collect();
    let (tower, rows, rejected) = ingested(&cases);
    for (place, rows) in rows.iter().enumerate() {
        assert_eq!(numbers(rows), held((0..10).chain(11..20)), "case {place}");
        assert_whole(rows, &format!("case {place}"));
        assert_eq!(rejected[place], 1, "case {place}");
    }
    let at = header().len() + 10 * FRAME;
    let said = tower.run_json(&["rejected"]).expect(0).json().to_string();
    let reason = format!("no whole record stands in 1 byte from byte {at} of the file on");
    assert!(said.contains(&reason), "{said}");
}

#[test]
fn i1_i2_bytes_that_were_added_in_a_card_file_cost_at_most_the_frame_that_they_stand_in() {
    let mut cases = Vec::new();
    for length in [1, 5, 63, 64, 65, 1_000, 4_096, 3_000_000] {
        cases.push([header(), frames(0..10), vec![0; length], frames(10..20)].concat());
        cases.push([header(), frames(0..10), noise(length), frames(10..20)].concat());
    }
    let (tower, rows, rejected) = ingested(&cases);
    for (place, rows) in rows.iter().enumerate() {
        assert_eq!(numbers(rows), held(0..20), "case {place}");
        assert_whole(rows, &format!("case {place}"));
        assert_eq!(rejected[place], 1, "case {place}");
    }
    let said = tower.run_json(&["rejected"]).expect(0).json().to_string();
    let at = header().len() + 10 * FRAME;
    assert!(said.contains(&format!("in 3,000,000 bytes from byte {at} of the file on")), "{said}");
    let within: Vec<Vec<u8>> = (1..FRAME)
        .map(|at| {
            let torn = frame(10 * HELD);
            [header(), frames(0..10), torn[..at].to_vec(), noise(9), torn[at..].to_vec(), frames(11..20)].concat()
        })
        .collect();
    let (_tower, rows, rejected) = ingested(&within);
    for (place, rows) in rows.iter().enumerate() {
        assert_eq!(numbers(rows), held((0..10).chain(11..20)), "within {place}");
        assert_eq!(rejected[place], 1, "within {place}");
    }
}

#[test]
fn a_header_in_the_middle_of_a_card_file_begins_anew_also_where_the_first_file_was_cut() {
    // Another stamp, and the columns change places.
    let second = header_of("TOB3", ["CO2", "Ux"], 40_000);
    let behind: Vec<u8> = (10..20).flat_map(|place| frame_of(place * HELD, 40_000)).collect();
    let free = noise(5 * FRAME);
    let cut = frame(9 * HELD)[..30].to_vec();
    for (place, between) in [Vec::new(), free.clone(), cut.clone(), [free, cut].concat()].into_iter().enumerate() {
        let tower = Station::new();
        let file = [header(), frames(0..9), between, second.clone(), behind.clone()].concat();
        tower.write(DAT, &file[..file.len() - 5 * FRAME - 20]);
        let report = tower.ingest_accounted();
        assert_eq!(report["rejected"], u64::from(place >= 2), "case {place}: {report}");
        // It is appended to, and read on under the second header.
        tower.write(DAT, &file);
        tower.ingest_accounted();
        let rows = tower.rows(TABLE);
        assert_eq!(numbers(&rows), held((0..9).chain(10..20)), "case {place}");
        assert_eq!(rows[3].vals, "[4.75,403.125]", "case {place}");
        // Of Ux and CO2.
        let last = rows.last().unwrap();
        assert_eq!(last.vals, "[479.125,118.75]", "case {place}");
    }
}

#[test]
fn frames_behind_a_header_that_cannot_be_read_are_rejected_until_the_next_one() {
    let other =
        b"\"TOB1\",\"46m\",\"CR1000X\",\"1041\",\"CR1000X.Std.08.01\",\"CPU:Y.CR1X\",\"6827\",\"Flux\"\r\n".to_vec();
    let damaged = String::from_utf8(header()).unwrap().replace("IEEE8B", "what").into_bytes();
    for middle in [other, damaged] {
        let tower = Station::new();
        tower.write(DAT, [header(), frames(0..5), middle, frames(5..10), header(), frames(10..12)].concat());
        let report = tower.ingest_accounted();
        assert!(report["rejected"].as_u64() >= Some(1), "{report}");
        assert_eq!(numbers(&tower.rows(TABLE)), held((0..5).chain(10..12)), "{report}");
    }
}

#[test]
fn i1_a_frame_whose_stamp_is_damaged_is_rejected_and_free_space_behind_the_last_frame_is_blank() {
    let damaged = |place: u32| {
        let mut damaged = frame(place * HELD);
        damaged[FRAME - 1] ^= 0x55;
        damaged
    };
    let tower = Station::new();
    tower.write(DAT, [header(), frames(0..5), damaged(5), frames(6..10), damaged(10), noise(20 * FRAME)].concat());
    let report = tower.ingest_accounted();
    assert_eq!((report["rejected"].as_u64(), report["blank"].as_u64()), (Some(2), Some(20)), "{report}");
    assert_eq!(numbers(&tower.rows(TABLE)), held((0..5).chain(6..10)));
    // A part of a frame that holds minor frames.
    let minor = |first: u32, stamp: u16| {
        let mut minor = frame(first)[..24].to_vec();
        minor.extend((u32::from(stamp) << 16 | 28).to_le_bytes());
        minor
    };
    let end = [vec![0; 4], (u32::from(STAMP) << 16 | 0x4000 | 8).to_le_bytes().to_vec()].concat();
    tower.write(DAT, [header(), frames(0..5), minor(20, 1), minor(21, STAMP), end].concat());
    let report = tower.ingest_accounted();
    assert_eq!((report["staged"].as_u64(), report["rejected"].as_u64()), (Some(1), Some(1)), "{report}");
    assert_eq!(tower.rows(TABLE)[20].vals, values(21));
}

#[test]
fn older_files_that_are_left_in_the_free_space_of_a_card_are_not_read() {
    let tower = Station::new();
    let (older, near) = (header_of("TOB3", ["Ux", "CO2"], STAMP - 1), STAMP - 1);
    let mut file = [header(), frames(5..10), noise(100)].concat();
    // Its frames have a stamp near this one's; its header is at the beginning of a sector.
    file.extend((0..5).flat_map(|place| frame_of(place * HELD, near)));
    file.resize(4_096, 7);
    file.extend([older, (0..5).flat_map(|place| frame_of(place * HELD, near)).collect()].concat());
    tower.write(DAT, &file);
    let report = tower.ingest_accounted();
    assert_eq!((report["staged"].as_u64(), report["rejected"].as_u64()), (Some(20), Some(0)), "{report}");
}

/// The lines of rows that a file is read as, and the bytes that the lines of no record stand for: a blank line is a frame.
fn rows_of(path: &std::path::Path) -> (Vec<String>, usize) {
    let (mut lines, damage) = lines_of(path);
    let all = lines.len();
    lines.retain(|line| line != "\n");
    let damage = damage + (all - lines.len()) * FRAME;
    (lines, damage)
}

#[test]
fn i1_i2_three_thousand_torn_card_files_have_no_line_that_is_no_record_and_each_byte_is_accounted_for() {
    let tower = Station::new();
    let path = tower.path(DAT);
    let mut dice = Dice(1_990);
    let whole = [header(), frames(0..120)].concat();
    std::fs::write(&path, &whole).unwrap();
    let (known, damage) = rows_of(&path);
    let known: BTreeSet<String> = known.into_iter().collect();
    assert_eq!((known.len(), damage), (484, 0));
    for number in 0..3_000 {
        let mut body = frames(0..120);
        let wounds = 1 + dice.below(3) as usize;
        for wound in 0..wounds {
            let third = body.len() / 3;
            let place = wound * third + dice.below(third as u64 - 300) as usize;
            let length = 1 + dice.below(200) as usize;
            // Bytes that are lost at the length of whole frames leave a frame that is as good as whole.
            let length = if length.is_multiple_of(FRAME) { length + 1 } else { length };
            match dice.below(4) {
                0 => drop(body.drain(place..(place + length).min(body.len()))),
                1 => drop(body.splice(place..place, vec![0; length])),
                2 => drop(body.splice(place..place, (0..length).map(|_| dice.below(256) as u8))),
                _ => drop(body.splice(place..place, header())),
            }
        }
        std::fs::write(&path, [header(), body.clone()].concat()).unwrap();
        let (lines, damage) = rows_of(&path);
        let strange: Vec<&String> = lines.iter().filter(|line| !known.contains(*line)).collect();
        assert!(strange.is_empty(), "file {number}: {strange:?}");
        let rows = lines.iter().filter(|line| line.starts_with("\"2")).count();
        let heads = (lines.len() - rows) / 4;
        let accounted = rows / HELD as usize * FRAME + damage + (heads - 1) * header().len();
        assert_eq!(accounted, body.len(), "file {number}");
        assert!(rows + 8 * HELD as usize * wounds >= 480, "file {number}: {rows} rows, {wounds} wounds");
    }
}
