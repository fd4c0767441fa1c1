//! Record numbers of contents that become rows later, and of rows that become contents or lines again (I3, I11): `gaps` lists what
//! a new store lists that reads the same lines with the configuration of the end.

use super::*;
use crate::support::dice::Dice;

const CASES: u64 = 6;

/// A line of the logger.
#[derive(Debug, Clone, Copy)]
struct Line {
    record: i64,
    /// Minutes after midnight, as the logger stamps it.
    minute: i64,
    /// How often the clock was set back before it.
    pass: i64,
}

/// Minutes that the clock is set back.
const BACK: i64 = 12;

/// Rows of a minute each; the clock is set back once, and some records are lost before, in and behind the times that come twice.
fn history(dice: &mut Dice) -> Vec<Line> {
    let mut lines = Vec::new();
    let (back, mut lost) = (20 + dice.below(8) as i64, 0);
    for record in 0..60 {
        let pass = i64::from(record >= back);
        let may_be_lost = record > 2 && record < 56;
        if may_be_lost && (lost > 0 || dice.below(9) == 0) {
            lost = if lost > 0 { lost - 1 } else { dice.below(3) as i64 };
            continue;
        }
        lost = 0;
        lines.push(Line { record, minute: 60 + record - pass * BACK, pass });
    }
    lines
}

fn text(line: &Line) -> String {
    let Line { record, minute, pass } = line;
    format!("\"2024-05-01 {:02}:{:02}:00\",{record},{pass},{record}\r\n", minute / 60, minute % 60)
}

/// The lines, in up to three collections, each of which overwrites the file.
fn collections(dice: &mut Dice, lines: &[String]) -> Vec<String> {
    let mut cuts = [1 + dice.below(lines.len() as u64 - 1) as usize, 1 + dice.below(lines.len() as u64 - 1) as usize];
    cuts.sort_unstable();
    let parts = [&lines[..cuts[0]], &lines[cuts[0]..cuts[1]], &lines[cuts[1]..]];
    parts.into_iter().filter(|part| !part.is_empty()).map(<[String]>::concat).collect()
}

/// The missing records: how many between which, and the times of these.
fn missing(tower: &Station) -> Vec<String> {
    let gaps = tower.run_json(&["gaps"]).works().json()["gaps"].clone();
    let text = |gap: &serde_json::Value| {
        let [before, after, missing] = ["before_record", "after_record", "missing"].map(|key| gap[key].to_string());
        let [from, to] = ["from_utc", "to_utc"].map(|key| gap[key].as_str().unwrap_or_default().to_owned());
        format!("{missing} between {before} {from} and {after} {to}")
    };
    gaps.as_array().unwrap().iter().map(text).collect()
}

/// Lines, in short.
fn short(lines: &[Line]) -> String {
    lines.iter().map(|line| format!("{}@{} ", line.record, line.minute)).collect()
}

/// Of a new store that reads all of it at once with the present configuration.
fn missing_of_new(tower: &Station, all: &str) -> Vec<String> {
    let new = Station::new();
    std::fs::copy(tower.config_path(), new.config_path()).unwrap();
    new.write(DAT, behind_header(all));
    new.run(&["ingest"]).works();
    missing(&new)
}

/// The station reads the lines in collections.
fn collected(tower: &Station, dice: &mut Dice, lines: &[String]) {
    for part in collections(dice, lines) {
        // By hand, so that no line is taken for one that is being overwritten.
        tower.write("part.dat", behind_header(part));
        tower.run(&["ingest", "--table", TABLE, "part.dat"]).works();
    }
}

fn utc() -> Station {
    Station::new().clock("utc_offset = \"+00:00\"")
}

/// Runs a history in each of some ways of chance.
fn each(mut run: impl FnMut(&mut Dice, &[Line], &[String])) {
    for case in 0..CASES {
        let mut dice = Dice(case);
        let lines = history(&mut dice);
        let texts: Vec<String> = lines.iter().map(text).collect();
        run(&mut dice, &lines, &texts);
    }
}

