//! Files whose records are not lines: TOB1, card files and CSIXML (docs/file-formats.md#binary-files). Each test makes its own files;
//! real ones are compared with CardConvert in `tests/real_files`.

use std::collections::BTreeSet;

use fluxtower::format;
use fluxtower::source::QuietFile;

use crate::support::dice::Dice;
use crate::support::{DAT, Row, Station, TABLE};

/// Seconds from 1990 to 2024-05-01 00:00:00.
const MAY: u32 = 1_083_369_600;
const STAMP: u16 = 13_533;
const FRAME: usize = 64;

fn tob1_header() -> Vec<u8> {
    let lines = [
        "\"TOB1\",\"46m\",\"CR1000X\",\"1041\",\"CR1000X.Std.08.01\",\"CPU:Y.CR1X\",\"6827\",\"Flux\"",
        "\"SECONDS\",\"NANOSECONDS\",\"RECORD\",\"Ux\",\"Tc\",\"CO2\",\"Diag\",\"Name\"",
        "\"SECONDS\",\"NANOSECONDS\",\"RN\",\"m/s\",\"degC\",\"umol\",\"\",\"\"",
        "\"\",\"\",\"\",\"Smp\",\"Avg\",\"Smp\",\"Smp\",\"Smp\"",
        "\"ULONG\",\"ULONG\",\"ULONG\",\"IEEE4\",\"FP2\",\"IEEE8\",\"UINT2\",\"ASCII(8)\"",
    ];
    lines.map(|line| format!("{line}\r\n")).concat().into_bytes()
}

/// Record `number` of a 10 Hz table, with its nanoseconds.
fn tob1_record_at(number: u32, nanos: u32) -> Vec<u8> {
    let mut record = Vec::new();
    record.extend((MAY + number / 10).to_le_bytes());
    record.extend(nanos.to_le_bytes());
    record.extend(number.to_le_bytes());
    record.extend((number as f32 * 1.5 + 0.25).to_le_bytes());
    record.extend((0x4000_u16 | (number as u16 + 100)).to_be_bytes());
    // Big-endian under the name of the little-endian type, as a CR1000X does.
    record.extend((f64::from(number) + 400.125).to_be_bytes());
    record.extend((number as u16).to_be_bytes());
    record.extend(b"ab\"c\0\0\0\0");
    record
}

fn tob1_record(number: u32) -> Vec<u8> {
    tob1_record_at(number, number % 10 * 100_000_000)
}

fn tob1(records: std::ops::Range<u32>) -> Vec<u8> {
    [tob1_header(), records.flat_map(tob1_record).collect()].concat()
}

fn tob3_header() -> Vec<u8> {
    let lines = [
        "\"TOB3\",\"46m\",\"CR1000X\",\"1041\",\"CR1000X.Std.08.01\",\"CPU:Y.CR1X\",\"6827\",\"2024-05-01 00:00:00\"",
        &format!("\"Flux\",\"100 MSEC\",\"{FRAME}\",\"200\",\"{STAMP}\",\"Sec100Usec\",\"0\",\"0\",\"1\""),
        "\"Ux\",\"CO2\"",
        "\"m/s\",\"umol\"",
        "\"Smp\",\"Smp\"",
        "\"IEEE4B\",\"IEEE8B\"   ",
    ];
    lines.map(|line| format!("{line}\r\n")).concat().into_bytes()
}

fn card_record(number: u32) -> Vec<u8> {
    [(number as f32 * 1.5 + 0.25).to_be_bytes().to_vec(), (f64::from(number) + 400.125).to_be_bytes().to_vec()].concat()
}

/// A frame, or a minor frame, from record `first` on.
fn frame(first: u32, records: u32, size: usize, flags: u32) -> Vec<u8> {
    let mut frame = Vec::new();
    frame.extend((MAY + first / 10).to_le_bytes());
    frame.extend((first % 10 * 1_000).to_le_bytes());
    frame.extend(first.to_le_bytes());
    (first..first + records).for_each(|number| frame.extend(card_record(number)));
    frame.resize(size - 4, 0);
    frame.extend((u32::from(STAMP) << 16 | flags).to_le_bytes());
    frame
}

