//! Files of records that are damaged or joined in the middle (docs/file-formats.md#binary-files): no row is made of
//! two records, the records behind are read, and each byte is accounted for (I1).

use std::ops::Range;

use fluxtower::config::FileFormat;
use fluxtower::format;
use fluxtower::ingest::Counts;
use fluxtower::source::QuietFile;

use crate::support::dice::Dice;
use crate::support::{DAT, Row, Station, TABLE};

/// Seconds from 1990 to 2024-05-01 00:00:00.
const MAY: u32 = 1_083_369_600;
const WIDTH: usize = 22;

fn header(names: [&str; 3], kinds: [&str; 3]) -> Vec<u8> {
    let line = |fields: [&str; 6]| format!("\"{}\"\r\n", fields.join("\",\""));
    [
        "\"TOB1\",\"46m\",\"CR1000X\",\"1041\",\"CR1000X.Std.08.01\",\"CPU:Y.CR1X\",\"6827\",\"Flux\"\r\n".to_owned(),
        line(["SECONDS", "NANOSECONDS", "RECORD", names[0], names[1], names[2]]),
        line(["SECONDS", "NANOSECONDS", "RN", "", "", ""]),
        line(["", "", "", "Smp", "Smp", "Smp"]),
        line(["ULONG", "ULONG", "ULONG", kinds[0], kinds[1], kinds[2]]),
    ]
    .concat()
    .into_bytes()
}

fn plain_header() -> Vec<u8> {
    header(["T", "P", "Q"], ["IEEE4", "FP2", "IEEE4"])
}

/// Record `number`, one a minute, at a time that is `later` seconds later.
fn record_later(number: u32, later: i64) -> Vec<u8> {
    let mut record = Vec::new();
    let seconds = i64::from(MAY + 60 * number) + later;
    record.extend(u32::try_from(seconds).unwrap().to_le_bytes());
    record.extend(0_u32.to_le_bytes());
    record.extend(number.to_le_bytes());
    record.extend((number as f32 + 0.5).to_le_bytes());
    record.extend((0x4000_u16 | 1275).to_be_bytes());
    record.extend(3.0_f32.to_le_bytes());
    record
}

fn records(numbers: Range<u32>) -> Vec<u8> {
    numbers.flat_map(|number| record_later(number, 0)).collect()
}

/// The values of record `number`.
fn values(number: u32) -> String {
    format!("[{}.5,12.75,3]", number)
}

fn numbers(rows: &[Row]) -> Vec<i64> {
    rows.iter().filter_map(|row| row.record).collect()
}

/// Each row is a record as it was written.
fn assert_whole(rows: &[Row], case: &str) {
    for row in rows {
        let number = u32::try_from(row.record.unwrap()).unwrap_or(u32::MAX);
        assert_eq!(row.vals, values(number), "{case}: record {number}");
    }
}

/// Many files, each a table of its own, so that few ingests are enough for all.
struct Tables {
    tower: Station,
    names: Vec<String>,
}

impl Tables {
    fn of(count: usize) -> Tables {
        let names: Vec<String> = (0..count).map(|place| format!("case_{place}")).collect();
        let table = |name: &String| format!("name = \"{name}\"\nfiles = [\"{name}.dat\"]\n");
        let more: String = names[1..].iter().map(|name| format!("[[table]]\n{}", table(name))).collect();
        let tower = Station::new().table(&table(&names[0])).more(&more);
        Tables { tower, names }
    }

    /// Reads the files with these contents, and gives what was counted of each.
    fn ingest(&self, contents: impl Fn(usize) -> Vec<u8>) -> Vec<Counts> {
        (0..self.names.len())
            .for_each(|place| self.tower.write(&format!("{}.dat", self.names[place]), contents(place)));
        let report = self.tower.in_process().ingest();
        report
            .tables
            .iter()
            .map(|table| {
                assert_eq!(table.counts.lines, table.counts.accounted(), "I1: {}", table.table);
                table.counts
            })
            .collect()
    }

    fn rows(&self, place: usize) -> Vec<Row> {
        self.tower.rows(&self.names[place])
    }
}

