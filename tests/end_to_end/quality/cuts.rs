//! A flag depends on the rows in the store, never on how they came.

use proptest::prelude::*;

use super::station::{LOWER, Line, UPPER, file, judged, tower};

/// A value that drifts, stands still, jumps or is missing.
#[derive(Debug, Clone, Copy)]
enum Mood {
    Drift,
    Still,
    Spike,
    Missing,
    Wild,
}

fn mood() -> impl Strategy<Value = (Mood, usize)> {
    prop_oneof![
        4 => (Just(Mood::Drift), 1usize..20),
        2 => (Just(Mood::Still), 2usize..20),
        2 => (Just(Mood::Spike), 1usize..2),
        1 => (Just(Mood::Missing), 1usize..8),
        1 => (Just(Mood::Wild), 1usize..4),
    ]
}

/// So many values around `middle`.
fn values(moods: &[(Mood, usize)], count: usize, middle: f64, width: f64) -> Vec<String> {
    let mut out = Vec::new();
    let mut value = middle;
    let mut seed = 7_u64;
    'all: loop {
        for (mood, length) in moods {
            for _ in 0..*length {
                if out.len() == count {
                    break 'all;
                }
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let noise = f64::from((seed >> 40) as u32) / f64::from(1 << 24) - 0.5;
                let text = match mood {
                    Mood::Drift => {
                        value += noise * width / 10.0;
                        format!("{value:.3}")
                    }
                    Mood::Still => format!("{value:.3}"),
                    Mood::Spike => format!("{:.3}", value + width * noise.signum()),
                    Mood::Missing => "\"NAN\"".to_owned(),
                    Mood::Wild => format!("{:.3}", value + width * 8.0 * noise),
                };
                out.push(text);
            }
        }
    }
    out
}

/// One delivery: the rows of an interval, of one table or the other, with a little overlap.
#[derive(Debug, Clone)]
struct Cut {
    from: usize,
    length: usize,
    upper: bool,
}

fn cuts(rows: usize) -> impl Strategy<Value = Vec<Cut>> {
    let cut = (0..rows, 1usize..40, any::<bool>()).prop_map(|(from, length, upper)| Cut { from, length, upper });
    prop::collection::vec(cut, 0..12)
}

const ROWS: usize = 120;

fn station_lines(moods: &[Vec<(Mood, usize)>], holes: &[usize]) -> (Vec<Line>, Vec<Line>) {
    let column = |at: usize, middle: f64, width: f64| values(&moods[at], ROWS, middle, width);
    let (ta, rh, sw, par) =
        (column(0, 18.0, 8.0), column(1, 98.0, 4.0), column(2, 300.0, 200.0), column(3, 600.0, 500.0));
    let (sonic, lower) = (column(4, 18.0, 2.0), column(5, 17.0, 8.0));
    let is_there = |row: &usize| !holes.contains(row);
    let upper = (0..ROWS)
        .filter(is_there)
        .map(|row| {
            let word = if row % 37 == 5 { "4" } else { "0" };
            let values = [&ta[row], &rh[row], &sw[row], &par[row], &sonic[row], word];
            (row as i64, values.map(str::to_owned).to_vec())
        })
        .collect();
    let lower = (0..ROWS).filter(|row| row % 11 != 3).map(|row| (row as i64, vec![lower[row].clone()])).collect();
    (upper, lower)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 60, ..ProptestConfig::default() })]

    #[test]
    fn flags_do_not_depend_on_how_rows_were_cut_into_files(
        moods in prop::collection::vec(prop::collection::vec(mood(), 1..8), 6),
        holes in prop::collection::vec(0..ROWS, 0..12),
        cuts in cuts(ROWS),
        row_by_row in any::<bool>(),
        lower_first in any::<bool>(),
    ) {
        let (upper, lower) = station_lines(&moods, &holes);
        let whole = tower();
        whole.write("upper.dat", file(UPPER, &upper));
        whole.write("lower.dat", file(LOWER, &lower));
        whole.in_process().ingest();

        let cut = tower();
        let agent = cut.in_process();
        let deliver = |upper_lines: &[Line], lower_lines: &[Line]| {
            if !upper_lines.is_empty() {
                cut.write("upper.dat", file(UPPER, upper_lines));
            }
            if !lower_lines.is_empty() {
                cut.write("lower.dat", file(LOWER, lower_lines));
            }
            agent.ingest();
        };
        for Cut { from, length, upper: is_upper } in &cuts {
            let slice = |lines: &[Line]| {
                lines.iter().filter(|line| (*from..from + length).contains(&(line.0 as usize))).cloned().collect::<Vec<_>>()
            };
            if *is_upper { deliver(&slice(&upper), &[]) } else { deliver(&[], &slice(&lower)) }
        }
        if lower_first {
            deliver(&[], &lower);
        }
        if row_by_row {
            for line in &upper[..upper.len() / 3] {
                deliver(std::slice::from_ref(line), &[]);
            }
        }
        deliver(&upper, &lower);
        prop_assert_eq!(judged(&cut, "upper"), judged(&whole, "upper"));
        prop_assert_eq!(judged(&cut, "lower"), judged(&whole, "lower"));
        // And what is stored is what a fresh look at the store gives.
        let again = whole.run_json(&["reflag", "--since", "2026-01-01"]).expect(0).json();
        prop_assert_eq!(again["changed"].as_u64(), Some(0));
    }
}