/// Four records a frame: 12 + 4 × 12 + 4 bytes.
fn tob3(frames: std::ops::Range<u32>) -> Vec<u8> {
    [tob3_header(), frames.flat_map(|number| frame(number * 4, 4, FRAME, 0)).collect()].concat()
}

#[test]
fn records_of_ten_hertz_have_their_own_times_and_the_values_that_were_stored() {
    let tower = Station::new();
    tower.write(DAT, tob1(0..25));
    let report = tower.ingest_accounted();
    assert_eq!((report["header"].as_u64(), report["staged"].as_u64()), (Some(4), Some(25)), "{report}");
    let rows = tower.rows(TABLE);
    assert_eq!(rows[13].vals, "[19.75,1.13,413.125,13,\"ab\\\"c\"]");
    assert_eq!(rows[13].time(), "2024-05-01T05:00:01.300Z");
    tower.write("card.dat", tob3(0..6));
    tower.add_to_config("[[table]]\nname = \"card\"\nfiles = [\"card.dat\"]\nstale_after = \"36500d\"\n");
    tower.run(&["ingest"]).expect(0);
    let rows = tower.rows("card");
    assert_eq!(
        (rows.len(), rows[13].vals.as_str(), rows[13].time().as_str()),
        (24, "[19.75,413.125]", "2024-05-01T05:00:01.300Z")
    );
}

#[test]
fn a_record_number_of_any_type_is_the_record_number_and_shifts_no_value() {
    let number = |kind: &str, number: i32| -> Vec<u8> {
        match kind {
            "ULONG" | "LONG" => number.to_le_bytes().to_vec(),
            "UINT4" | "INT4" => number.to_be_bytes().to_vec(),
            "USHORT" => (number as u16).to_le_bytes().to_vec(),
            "UINT2" => (number as u16).to_be_bytes().to_vec(),
            "IEEE4" => (number as f32).to_le_bytes().to_vec(),
            _ => f64::from(number).to_le_bytes().to_vec(),
        }
    };
    for kind in ["ULONG", "LONG", "UINT4", "INT4", "USHORT", "UINT2", "IEEE4", "IEEE8L"] {
        let mut file = format!(
            "\"TOB1\",\"46m\",\"CR1000X\",\"1041\",\"CR1000X.Std.08.01\",\"CPU:Y.CR1X\",\"6827\",\"Flux\"\r\n\"SECONDS\",\"NANOSECONDS\",\"RECORD\",\"T\",\"P\"\r\n\"SECONDS\",\"NANOSECONDS\",\"RN\",\"degC\",\"kPa\"\r\n\"\",\"\",\"\",\"Smp\",\"Smp\"\r\n\"ULONG\",\"ULONG\",\"{kind}\",\"IEEE4\",\"IEEE4\"\r\n"
        )
        .into_bytes();
        for record in 5..13 {
            file.extend((MAY + record as u32).to_le_bytes());
            file.extend(0_u32.to_le_bytes());
            file.extend(number(kind, record));
            file.extend(1.5_f32.to_le_bytes());
            file.extend(2.5_f32.to_le_bytes());
        }
        let tower = Station::new();
        tower.write(DAT, &file);
        let _ = tower.run(&["run"]).expect(0);
        let rows = tower.rows(TABLE);
        assert_eq!(
            rows.iter().map(|row| row.record).collect::<Vec<_>>(),
            (5..13).map(Some).collect::<Vec<_>>(),
            "{kind}"
        );
        assert!(rows.iter().all(|row| row.vals == "[1.5,2.5]"), "{kind}: {rows:?}");
        assert_eq!(tower.count("SELECT sum(pending) FROM logger_table"), 0, "{kind}");
    }
}

