//! The fifteen quiet ways to lose data or to acknowledge falsely
//! (docs/influx-answers.md#fifteen-quiet-ways-to-lose-data): each has a
//! test. Most live where their subject does; this file says where, and holds the others.

use std::path::Path;

use crate::support::server::{Act, Points, Reply, Server};
use crate::support::{Site, ns};

/// Number, what it is, and the tests that prove it.
const PROOF: [(u8, &str, &[&str]); 15] = [
    (1, "2xx that is not 204", &["i5_no_other_2xx_marks_a_row", "i5_nothing_but_204_is_stored"]),
    (2, "redirect", &["i5_a_redirect_is_not_followed_and_marks_nothing"]),
    (3, "204, later rejected", &["quiet_loss_03_rows_rejected_after_their_204_are_found_and_sent_again"]),
    (4, "204, never visible", &["i6_rows_older_than_the_retention_expire_unsent_and_come_back_when_it_grows"]),
    (5, "partial answer", &["quiet_loss_05_a_partial_answer_acknowledges_only_lines_that_a_204_confirmed"]),
    (6, "400 that is transient", &["i6_a_400_of_a_server_that_is_shutting_down_sets_nothing_aside"]),
    (7, "500 that is permanent", &["i6_a_500_that_repeats_for_one_row_does_not_block_the_others"]),
    (
        8,
        "first value decides the type",
        &["i8_only_finite_numbers_are_values_and_they_keep_their_bytes", "i8_missing_is_null_and_never_zero"],
    ),
    (
        9,
        "line-merging characters",
        &["a_name_loses_what_parsers_disagree_on", "a_row_is_one_line_with_tags_fields_and_time"],
    ),
    (
        10,
        "empty or short body",
        &["i5_a_hollow_request_is_refused_before_it_is_sent", "i5_an_empty_store_makes_no_request"],
    ),
    (
        11,
        "precision and double hour",
        &[
            "i10_each_api_gets_its_own_request_and_the_token_in_a_header_only",
            "the_double_hour_is_settled_by_record_and_order_and_reading_it_again_adds_nothing",
        ],
    ),
    (
        12,
        "duplicate identity",
        &[
            "quiet_loss_12_two_tables_on_one_point_are_said",
            "a_name_that_is_taken_gets_the_next_number",
            "i3_equal_times_with_other_content_are_a_conflict_kept_beside",
        ],
    ),
    (
        13,
        "sub-request accounting",
        &[
            "a_stored_request_without_an_answer_is_sent_again_by_the_next_run",
            "quiet_loss_13_each_answer_is_for_its_own_request",
        ],
    ),
    (14, "crash windows", &["i4_i5_a_process_killed_at_any_moment_loses_nothing_and_doubles_nothing"]),
    (
        15,
        "wrong or shrinking destination",
        &[
            "a_bucket_made_again_under_its_name_is_held_until_a_person_confirms_it",
            "a_retention_that_was_lowered_is_held",
        ],
    ),
];

fn sources(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            text.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn each_quiet_loss_has_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut text = String::new();
    sources(&root.join("src"), &mut text);
    sources(&root.join("tests"), &mut text);
    for ((number, what, tests), expected) in PROOF.iter().zip(1..) {
        assert_eq!(*number, expected);
        for test in *tests {
            // Some stand in a macro's list of cases.
            assert!(
                text.contains(&format!("fn {test}()")) || text.contains(&format!("stores!({test},")),
                "{number}, {what}: {test}"
            );
        }
    }
}

/// Count and sum of every field that the server holds, as InfluxDB 2.7 answers. All points are of one series here.
fn flux(points: &Points) -> Reply {
    let mut body = String::new();
    let rows = points.rows();
    let fields = ["P_Avg", "T_Avg"].map(|field| {
        let values: Vec<f64> = rows.iter().filter_map(|(table, ns)| points.field(table, *ns, field)).collect();
        (field, values.len().to_string(), values.iter().sum::<f64>().to_string())
    });
    let station = "US-UMB";
    for (result, kind) in [("counts", "long"), ("sums", "double")] {
        body.push_str(&format!(
            "#datatype,string,long,string,string,{kind}\r\n#group,false,false,true,true,false\r\n#default,{result},,,,\r\n\
             ,result,table,_field,station,_value\r\n"
        ));
        for (place, (field, count, sum)) in fields.iter().filter(|(_, count, _)| count != "0").enumerate() {
            body.push_str(&format!(",,{place},{field},{station},{}\r\n", if kind == "long" { count } else { sum }));
        }
        body.push_str("\r\n");
    }
    Reply { body, ..Reply::new(200) }.with("Content-Type", "text/csv")
}