#[test]
fn i1_i2_a_record_that_was_cut_anywhere_is_rejected_and_all_behind_it_are_read() {
    let whole: Vec<i64> = (0..20).chain(21..40).collect();
    let torn = |place: usize| record_later(20, 0)[..=place].to_vec();
    let file =
        |place: usize, behind: Range<u32>| [plain_header(), records(0..20), torn(place), records(behind)].concat();
    // In one read.
    let tables = Tables::of(WIDTH - 1);
    let counts = tables.ingest(|place| file(place, 21..40));
    for (place, counts) in counts.iter().enumerate() {
        let case = format!("cut behind {} bytes", place + 1);
        assert_eq!((counts.staged, counts.rejected, counts.deferred), (39, 1, 0), "{case}");
        assert_eq!(numbers(&tables.rows(place)), whole, "{case}");
        assert_whole(&tables.rows(place), &case);
    }
    let rejected = tables.tower.run_json(&["rejected"]).expect(0).json().to_string();
    let place = plain_header().len() + 20 * WIDTH;
    let reason = format!("no whole record stands in 9 bytes from byte {place} of the file on");
    assert!(rejected.contains(&reason) && rejected.contains("30ED92400000000014"), "{rejected}");
    // By growth, record by record.
    let tables = Tables::of(WIDTH - 1);
    let mut rejected = vec![0; WIDTH - 1];
    for end in [21, 22, 23, 24, 40] {
        let counts = tables.ingest(|place| file(place, 21..end));
        for (place, counts) in counts.iter().enumerate() {
            rejected[place] += counts.rejected;
            assert_whole(&tables.rows(place), &format!("cut behind {} bytes, up to {end}", place + 1));
        }
    }
    for (place, rejected) in rejected.into_iter().enumerate() {
        assert_eq!((rejected, numbers(&tables.rows(place))), (1, whole.clone()), "cut behind {} bytes", place + 1);
    }
}

#[test]
fn i1_bytes_between_two_records_cost_at_most_the_record_before_them_and_nul_bytes_none() {
    let between: Vec<Vec<u8>> = vec![
        vec![0; 9],
        vec![0; 100],
        vec![0; 88],
        vec![0; 4_096],
        vec![0xFF; 100],
        (0..=255).cycle().take(1_000).collect(),
        b"connection lost\r\n".to_vec(),
        vec![0; 200_000],
        (0..=255).rev().cycle().take(3_000_000).collect(),
    ];
    let tables = Tables::of(between.len());
    let counts =
        tables.ingest(|place| [plain_header(), records(0..20), between[place].clone(), records(20..40)].concat());
    for (place, counts) in counts.iter().enumerate() {
        let rows = tables.rows(place);
        // Other bytes than NUL may have come between those of the record before them.
        let is_known = between[place][0] == 0 && between[place][1] == 0;
        let whole: Vec<i64> = (0..40).filter(|number| is_known || *number != 19).collect();
        assert_eq!(numbers(&rows), whole, "{} bytes: {counts:?}", between[place].len());
        assert_whole(&rows, "between");
        assert!((1..=4).contains(&counts.rejected), "{} bytes: {counts:?}", between[place].len());
    }
}

#[test]
fn a_file_that_ends_in_nul_bytes_goes_on_where_records_are_appended() {
    let tower = Station::new();
    tower.write(DAT, [plain_header(), records(0..5), vec![0; 100]].concat());
    let report = tower.run_json(&["ingest"]).expect(0).json()["tables"][0].clone();
    assert_eq!((report["staged"].as_u64(), report["blank"].as_u64()), (Some(5), Some(1)), "{report}");
    tower.append(DAT, records(9..12));
    let report = tower.run_json(&["ingest"]).json()["tables"][0].clone();
    assert_eq!((report["staged"].as_u64(), report["rejected"].as_u64()), (Some(3), Some(1)), "{report}");
    assert_eq!(numbers(&tower.rows(TABLE)), [0, 1, 2, 3, 4, 9, 10, 11]);
}