#[test]
fn i3_a_file_that_grew_goes_on_and_one_that_was_overwritten_is_read_anew() {
    let tower = Station::new();
    let whole = tob1(0..40);
    tower.write(DAT, &whole[..whole.len() - 7]);
    let report = tower.ingest_accounted();
    assert_eq!((report["staged"].as_u64(), report["deferred"].as_u64()), (Some(39), Some(1)), "{report}");
    tower.write(DAT, tob1(0..50));
    let report = tower.ingest_accounted();
    assert_eq!((report["lines"].as_u64(), report["staged"].as_u64()), (Some(11), Some(11)), "{report}");
    tower.write(DAT, tob1(45..55));
    let report = tower.ingest_accounted();
    assert_eq!((report["staged"].as_u64(), report["duplicates"].as_u64()), (Some(5), Some(5)), "{report}");
    assert_eq!(tower.rows(TABLE).len(), 55);
}

#[test]
fn a_table_goes_on_when_its_output_format_changes_to_text() {
    let tower = Station::new();
    tower.write(DAT, tob1(0..3));
    tower.ingest_accounted();
    let text = "\"TOA5\",\"46m\",\"CR1000X\",\"1041\",\"CR1000X.Std.08.01\",\"CPU:Y.CR1X\",\"6827\",\"Flux\"\r\n\
        \"TIMESTAMP\",\"RECORD\",\"Ux\",\"Tc\",\"CO2\",\"Diag\",\"Name\"\r\n\"TS\",\"RN\",\"m/s\",\"degC\",\"umol\",\"\",\"\"\r\n\
        \"\",\"\",\"Smp\",\"Avg\",\"Smp\",\"Smp\",\"Smp\"\r\n\"2024-05-01 00:00:00.2\",2,3.25,1.02,402.125,2,\"ab\"\"c\"\r\n\
        \"2024-05-01 00:00:00.3\",3,4.75,1.03,403.125,3,\"ab\"\"c\"\r\n";
    tower.write(DAT, text);
    let report = tower.ingest_accounted();
    assert_eq!((report["staged"].as_u64(), report["duplicates"].as_u64()), (Some(1), Some(1)), "{report}");
}

#[test]
fn i1_a_record_without_a_time_is_rejected_and_one_of_another_content_is_kept_as_the_line_that_cardconvert_writes() {
    let tower = Station::new();
    let changed: Vec<u8> =
        tob1_record(1).iter().enumerate().map(|(at, byte)| if at == 15 { 0xC1 } else { *byte }).collect();
    tower.write(DAT, [tob1(0..2), tob1_record_at(2, 4_000_000_000), changed].concat());
    let report = tower.ingest_accounted();
    assert_eq!((report["rejected"].as_u64(), report["conflicts"].as_u64()), (Some(1), Some(1)), "{report}");
    let rejected = tower.run_json(&["rejected"]).expect(0).json().to_string();
    assert!(rejected.contains("1083369600 s, 4000000000 ns since 1990"), "{rejected}");
    let before = tower.rows(TABLE)[1].vals.clone();
    tower.run(&["conflicts", "--keep", "newer"]).expect(0);
    let after = tower.rows(TABLE)[1].vals.clone();
    assert!(before.starts_with("[1.75,") && after.starts_with("[-"), "{before} became {after}");
}