#[test]
fn a_day_delivered_row_by_row_ends_equal_to_the_day_at_once() {
    let moods: Vec<_> = (0..6)
        .map(|at| vec![(Mood::Drift, 9 + at), (Mood::Spike, 1), (Mood::Still, 14), (Mood::Missing, 2), (Mood::Wild, 1)])
        .collect();
    let (upper, lower) = station_lines(&moods, &[3, 4, 5, 50]);
    let whole = tower();
    whole.write("upper.dat", file(UPPER, &upper));
    whole.write("lower.dat", file(LOWER, &lower));
    whole.in_process().ingest();
    let single = tower();
    let agent = single.in_process();
    for row in 0..ROWS as i64 {
        for (name, columns, lines) in [("upper.dat", UPPER, &upper), ("lower.dat", LOWER, &lower)] {
            if let Some(line) = lines.iter().find(|line| line.0 == row) {
                single.write(name, file(columns, std::slice::from_ref(line)));
            }
        }
        agent.ingest();
    }
    assert_eq!(judged(&single, "upper"), judged(&whole, "upper"));
    assert_eq!(judged(&single, "lower"), judged(&whole, "lower"));
    let raised = judged(&whole, "upper").iter().filter(|row| row.3.is_some()).count();
    assert!(raised > 20, "a day without findings proves nothing: {raised}");
}

#[test]
fn a_day_with_holes_repaired_later_ends_equal_to_the_day_without_holes() {
    let moods: Vec<_> = (0..6).map(|at| vec![(Mood::Drift, 7 + at), (Mood::Still, 15), (Mood::Spike, 1)]).collect();
    let (upper, lower) = station_lines(&moods, &[]);
    let whole = tower();
    whole.write("upper.dat", file(UPPER, &upper));
    whole.write("lower.dat", file(LOWER, &lower));
    whole.in_process().ingest();
    let repaired = tower();
    let agent = repaired.in_process();
    let holed: Vec<Line> =
        upper.iter().filter(|line| !(20..45).contains(&line.0) && line.0 % 13 != 0).cloned().collect();
    repaired.write("upper.dat", file(UPPER, &holed));
    repaired.write("lower.dat", file(LOWER, &lower));
    agent.ingest();
    assert_ne!(judged(&repaired, "upper"), judged(&whole, "upper"));
    repaired.write("export.dat", file(UPPER, &upper));
    let report = agent.ingest_file_of("upper", &repaired.path("export.dat"));
    assert_eq!(report.totals().staged, (upper.len() - holed.len()) as u64);
    assert_eq!(judged(&repaired, "upper"), judged(&whole, "upper"));
    assert_eq!(judged(&repaired, "lower"), judged(&whole, "lower"));
}