#[test]
fn quiet_loss_03_rows_rejected_after_their_204_are_found_and_sent_again() {
    let server = Server::start();
    let site = Site::new(&server.url());
    server.script(|_| Act { stores: false, ..Act::take() });
    site.stage(0..10);
    site.sync().expect(0);
    assert_eq!((site.count("sent"), server.points().len()), (10, 0));
    let nothing = || Reply { body: "\r\n".to_owned(), ..Reply::new(200) }.with("Content-Type", "text/csv");
    server.answer(move |path| path.starts_with("/api/v2/query").then(nothing));
    let verified = site.run(&["verify", "--since", "2026-06-01", "--requeue", "--json"]).expect(1);
    assert_eq!((verified.number("missing"), verified.number("requeued"), verified.number("unknown")), (10, 10, 0));
    server.take_all();
    site.sync().expect(0);
    assert_eq!((site.count("sent"), server.points().len()), (10, 10));
    let counted = flux(&server.points());
    server.answer(move |path| path.starts_with("/api/v2/query").then(|| counted.clone()));
    assert_eq!(site.run(&["verify", "--since", "2026-06-01", "--json"]).expect(0).number("missing"), 0);
}

#[test]
fn quiet_loss_05_a_partial_answer_acknowledges_only_lines_that_a_204_confirmed() {
    let server = Server::start();
    let site = Site::new(&server.url());
    // Every fiftieth row is bad. The server keeps the others of a mixed request and lists one bad line only.
    let bad = |minute: i64| minute % 50 == 7;
    server.script(move |asked| {
        let count = (0..1_000).filter(|&minute| bad(minute) && asked.has(ns(minute))).count();
        if count == 0 {
            return Act::take();
        }
        Act::refuse(400, "partial write has occurred, errors encountered on line(s): error parsing line 8 (1-based)")
    });
    site.stage(0..1_000);
    let ran = site.sync().expect(1);
    assert_eq!((ran.number("sent"), ran.number("rejected")), (980, 20));
    assert_eq!(site.in_state("sent"), server.points().rows());
    assert!(
        site.in_state("rejected").iter().all(|(_, time)| (0..1_000).any(|minute| bad(minute) && ns(minute) == *time))
    );
}

#[test]
fn quiet_loss_12_two_tables_on_one_point_are_said() {
    let server = Server::start();
    let site = Site::with(&server.url(), &["met", "met_copy"], "", "");
    let config = std::fs::read_to_string(site.path("config.toml")).unwrap();
    let config = config.replace("files = [\"met_copy*.dat\"]", "files = [\"met_copy*.dat\"]\nmeasurement = \"met\"");
    std::fs::write(site.path("config.toml"), config.replace("[\"met*.dat\"]", "[\"met.dat\"]")).unwrap();
    site.stage(0..10);
    let ran = site.sync().expect(1);
    assert!(ran.notes().contains("one overwrites"), "{ran:?}");
}

#[test]
fn quiet_loss_13_each_answer_is_for_its_own_request() {
    let server = Server::start();
    let site = Site::with(&server.url(), &["met"], "", "batch_rows = 100\ndeadline = \"1s\"");
    server.script(|asked| if asked.number == 2 { Act::refuse(429, "slow down") } else { Act::take() });
    site.stage(0..300);
    site.sync().expect(0);
    assert_eq!(site.in_state("sent"), server.points().rows());
    server.take_all();
    site.sync().expect(0);
    assert_eq!((site.in_state("sent"), site.count("sent")), (server.points().rows(), 300));
}