#[test]
fn frames_without_the_stamp_are_filler_and_minor_frames_are_read() {
    let tower = Station::new();
    let unwritten = [vec![0; FRAME], vec![0xA5; FRAME]].concat();
    // Two minor frames of one record each, and eight bytes that nothing was written to.
    let minor = [
        frame(8, 1, 28, 28),
        frame(9, 1, 28, 28),
        vec![0; 4],
        (u32::from(STAMP) << 16 | 0x4000 | 8).to_le_bytes().to_vec(),
    ]
    .concat();
    assert_eq!(minor.len(), FRAME);
    tower.write(DAT, [tob3(0..2), minor, unwritten].concat());
    let report = tower.ingest_accounted();
    assert_eq!((report["staged"].as_u64(), report["blank"].as_u64()), (Some(10), Some(2)), "{report}");
    assert_eq!(tower.rows(TABLE)[9].vals, "[13.75,409.125]");
    // The card is filled further: the frames that were empty hold records now.
    tower.write(DAT, tob3(0..5));
    let report = tower.ingest_accounted();
    assert_eq!((report["staged"].as_u64(), report["duplicates"].as_u64()), (Some(10), Some(10)), "{report}");
}

/// Each of 200 prefixes is a table of its own, so that two ingests are enough for all.
fn cut_in_200_places(whole: &[u8], least_rows: usize) {
    let cuts: Vec<usize> = (0..200).map(|part| whole.len() * part / 200).collect();
    let name = |place: usize| format!("cut_{place}");
    let table = |place: usize| format!("name = \"cut_{place}\"\nfiles = [\"cut_{place}.dat\"]\n");
    let more: String = (1..cuts.len()).map(|place| format!("[[table]]\n{}", table(place))).collect();
    let tower = Station::new().table(&table(0)).more(&more);
    let fluxtower = tower.in_process();
    cuts.iter().enumerate().for_each(|(place, cut)| tower.write(&format!("cut_{place}.dat"), &whole[..*cut]));
    let report = fluxtower.ingest();
    for table in &report.tables {
        let counts = table.sources[0].counts;
        assert_eq!(counts.lines, counts.accounted(), "{}", table.table);
        assert_eq!(counts.rejected + counts.conflicts, 0, "{}", table.table);
    }
    let cut_short: Vec<Vec<Row>> = (0..cuts.len()).map(|place| tower.rows(&name(place))).collect();
    (0..cuts.len()).for_each(|place| tower.write(&format!("cut_{place}.dat"), whole));
    let report = fluxtower.ingest();
    assert_eq!(report.totals().conflicts + report.totals().rejected, 0);
    let complete = tower.rows(&name(0));
    assert!(complete.len() >= least_rows, "{}", complete.len());
    for (place, staged) in cut_short.iter().enumerate() {
        assert!(staged.iter().all(|row| complete.contains(row)), "cut at {}: {staged:?}", cuts[place]);
        assert_eq!(tower.rows(&name(place)), complete, "cut at {}, then completed", cuts[place]);
        assert_eq!(report.tables[place].counts.staged as usize + staged.len(), complete.len());
    }
    assert!(cut_short.iter().any(|rows| !rows.is_empty() && rows.len() < complete.len()));
}

fn xml(records: std::ops::Range<u32>) -> Vec<u8> {
    let head = "<?xml version=\"1.0\" standalone=\"yes\"?>\r\n<csixml version=\"1.0\">\r\n<head>\r\n<environment>\r\n\
        <station-name>46m</station-name>\r\n<table-name>Flux</table-name>\r\n<model>CR1000X</model>\r\n</environment>\r\n<fields>\r\n\
        <field name=\"Ux\" units=\"m/s\" type=\"xsd:float\" process=\"Smp\"/>\r\n<field name=\"Name\" type=\"xsd:string\" process=\"Smp\"/>\r\n\
        <field name=\"On\" type=\"xsd:boolean\"/>\r\n</fields>\r\n</head>\r\n<data>\r\n";
    let record = |number: u32| {
        let value = if number == 3 { "NAN".to_owned() } else { format!("{}", number as f32 * 1.5 + 0.25) };
        format!(
            "<r time=\"2024-05-01T00:00:{number:02}\" no=\"{number}\"><v1>{value}</v1><v2>a, &quot;b&quot; &amp; c</v2><v3>true</v3></r>\r\n"
        )
    };
    (head.to_owned() + &records.map(record).collect::<String>()).into_bytes()
}