#[test]
fn i11_record_numbers_follow_conflicts_that_are_decided_and_decisions_that_are_reversed() {
    each(|dice, lines, texts| {
        let mut tower = utc();
        collected(&tower, dice, texts);
        let keys = tower.run_json(&["conflicts"]).json()["conflicts"].as_array().unwrap().len();
        assert!(keys > 2, "{}", short(lines));
        tower.run_json(&["conflicts", "--keep", "newer"]).expect(0);
        let decided = missing(&tower);
        tower.run_json(&["decisions", "--reverse", "1"]).expect(0);
        let kept = missing(&tower);
        assert_eq!(kept, missing_of_new(&tower, &texts.concat()), "{}", short(lines));
        tower.configure(|sections| sections.table += "\non_conflict = \"replace\"");
        assert_eq!(decided, missing_of_new(&tower, &texts.concat()), "{}", short(lines));
        tower.run(&["ingest"]).works();
        assert_eq!(decided, missing(&tower), "{}", short(lines));
    });
}

#[test]
fn i11_record_numbers_follow_rows_that_get_tags_and_lose_them() {
    each(|dice, lines, texts| {
        let mut tower = utc();
        collected(&tower, dice, texts);
        for section in ["\n[table.columns.A]\nuse = \"tag\"", "", "\n[table.columns.B]\nuse = \"tag\"", ""] {
            tower.configure(|sections| sections.table = format!("name = \"{TABLE}\"\nfiles = [\"{DAT}\"]{section}"));
            tower.run(&["ingest"]).works();
            assert_eq!(missing(&tower), missing_of_new(&tower, &texts.concat()), "{section} {}", short(lines));
        }
    });
}

#[test]
fn i11_record_numbers_follow_a_correction_of_the_clock_and_its_end() {
    each(|dice, lines, texts| {
        let mut tower = utc();
        collected(&tower, dice, texts);
        let first = lines.iter().find(|line| line.pass == 1).unwrap().record;
        for add in [BACK, 5, 0, 3, BACK] {
            tower.configure(|sections| {
                sections.more = match add {
                    0 => String::new(),
                    _ => format!(
                        "[[table.clock]]\nfrom = \"2024-05-01 00:00:00\"\nuntil = \"2024-05-02 00:00:00\"\nadd = \"{add}m\"\n\
                         record_from = {first}\n"
                    ),
                }
            });
            tower.run(&["ingest"]).works();
            assert_eq!(missing(&tower), missing_of_new(&tower, &texts.concat()), "{add} {}", short(lines));
        }
    });
}

#[test]
fn i11_record_numbers_follow_offsets_from_utc_that_are_put_right() {
    each(|dice, lines, texts| {
        let mut tower = utc();
        collected(&tower, dice, texts);
        let first = lines.iter().find(|line| line.pass == 1).unwrap().record;
        let later = |offset: &str| {
            format!(
                "utc_offset = \"+00:00\"\n[[station.offset]]\nfrom = \"2024-05-01 00:00:00\"\nutc_offset = \"{offset}\"\n\
                 record_from = {first}"
            )
        };
        for clock in [later("-00:12"), later("-00:03"), "utc_offset = \"-06:00\"".to_owned(), later("+00:04")] {
            tower.configure(|sections| sections.clock.clone_from(&clock));
            tower.run(&["rekey"]).works();
            tower.run(&["ingest"]).works();
            assert_eq!(missing(&tower), missing_of_new(&tower, &texts.concat()), "{clock} {}", short(lines));
        }
    });
}