#[test]
fn a_header_in_mid_file_begins_anew_and_what_is_appended_is_read_by_it() {
    let swapped = header(["Q", "P", "T"], ["IEEE4", "FP2", "IEEE4"]);
    let wider = header(["T", "P", "New"], ["IEEE4", "FP2", "IEEE8"]);
    let wide = |numbers: Range<u32>| -> Vec<u8> {
        numbers
            .flat_map(|number| [record_later(number, 0)[..18].to_vec(), 7.5_f64.to_le_bytes().to_vec()].concat())
            .collect()
    };
    let more = |place: usize, numbers: Range<u32>| if place == 2 { wide(numbers) } else { records(numbers) };
    let second = [plain_header(), swapped, wider, plain_header()];
    let file = |place: usize, end: u32| {
        let cut = if place == 3 { record_later(20, 0)[..5].to_vec() } else { Vec::new() };
        [plain_header(), records(0..20), cut, second[place].clone(), more(place, 20..end)].concat()
    };
    let tables = Tables::of(second.len());
    // The second header is not whole; then it is, and records come one by one.
    let cut = plain_header().len() + 20 * WIDTH + 40;
    tables.ingest(|place| file(place, 20)[..cut].to_vec());
    for end in [20, 21, 22, 40] {
        let counts = tables.ingest(|place| file(place, end));
        assert!(counts.iter().all(|counts| counts.duplicates == 0), "{end}: {counts:?}");
    }
    for place in 0..second.len() {
        let rows = tables.rows(place);
        assert_eq!(numbers(&rows), (0..40).collect::<Vec<_>>(), "{place}");
        let [first, last] = [&rows[3].vals, &rows[33].vals];
        let expected = match place {
            // Of T, P, Q.
            1 => "[3,12.75,33.5]",
            2 => "[33.5,12.75,null,7.5]",
            _ => "[33.5,12.75,3]",
        };
        assert!(first.starts_with("[3.5,12.75,3"), "{place}: {first}");
        assert_eq!(last, expected, "{place}");
    }
    let rejected = tables.tower.run_json(&["rejected"]).expect(0).json();
    assert_eq!(rejected["rejected"].as_array().map_or(0, Vec::len), 1, "{rejected}");
}

#[test]
fn records_behind_a_header_whose_types_cannot_be_read_are_rejected_until_the_next_one() {
    let tower = Station::new();
    let damaged = header(["Q", "P", "T"], ["IEEE4", "what", "IEEE4"]);
    let file = [plain_header(), records(0..5), damaged, records(5..10)].concat();
    tower.write(DAT, &file);
    let report = tower.run_json(&["ingest"]).json()["tables"][0].clone();
    assert_eq!(report["staged"].as_u64(), Some(5), "{report}");
    assert!(report["rejected"].as_u64() >= Some(1), "{report}");
    tower.write(DAT, [file, records(10..12), plain_header(), records(12..15)].concat());
    let report = tower.run_json(&["ingest"]).json()["tables"][0].clone();
    assert_eq!(numbers(&tower.rows(TABLE)), [0, 1, 2, 3, 4, 12, 13, 14], "{report}");
}

#[test]
fn records_that_start_again_jump_or_come_late_are_no_damage() {
    let year: i64 = 365 * 86_400;
    let late = |numbers: &[u32]| numbers.iter().flat_map(|number| record_later(*number, 0)).collect::<Vec<u8>>();
    let cases: Vec<Vec<Vec<u8>>> = vec![
        // Restarts, one record at each read.
        vec![records(100..120), record_later(0, 130 * 60), record_later(1, 130 * 60), record_later(2, 130 * 60)],
        // Lost records, a long pause.
        vec![records(0..5), records(50..55), (90_000..90_005).flat_map(|number| record_later(number, 0)).collect()],
        // The clock goes back 14 years, and forward again.
        vec![records(0..5), (5..8).flat_map(|n| record_later(n, -14 * year)).collect(), records(8..10)],
        // Every twelfth record, each alone.
        vec![late(&[0, 12, 24, 36, 48]), late(&[60]), late(&[72, 84])],
        // Late ones, in no order; the newest first.
        vec![late(&[0, 3, 1, 2, 4, 9, 8, 7, 6, 5])],
        // A block that is collected again.
        vec![records(0..20), records(10..25)],
        // The largest number of four bytes.
        vec![
            (u32::MAX - 3..=u32::MAX).flat_map(|n| with_number(n, n.wrapping_add(4))).collect(),
            (0..4).flat_map(|n| with_number(n, n + 4)).collect(),
        ],
        // A year later.
        vec![records(0..3), record_later(3, year), record_later(4, year)],
        // A file of one record.
        vec![records(0..1)],
    ];
    let tables = Tables::of(cases.len());
    let mut seen = vec![0; cases.len()];
    for step in 0..4 {
        let counts = tables.ingest(|place| {
            let parts = &cases[place];
            [plain_header(), parts[..parts.len().min(step + 1)].concat()].concat()
        });
        for (place, counts) in counts.iter().enumerate() {
            assert_eq!((counts.rejected, counts.deferred), (0, 0), "case {place}, step {step}: {counts:?}");
            seen[place] += counts.staged + counts.duplicates;
        }
    }
    for (place, seen) in seen.into_iter().enumerate() {
        let written = cases[place].concat().len() / WIDTH;
        assert_eq!(usize::try_from(seen).unwrap(), written, "case {place}");
    }
}

/// Record `number`, at minute `minute`.
fn with_number(number: u32, minute: u32) -> Vec<u8> {
    let mut record = record_later(minute, 0);
    record[8..12].copy_from_slice(&number.to_le_bytes());
    record
}

