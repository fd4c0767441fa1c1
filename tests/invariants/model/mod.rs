//! Thousands of short lives of an agent against a plain map: files written and overwritten, ingests and syncs that end
//! well, badly or not at all, servers that answer anything. After each step the store holds what the map allows.
//! In [`revised`], what decides about rows changes too, and each command is killed after any of its commits.

mod action;
mod map;
mod revised;
mod tower;

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

use action::{Action, actions};
use tower::Tower;

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 1_024,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("proptest-regressions"))),
        max_shrink_iters: 2_000,
        ..ProptestConfig::default()
    }
}

/// Each life opens and closes its store for each action, and copies it where it is killed. `PROPTEST_CASES=1700` is 20,000 actions.
fn config_of_revised() -> ProptestConfig {
    ProptestConfig { cases: crate::support::cases(250), ..config() }
}

fn live(actions: &[Action], budget: Option<u64>) {
    let mut tower = Tower::new(budget);
    for action in actions {
        tower.act(action);
    }
    tower.drain();
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn i3_i5_i6_i7_the_store_agrees_with_a_plain_map(actions in actions()) {
        live(&actions, None);
    }

    #[test]
    fn i3_i5_i6_i7_the_store_agrees_with_a_plain_map_on_a_small_budget(actions in actions()) {
        live(&actions, Some(1_000));
    }
}

#[test]
fn i11_a_change_of_tags_that_was_killed_and_then_taken_back_leaves_every_row_without_a_tag() {
    use revised::{Action, Change, Line};
    for killed in 0..4 {
        let mut tower = revised::Tower::new();
        let change = || Action::Change { table: 0, change: Change::Tag };
        for action in [
            Action::Overwrite { table: 0, lines: vec![Line::of(0, 0)] },
            Action::Ingest { killed: None },
            change(),
            Action::Ingest { killed: Some(killed) },
            change(),
        ] {
            tower.act(&action);
        }
        tower.drain();
    }
}

#[test]
fn i6_a_row_that_is_back_under_its_tags_without_a_value_takes_the_value_out_of_the_bucket() {
    use revised::{Action, Change, Line};
    let mut tower = revised::Tower::new();
    let change = |change| Action::Change { table: 0, change };
    for action in [
        Action::Overwrite { table: 0, lines: vec![Line::of(0, 1)] },
        Action::Ingest { killed: None },
        Action::Sync,
        change(Change::Tag),
        Action::Ingest { killed: None },
        change(Change::Missing),
        change(Change::Tag),
    ] {
        tower.act(&action);
    }
    tower.drain();
}

proptest! {
    #![proptest_config(config_of_revised())]

    #[test]
    fn i1_i3_i6_i11_what_is_decided_again_leaves_every_content_where_the_configuration_puts_it(actions in revised::actions()) {
        let mut tower = revised::Tower::new();
        for action in &actions {
            tower.act(action);
        }
        tower.drain();
    }
}
