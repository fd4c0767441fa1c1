//! Rows that share a time stamp, however they arrive: in pieces that are appended or overwritten, late and twice, cut in
//! mid-line, by a key that is there from the start, comes later or never. The store ends with the same rows (i1, i3).

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::Range;
use std::time::{Duration, Instant};

use crate::support::dice::Dice;
use crate::support::{DAT, InProcess, Station, TABLE};

const HEADER: &str = "\"TOA5\",\"46m\",\"CR5000\",\"1041\",\"CR5000.Std.07\",\"CPU:Y21.CR5\",\"6827\",\"Burst\"\r\n\
    \"TIMESTAMP\",\"RECORD\",\"A\"\r\n\"TS\",\"RN\",\"\"\r\n\"\",\"\",\"Smp\"\r\n";
const LIVES: u64 = 150;
/// Noon at the station, nanoseconds since 1970 in UTC.
const NOON: i64 = 1_714_582_800_000_000_000;

/// A logger with so many samples a second, whose RECORD may begin again at a row.
struct Burst {
    per_stamp: i64,
    rows: Range<i64>,
    begins_again: i64,
}

impl Burst {
    fn any(dice: &mut Dice) -> Burst {
        let any = |dice: &mut Dice, limit: i64| i64::try_from(dice.below(limit.unsigned_abs())).unwrap();
        let per_stamp = [2, 3, 5, 10, 20][usize::try_from(dice.below(5)).unwrap()];
        let first = any(dice, per_stamp);
        let rows = first..first + per_stamp * 6 + any(dice, per_stamp * 4);
        // Far from both ends, so that whole seconds prove both counts.
        let begins_again = if dice.below(3) == 0 { per_stamp * 3 + any(dice, per_stamp) } else { i64::MAX };
        Burst { per_stamp, rows, begins_again }
    }

    fn line(&self, row: i64) -> String {
        let second = row / self.per_stamp;
        let record = if row < self.begins_again { 5_000 + row } else { row - self.begins_again };
        let (hour, minute) = (12 + second / 3_600, second / 60 % 60);
        format!("\"2024-05-01 {hour:02}:{minute:02}:{:02}\",{record},{row}.25\r\n", second % 60)
    }

    fn lines(&self, rows: Range<i64>) -> String {
        rows.fold(String::new(), |mut text, row| {
            write!(text, "{}", self.line(row)).unwrap();
            text
        })
    }

    fn expected(&self, rows: impl IntoIterator<Item = i64>) -> Vec<(i64, String)> {
        let time = |row: i64| {
            let micros = row % self.per_stamp * 1_000_000 / self.per_stamp;
            NOON + row / self.per_stamp * 1_000_000_000 + micros * 1_000
        };
        rows.into_iter().map(|row| (time(row), format!("[{row}.25]"))).collect()
    }
}

fn stored(tower: &Station) -> Vec<(i64, String)> {
    tower.rows(TABLE).into_iter().map(|row| (row.ts, row.vals)).collect()
}