#[test]
fn a_record_whose_number_is_damaged_keeps_its_place_and_costs_no_other_one() {
    let tower = Station::new();
    let mut file = [plain_header(), records(0..20)].concat();
    let at = plain_header().len() + 7 * WIDTH + 10;
    file[at] = 0x77;
    tower.write(DAT, &file);
    let report = tower.run_json(&["ingest"]).json()["tables"][0].clone();
    assert_eq!((report["staged"].as_u64(), report["rejected"].as_u64()), (Some(20), Some(0)), "{report}");
    assert_eq!(
        tower.rows(TABLE).iter().map(|row| row.vals.clone()).collect::<Vec<_>>(),
        (0..20).map(values).collect::<Vec<_>>()
    );
}

#[test]
fn records_without_a_number_are_followed_by_their_times() {
    let header = "\"TOB1\",\"46m\",\"CR1000X\",\"1041\",\"CR1000X.Std.08.01\",\"CPU:Y.CR1X\",\"6827\",\"Flux\"\r\n\
        \"SECONDS\",\"NANOSECONDS\",\"T\",\"P\"\r\n\"SECONDS\",\"NANOSECONDS\",\"\",\"\"\r\n\"\",\"\",\"Smp\",\"Smp\"\r\n\
        \"ULONG\",\"ULONG\",\"IEEE4\",\"FP2\"\r\n";
    // In April 2025, when the first letters of a header are a time near the rows.
    let april = 1_112_495_138 - 600;
    let record = |number: u32| {
        let mut record = (april + 60 * number).to_le_bytes().to_vec();
        record.extend(0_u32.to_le_bytes());
        record.extend((number as f32 + 0.5).to_le_bytes());
        record.extend((0x4000_u16 | 1275).to_be_bytes());
        record
    };
    let records = |numbers: Range<u32>| numbers.flat_map(record).collect::<Vec<u8>>();
    let between: Vec<Vec<u8>> =
        vec![record(10)[..5].to_vec(), record(10)[..13].to_vec(), vec![0; 41], header.into(), record(10)[..9].to_vec()];
    let tables = Tables::of(between.len());
    let counts =
        tables.ingest(|place| [header.as_bytes(), &records(0..10), &between[place], &records(11..30)].concat());
    for (place, counts) in counts.iter().enumerate() {
        let rows = tables.rows(place);
        assert_eq!(rows.len(), 29, "case {place}: {counts:?}");
        assert!(rows.iter().all(|row| row.vals.ends_with(".5,12.75]")), "case {place}: {rows:?}");
    }
}

/// The lines that a file is read as, blank ones too, and the bytes that are none of a record.
pub(super) fn lines_of(path: &std::path::Path) -> (Vec<String>, usize) {
    let mut file = QuietFile::open(path).unwrap();
    format::begin(&mut file, &FileFormat::Logger(None)).unwrap().unwrap();
    let (mut lines, mut damage) = (Vec::new(), 0);
    while let Some(chunk) = file.next_chunk().unwrap() {
        if chunk.is_tail {
            damage += usize::try_from(chunk.end - chunk.offset).unwrap();
            continue;
        }
        for (place, line) in chunk.bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
            match chunk.damage(place) {
                Some(length) => damage += length,
                None => lines.push(String::from_utf8_lossy(line).into_owned()),
            }
        }
    }
    (lines, damage)
}