#[test]
fn i1_a_growing_xml_file_is_read_on_with_its_closing_tags_missing_overwritten_or_in_the_middle() {
    let tower = Station::new();
    tower.write(DAT, xml(0..5));
    let report = tower.ingest_accounted();
    assert_eq!((report["staged"].as_u64(), report["blank"].as_u64()), (Some(5), Some(1)), "{report}");
    let rows = tower.rows(TABLE);
    assert_eq!((rows[2].vals.as_str(), rows[3].values()[0].is_null()), ("[3.25,\"a, \\\"b\\\" & c\",-1]", true));
    assert_eq!(rows[4].time(), "2024-05-01T05:00:04Z");
    tower.write(DAT, [xml(0..7), b"</data>\r\n</csixml>\r\n".to_vec()].concat());
    assert_eq!(tower.ingest_accounted()["staged"], 2);
    // The closing tags are overwritten by what is appended; then a record is cut by the one that follows it.
    let torn = b"<r time=\"2024-05-01T00:00:08\" no=\"8\"><v1>1".to_vec();
    let behind = b"<r time=\"2024-05-01T00:00:09\" no=\"9\"><v1>1</v1><v2/><v3>false</v3></r>\r\n".to_vec();
    tower.write(DAT, [xml(0..8), torn, behind].concat());
    let report = tower.ingest_accounted();
    assert_eq!((report["staged"].as_u64(), report["rejected"].as_u64()), (Some(2), Some(1)), "{report}");
    assert_eq!(tower.rows(TABLE).len(), 9);
}

#[test]
fn i2_i3_an_xml_file_cut_in_200_places_stages_only_whole_records_and_each_once() {
    cut_in_200_places(&xml(0..30), 30);
}

#[test]
fn i2_i3_a_tob1_file_cut_in_200_places_stages_only_whole_records_and_each_once() {
    cut_in_200_places(&tob1(0..60), 60);
}

#[test]
fn i2_i3_a_card_file_cut_in_200_places_stages_only_whole_frames_and_each_once() {
    cut_in_200_places(&tob3(0..15), 60);
}

/// All that a file is read as, in the way of the ingest.
fn translated(path: &std::path::Path) -> usize {
    let mut file = QuietFile::open(path).unwrap();
    let _ = format::begin(&mut file, &fluxtower::config::FileFormat::Logger(None)).unwrap();
    let mut bytes = 0;
    while let Some(chunk) = file.next_chunk().unwrap() {
        bytes += chunk.bytes.len();
    }
    bytes
}

#[test]
fn i1_twenty_thousand_damaged_binary_files_are_read_to_their_end() {
    let tower = Station::new();
    let fluxtower = tower.in_process();
    let whole = [tob1(0..12), tob3(0..5), xml(0..12)];
    let path = tower.path(DAT);
    let mut dice = Dice(19);
    let mut seen = BTreeSet::new();
    for number in 0..20_000_usize {
        let mut bytes = whole[number % 3].clone();
        for _ in 0..=dice.below(6) {
            let at = dice.below(bytes.len() as u64) as usize;
            let last = bytes.len() - 1;
            match dice.below(5) {
                0 => bytes.truncate(at.max(1)),
                1 => bytes.insert(at, dice.below(256) as u8),
                2 => drop(bytes.remove(at.min(last))),
                _ => bytes[at.min(last)] = dice.below(256) as u8,
            }
            if bytes.is_empty() {
                bytes.push(0);
            }
        }
        std::fs::write(&path, &bytes).unwrap();
        // A hundred times as much as the file, for a header that makes short records of it.
        let read = translated(&path);
        assert!(read <= 4_096 + bytes.len() * 100, "{read} bytes of {}", bytes.len());
        // Some of them whole, through the store.
        if number % 200 < 3 {
            let counts = fluxtower.ingest().totals();
            assert_eq!(counts.lines, counts.accounted());
            seen.insert((counts.staged > 0, counts.rejected > 0, counts.deferred > 0));
        }
    }
    assert!(seen.len() >= 4, "{seen:?}");
}

