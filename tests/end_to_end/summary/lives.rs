//! Lives of a fast table: rows that come, come late, come again with other values, are flagged by hand and deleted.

use fluxtower::qc::Flag;
use fluxtower::store::NewFlag;
use fluxtower::time::{Interval, Timestamp};
use proptest::prelude::*;

use super::station::{DAY, at, bring, check, summaries, tower};
use crate::support::TABLE;

#[derive(Debug, Clone)]
enum Act {
    Bring { from: i64, count: i64, version: u64 },
    Flag { column: usize, from: i64, count: i64, digit: u8 },
    Prune { before: i64 },
    Look { from: i64, count: i64, points: usize },
}

fn act() -> impl Strategy<Value = Act> {
    let row = || 0..3 * DAY;
    prop_oneof![
        4 => (row(), prop_oneof![1..40i64, 1..9_000i64], 0u64..3).prop_map(|(from, count, version)| Act::Bring { from, count, version }),
        1 => (0usize..3, row(), 0..2_000i64, b'1'..=b'4').prop_map(|(column, from, count, digit)| Act::Flag { column, from, count, digit }),
        1 => row().prop_map(|before| Act::Prune { before }),
        4 => (row(), 1..3 * DAY, prop_oneof![1usize..30, 30usize..900]).prop_map(|(from, count, points)| Act::Look { from, count, points }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: crate::support::cases(12),
        max_shrink_iters: 60,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_was_kept_before_never_shows(acts in prop::collection::vec(act(), 2..14)) {
        let tower = tower();
        let summaries = summaries(&tower);
        for act in acts {
            match act {
                Act::Bring { from, count, version } => bring(&tower, from..from + count, |row| match (row.cast_unsigned() * 7 + version) % 23 {
                    0 => Some(format!("{},\"NAN\",7999", row % 2_000)),
                    1 if version > 0 => Some(format!("{}.25,{version},{}", row % 90, -row)),
                    _ => None,
                }),
                Act::Flag { column, from, count, digit } => {
                    let agent = tower.in_process();
                    let names = agent.store.column_names(TABLE).unwrap();
                    let Some(name) = names.get(column) else { continue };
                    let flag = Flag::from_digit(digit).unwrap();
                    let span = (at(from), at(from + count));
                    agent.store.set_flag(&NewFlag { table: TABLE, column: name, span, flag, reason: "why" }, Timestamp::EPOCH).unwrap();
                    agent.store.judge_flagged(&agent.config).unwrap();
                }
                Act::Prune { before } => {
                    // A folder of files keeps the values of rows that were flagged as missing after they were sent, and says so.
                    let _ = tower.run(&["sync"]).works();
                    let agent = tower.in_process();
                    for series in agent.store.series(TABLE).unwrap() {
                        agent.store.prune_sent(series.id, Interval::closed(Timestamp::EPOCH, at(before))).unwrap();
                    }
                }
                Act::Look { from, count, points } => check(&tower, &summaries, (from, from + count), points),
            }
            check(&tower, &summaries, (-DAY, 4 * DAY), 300);
        }
        for points in [3, 15, 900] {
            check(&tower, &summaries, (-DAY, 4 * DAY), points);
        }
    }
}