/// One life; gives what went wrong.
fn live(seed: u64) -> Result<(), String> {
    let mut dice = Dice(seed);
    let burst = Burst::any(&mut dice);
    let key = format!("samples_per_stamp = {}\nlast_line_after = \"0s\"", burst.per_stamp);
    let off = "samples_per_stamp = 1\nlast_line_after = \"0s\"";
    let comes_late = dice.below(3) == 0;
    let mut tower = Station::new().table_keys(if comes_late { off } else { &key });
    let mut agent: InProcess = tower.in_process();
    let (mut begin, mut text, mut seen) = (burst.rows.start, HEADER.to_owned(), BTreeSet::new());
    let mut said = format!(
        "seed {seed}: {} a second, rows {:?}, RECORD begins again at {}",
        burst.per_stamp, burst.rows, burst.begins_again
    );
    while begin < burst.rows.end {
        let step = 1 + i64::try_from(dice.below(17)).unwrap();
        let end = (begin + step).min(burst.rows.end);
        let way = dice.below(6);
        write!(said, "; {begin}..{end} way {way}").unwrap();
        match way {
            // Appended.
            0 | 1 => text.push_str(&burst.lines(begin..end)),
            // Overwritten.
            2 => text = HEADER.to_owned() + &burst.lines(begin..end),
            // Overwritten, with rows of the last collection.
            3 => text = HEADER.to_owned() + &burst.lines((begin - 7).max(burst.rows.start)..end),
            // Appended, but cut in mid-line at first.
            4 => {
                let whole = text.clone() + &burst.lines(begin..end);
                let cut = whole.len() - 1 - usize::try_from(dice.below(30)).unwrap();
                tower.write(DAT, &whole.as_bytes()[..cut.max(HEADER.len())]);
                agent.ingest();
                text = whole;
            }
            // In a file of its own; maybe twice.
            _ => {
                let name = format!("piece_{begin}.dat");
                tower.write(&name, HEADER.to_owned() + &burst.lines(begin..end));
                agent.ingest_file(&tower.path(&name));
                if dice.below(2) == 0 {
                    agent.ingest_file(&tower.path(&name));
                }
            }
        }
        if way < 5 {
            tower.write(DAT, &text);
            agent.ingest();
        }
        seen.extend(begin..end);
        begin = end;
        let rows = stored(&tower);
        let right: BTreeSet<_> = burst.expected(seen.iter().copied()).into_iter().collect();
        if !comes_late && let Some(wrong) = rows.iter().find(|row| !right.contains(row)) {
            return Err(format!("{said}: {wrong:?} was never written so"));
        }
    }
    if comes_late {
        tower.configure(|sections| sections.table = format!("name = \"{TABLE}\"\nfiles = [\"{DAT}\"]\n{key}"));
        agent = tower.in_process();
        agent.ingest();
    }
    // A backup with all of it, in the end: what could not be proven before is now, and nothing comes twice.
    if burst.begins_again < i64::MAX || dice.below(2) == 0 {
        tower.write("all.dat", HEADER.to_owned() + &burst.lines(burst.rows.clone()));
        agent.ingest_file(&tower.path("all.dat"));
    }
    let (rows, right) = (stored(&tower), burst.expected(burst.rows.clone()));
    if rows != right {
        let lacks = right.iter().filter(|row| !rows.contains(row)).collect::<Vec<_>>();
        let wrong = rows.iter().filter(|row| !right.contains(row)).collect::<Vec<_>>();
        return Err(format!("{said}; key late {comes_late}: lacks {lacks:?}, has {wrong:?}"));
    }
    let left = tower.count("SELECT (SELECT count(*) FROM rejected_line) + (SELECT count(*) FROM conflict)");
    let kept = tower.count("SELECT rows - pending - sent + rejected_lines + conflicts FROM logger_table");
    if (left, kept) != (0, 0) {
        return Err(format!("{said}; key late {comes_late}: {left} left over, {kept} by the counts"));
    }
    Ok(())
}

#[test]
fn i3_samples_that_share_a_stamp_end_as_the_same_rows_in_every_way_of_arrival() {
    let seeds = std::env::var("FLUXTOWER_SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds = seeds.map_or(0..LIVES, |seed: u64| seed..seed + 1);
    let wrong: Vec<String> = seeds.filter_map(|seed| live(seed).err()).collect();
    assert!(
        wrong.is_empty(),
        "{} lives ended otherwise, the first:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(5)].join("\n")
    );
}

#[test]
fn i4_a_process_killed_while_it_reads_samples_loses_none_and_places_none_falsely() {
    const ROUNDS: u64 = 12;
    let burst = Burst { per_stamp: 10, rows: 4..45_000, begins_again: 20_003 };
    // The first one proves nothing until its tenth row has come, and none is named by the configuration.
    let tower = Station::new();
    let mut dice = Dice(7);
    let begun = Instant::now();
    let mut whole_run = Duration::from_secs(2);
    let mut killed = 0;
    for round in 1..=ROUNDS {
        let end = if round == ROUNDS { 45_000 } else { 30_000 + i64::try_from(dice.below(15_000)).unwrap() };
        tower.write(DAT, HEADER.to_owned() + &burst.lines(4..end));
        let mut child = tower.command(&["ingest"]).stdout(std::process::Stdio::null()).spawn().unwrap();
        let life = whole_run.mul_f64(dice.below(1_000) as f64 / 1_000.0);
        let started = Instant::now();
        loop {
            if let Some(ended) = child.try_wait().unwrap() {
                assert!(ended.code().is_some_and(|code| code <= 1), "round {round} ended with {ended}");
                whole_run = whole_run.min(started.elapsed().max(Duration::from_millis(20)));
                break;
            }
            if started.elapsed() >= life {
                child.kill().unwrap();
                child.wait().unwrap();
                killed += 1;
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let right: BTreeSet<_> = burst.expected(4..45_000).into_iter().collect();
        let rows = if tower.store_path().is_file() { stored(&tower) } else { Vec::new() };
        let wrong = rows.iter().find(|row| !right.contains(row));
        assert!(wrong.is_none(), "round {round}: {wrong:?}");
    }
    assert!(killed > 1, "only {killed} were killed in {:?}: the test tests nothing", begun.elapsed());
    tower.run(&["ingest"]).works();
    assert!(stored(&tower) == burst.expected(4..45_000), "not every row has its own time");
    let left = tower.count("SELECT (SELECT count(*) FROM rejected_line) + (SELECT count(*) FROM conflict)");
    assert_eq!((left, tower.count("SELECT rows FROM logger_table")), (0, 44_996));
}