#[test]
fn init_drafts_a_binary_file_and_check_names_its_newest_record() {
    let tower = Station::new();
    let folder = tower.path("logger");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("flux.dat"), tob1(0..200)).unwrap();
    std::fs::write(folder.join("card.dat"), tob3(0..30)).unwrap();
    let to = tower.path("drafted.toml");
    tower.run(&["init", "--output", to.to_str().unwrap(), folder.to_str().unwrap()]).expect(0);
    let drafted = std::fs::read_to_string(to).unwrap();
    for found in ["flux.dat", "card.dat", "CO2", "100 ms"] {
        assert!(drafted.contains(found), "{found}: {drafted}");
    }
    tower.write(DAT, tob1(0..200));
    tower.run(&["ingest"]).expect(0);
    let said = tower.run(&["check"]).stdout;
    assert!(said.contains("TOB1, newest record 2024-05-01 00:00:19.9"), "{said}");
}

#[test]
fn a_table_that_insists_on_a_format_refuses_and_names_another_one_until_the_configuration_changes() {
    for (only, content, found) in [
        ("toa5", tob1(0..5), "TOB1"),
        ("tob1", tob3(0..2), "TOB3"),
        ("tob3", xml(0..3), "CSIXML"),
        ("csixml", b"\"TOACI1\",\"s\",\"t\"\r\n\"TMSTAMP\",\"RECNBR\",\"T\"\r\n".to_vec(), "TOACI1"),
        ("tob2", b"2024-05-01 00:00:00,5\r\n".to_vec(), "of no format of a logger"),
    ] {
        let tower = Station::new().table_keys(&format!("format = \"{only}\""));
        tower.write(DAT, &content);
        let said = tower.run(&["ingest"]).expect(1).stdout;
        assert!(said.contains(&format!("{DAT} is {found}, and the table takes only format = \"{only}\"")), "{said}");
        for command in ["status", "check"] {
            let said = tower.run(&[command]).expect(1).stdout;
            assert!(said.contains(&format!("is {found}")), "{said}");
        }
    }
    // I11: the file did not change, and the configuration did.
    let tower = Station::new().table_keys("format = \"tob3\"");
    tower.write(DAT, tob1(0..5));
    for _ in 0..2 {
        let report = tower.ingest_accounted();
        assert_eq!((report["staged"].as_u64(), report["notes"].as_array().unwrap().len()), (Some(0), 1), "{report}");
    }
    tower.replace_in_config("format = \"tob3\"", "format = \"tob1\"");
    assert_eq!(tower.ingest_accounted()["staged"], 5);
    let tower = Station::new();
    tower.write(DAT, "Time,T\r\n2024-05-01 00:00:00,5.5\r\n");
    assert_eq!(tower.ingest_accounted()["staged"], 0);
    let keys = "format = \"csv\"\ntime_column = \"Time\"\n[table.csv]\nnames_line = 2\n";
    let tower = tower.table_keys(keys);
    let said = tower.run(&["ingest"]).expect(1).stdout;
    assert!(said.contains("has no column \"Time\" in line 2"), "{said}");
    tower.replace_in_config("names_line = 2", "names_line = 1");
    assert_eq!(tower.ingest_accounted()["staged"], 1);
}