#[test]
fn i11_record_numbers_follow_the_hour_that_a_zone_repeats() {
    for case in 0..CASES {
        let mut dice = Dice(100 + case);
        let mut lines = Vec::new();
        let mut lost = 0;
        for record in 0..36_i64 {
            if record > 7 && record < 34 && (lost > 0 || dice.below(8) == 0) {
                lost = if lost > 0 { lost - 1 } else { dice.below(4) };
                continue;
            }
            // A row each ten minutes from 00:00 on; at 02:00 the clock goes back to 01:00.
            let minute = record * 10 - if record >= 12 { 60 } else { 0 };
            let (hour, minute) = (minute / 60, minute % 60);
            lines.push(format!("\"2024-11-03 {hour:02}:{minute:02}:00\",{record},1,{record}\r\n"));
        }
        let mut tower = Station::new();
        collected(&tower, &mut dice, &lines);
        for clock in ["timezone = \"America/Detroit\"", "utc_offset = \"-05:00\"", "timezone = \"America/Detroit\""] {
            tower.configure(|sections| clock.clone_into(&mut sections.clock));
            tower.run(&["rekey"]).works();
            tower.run(&["ingest"]).works();
            assert_eq!(missing(&tower), missing_of_new(&tower, &lines.concat()), "{clock} {}", lines.concat());
        }
    }
}

#[test]
fn i11_record_numbers_follow_rows_that_share_stamps() {
    for case in 0..CASES {
        let mut dice = Dice(200 + case);
        let mut lines = Vec::new();
        let mut lost = 0;
        for row in 0..80_i64 {
            if row > 12 && row < 65 && (lost > 0 || dice.below(12) == 0) {
                lost = if lost > 0 { lost - 1 } else { dice.below(5) };
                continue;
            }
            lines.push(format!("\"2024-05-01 12:00:{:02}\",{},{row},1\r\n", row / 10, 1_000 + row));
        }
        let mut tower = utc().table_keys("samples_per_stamp = 1");
        collected(&tower, &mut dice, &lines);
        for samples in [10, 1, 10] {
            tower.configure(|sections| {
                sections.table = format!("name = \"{TABLE}\"\nfiles = [\"{DAT}\"]\nsamples_per_stamp = {samples}");
            });
            tower.run(&["ingest"]).works();
            assert_eq!(missing(&tower), missing_of_new(&tower, &lines.concat()), "{samples} {}", lines.concat());
        }
    }
}

#[test]
fn i11_record_numbers_follow_rejected_lines_that_are_judged_again() {
    each(|dice, lines, texts| {
        for key in ["valid_from = \"2024-05-01 01:30:00\"", "[table.columns.C]\nuse = \"tag\""] {
            let mut tower = utc().table_keys(key);
            collected(&tower, dice, texts);
            tower.configure(|sections| sections.table = format!("name = \"{TABLE}\"\nfiles = [\"{DAT}\"]"));
            tower.run(&["rejected", "--again"]).works();
            assert_eq!(missing(&tower), missing_of_new(&tower, &texts.concat()), "{key} {}", short(lines));
        }
    });
}

#[test]
fn i11_record_numbers_follow_rows_that_get_them_from_another_header() {
    each(|dice, lines, texts| {
        let tower = utc();
        // The same rows without their record numbers come first, and are conflicts where a time came twice.
        let without = |text: &String| {
            text.splitn(3, ',').enumerate().filter(|part| part.0 != 1).map(|part| part.1).collect::<Vec<_>>().join(",")
        };
        let header =
            HEADER.replace(",\"RECORD\"", "").replace(",\"RN\"", "").replace("\"\",\"\",\"Smp\"", "\"\",\"Smp\"");
        tower.write("bare.dat", header + &texts.iter().map(without).collect::<String>());
        tower.run(&["ingest", "--table", TABLE, "bare.dat"]).works();
        collected(&tower, dice, texts);
        assert_eq!(missing(&tower), missing_of_new(&tower, &texts.concat()), "{}", short(lines));
    });
}

#[test]
fn i11_record_numbers_of_contents_that_replace_rows_are_not_missing() {
    each(|dice, lines, texts| {
        let tower = utc().table_keys("on_conflict = \"replace\"");
        collected(&tower, dice, texts);
        assert_eq!(missing(&tower), missing_of_new(&tower, &texts.concat()), "{}", short(lines));
        let lost = |pair: &[Line]| pair[1].record - pair[0].record - 1;
        let sum: i64 = lines.windows(2).map(lost).sum();
        let found: i64 = missing(&tower).iter().map(|gap| gap.split(' ').next().unwrap().parse::<i64>().unwrap()).sum();
        assert_eq!(found, sum, "{}", short(lines));
    });
}