#[test]
fn i1_i2_of_three_thousand_torn_files_at_most_three_have_a_line_that_is_no_record_and_few_records_are_lost() {
    let tower = Station::new();
    let path = tower.path(DAT);
    let mut dice = Dice(1_990);
    let mut wrong = Vec::new();
    for number in 0..3_000 {
        // One a minute, one a second, ten a second; some with records that were lost, or a count that starts again.
        let interval = [60, 1, 0][number % 3];
        let mut at = 0;
        let mut count = dice.below(100_000) as u32;
        let parts: Vec<Vec<u8>> = (0..120)
            .map(|place| {
                match dice.below(40) {
                    0 => (at, count) = (at + interval * 50, count + 50),
                    1 => count = 0,
                    _ => (at, count) = (at + interval, count + 1),
                }
                let mut record = record_later(0, at);
                if interval == 0 {
                    record[..4].copy_from_slice(&(MAY + place / 10).to_le_bytes());
                    record[4..8].copy_from_slice(&(place % 10 * 100_000_000).to_le_bytes());
                }
                record[8..12].copy_from_slice(&count.to_le_bytes());
                record[12..16].copy_from_slice(&(dice.below(1_000_000) as f32 / 1_000.0).to_le_bytes());
                record
            })
            .collect();
        let head = plain_header();
        std::fs::write(&path, [head.clone(), parts.concat()].concat()).unwrap();
        let (whole, damage) = lines_of(&path);
        assert_eq!((whole.len(), damage), (124, 0), "file {number}");
        let mut body = parts.concat();
        let mut dealt = Vec::new();
        let wounds = 1 + dice.below(3) as usize;
        for wound in 0..wounds {
            // Apart from each other; and what is cut out at the length of whole records leaves records that are as
            // good as whole.
            let third = body.len() / 3;
            let place = wound * third + dice.below(third as u64 - 100) as usize;
            let length = 1 + dice.below(90) as usize;
            let length = if length.is_multiple_of(WIDTH) { length + 1 } else { length };
            let kind = dice.below(4);
            dealt.push((kind, place / WIDTH, place % WIDTH, length));
            match kind {
                0 => drop(body.drain(place..(place + length).min(body.len()))),
                1 => drop(body.splice(place..place, vec![0; length])),
                2 => drop(body.splice(place..place, (0..length).map(|_| dice.below(256) as u8))),
                _ => drop(body.splice(place..place, head.clone())),
            }
        }
        let length = head.len() + body.len();
        std::fs::write(&path, [head.clone(), body].concat()).unwrap();
        let (lines, damage) = lines_of(&path);
        let strange: Vec<&String> = lines.iter().filter(|line| !whole.contains(line)).collect();
        if !strange.is_empty() {
            wrong.push(format!("file {number} of {length} bytes, {dealt:?}: {strange:?}"));
        }
        let records = lines.iter().filter(|line| !line.starts_with("\"T") && !line.starts_with("\"\"")).count();
        if records + 16 * wounds < 120 {
            wrong.push(format!("file {number}, {dealt:?}: {records} records, {damage} bytes are none"));
        }
    }
    // Of a record that lost its first byte beside one where the count jumps, nothing tells that its time is another
    // one.
    assert!(wrong.len() <= 3, "{} of them: {}", wrong.len(), wrong[..wrong.len().min(12)].join("\n"));
}

#[test]
fn a_timestamp_of_one_column_is_the_time_and_damage_behind_it_is_passed() {
    for kind in ["SecNano", "NSec"] {
        for has_record in [true, false] {
            let [name, unit, process, of_type] =
                if has_record { ["\"RECORD\",", "\"RN\",", "\"\",", "\"ULONG\","] } else { [""; 4] };
            let header = format!(
                "\"TOB1\",\"46m\",\"CR1000X\",\"1041\",\"CR1000X.Std.08.01\",\"CPU:Y.CR1X\",\"6827\",\"Flux\"\r\n\
                 \"TIMESTAMP\",{name}\"T\"\r\n\"TS\",{unit}\"degC\"\r\n\"\",{process}\"Smp\"\r\n\"{kind}\",{of_type}\"IEEE4\"\r\n"
            );
            let record = |number: u32| {
                let time = [MAY + 60 * number, 500_000_000];
                let bytes = |part: u32| if kind == "NSec" { part.to_be_bytes() } else { part.to_le_bytes() };
                let mut record: Vec<u8> = time.into_iter().flat_map(bytes).collect();
                if has_record {
                    record.extend(number.to_le_bytes());
                }
                record.extend((number as f32 + 0.5).to_le_bytes());
                record
            };
            let records = |numbers: Range<u32>| numbers.flat_map(record).collect::<Vec<u8>>();
            let tower = Station::new();
            tower.write(DAT, [header.as_bytes(), &records(0..20)].concat());
            let report = tower.run_json(&["ingest"]).expect(0).json()["tables"][0].clone();
            assert_eq!(report["staged"], 20, "{kind}: {report}");
            // It grows, behind a record that was cut where such damage is looked for.
            let cut = if kind == "NSec" { Vec::new() } else { record(20)[..7].to_vec() };
            tower.append(DAT, [cut, records(21..40)].concat());
            let report = tower.run_json(&["ingest"]).json()["tables"][0].clone();
            assert_eq!(report["staged"], 19, "{kind}: {report}");
            let rows = tower.rows(TABLE);
            assert_eq!(rows[19].time(), "2024-05-01T05:19:00.500Z", "{kind}");
            assert_eq!(rows.last().unwrap().vals, "[39.5]", "{kind}");
            assert_eq!(numbers(&rows).len(), if has_record { 39 } else { 0 }, "{kind}");
        }
    }
}