#[test]
fn what_a_record_says_is_what_its_line_says() {
    let header = |kinds: &str| {
        let columns = kinds.split(',').count();
        let line = |first: &str, text: &str| format!("{first}{}\r\n", format!(",{text}").repeat(columns));
        let names: String = (0..columns).map(|column| format!(",\"C{column}\"")).collect();
        format!(
            "\"TOB1\",\"46m\",\"CR1000X\",\"1041\",\"CR1000X.Std.08.01\",\"CPU:Y.CR1X\",\"6827\",\"Flux\"\r\n\
             \"SECONDS\",\"NANOSECONDS\",\"RECORD\"{names}\r\n{}{}\"ULONG\",\"ULONG\",\"ULONG\",{kinds}\r\n",
            line("\"S\",\"NS\",\"RN\"", "\"\""),
            line("\"\",\"\",\"\"", "\"Smp\"")
        )
    };
    let mut dice = Dice(7);
    let mut bytes = header("\"IEEE4\",\"FP2\",\"FP4\",\"LONG\",\"BOOL\",\"IEEE8L\"").into_bytes();
    for number in 0..400_u32 {
        bytes.extend((MAY + number).to_le_bytes());
        bytes.extend((dice.below(3) as u32 * 5_000_000).to_le_bytes());
        bytes.extend(number.to_le_bytes());
        // Any bits: NAN, INF, denormal and large numbers among them.
        let single =
            if number % 2 == 0 { dice.below(1 << 32) as u32 } else { (dice.below(20_000_000) as f32 / 1e4).to_bits() };
        bytes.extend(single.to_le_bytes());
        bytes.extend((dice.below(1 << 16) as u16).to_be_bytes());
        bytes.extend((0x4180_0000_u32 | dice.below(1 << 23) as u32).to_be_bytes());
        bytes.extend((dice.below(1 << 32) as u32).to_le_bytes());
        bytes.push(if dice.below(2) == 0 { 0 } else { 0xFF });
        bytes.extend((dice.below(1 << 40) as f64 / 1e6).to_le_bytes());
    }
    let tower = Station::new();
    tower.write(DAT, &bytes);
    assert_eq!(tower.ingest_accounted()["staged"], 400);
    let said = tower.rows(TABLE);
    // The same lines as text.
    let path = tower.path(DAT);
    let mut file = QuietFile::open(&path).unwrap();
    format::begin(&mut file, &fluxtower::config::FileFormat::Logger(None)).unwrap().unwrap();
    let mut text = Vec::new();
    while let Some(chunk) = file.next_chunk().unwrap() {
        text.extend_from_slice(chunk.bytes);
    }
    let read = Station::new();
    read.write(DAT, text);
    assert_eq!(read.ingest_accounted()["staged"], 400);
    for (said, read) in said.iter().zip(read.rows(TABLE)) {
        assert_eq!((&said.vals, said.time()), (&read.vals, read.time()));
    }
}

/// The most memory that a program takes while it runs, in megabytes.
#[cfg(target_os = "linux")]
fn memory_of(mut command: std::process::Command) -> u64 {
    let mut child = command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    let mut most = 0;
    while child.try_wait().unwrap().is_none() {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let now = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        most = most.max(now.unwrap_or(0) / 1_024);
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    most
}

#[cfg(target_os = "linux")]
#[test]
fn damaged_binary_files_take_no_more_than_64_mb() {
    let tower = Station::new().table(&format!("name = \"{TABLE}\"\nfiles = [\"damaged_*.dat\"]"));
    let whole = [tob1(0..2_000), tob3(0..600), xml(0..1_000)];
    let mut dice = Dice(64);
    for number in 0..90_usize {
        let mut bytes = whole[number % 3].clone();
        for _ in 0..40 {
            let at = dice.below(bytes.len() as u64) as usize;
            bytes[at] = dice.below(256) as u8;
        }
        // Numbers in the header that ask for much: sizes of frames and of texts.
        if number % 10 == 0 {
            let text = b"ASCII(8)";
            if let Some(at) = bytes.windows(text.len()).position(|window| window == text) {
                bytes.splice(at..at + text.len(), b"ASCII(1048576)".iter().copied());
            }
        }
        tower.write(&format!("damaged_{number}.dat"), bytes);
    }
    let most = memory_of(tower.command(&["ingest"]));
    assert!((1..=64).contains(&most), "{most} MB");
}
