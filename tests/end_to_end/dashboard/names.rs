//! A logger's names are names to the server and to Grafana, whatever they look like.

use super::made::{Made, all_queries, interpolated};
use crate::support::grafana::panels;

/// As the server sees the queries.
fn sent(language: &str) -> Vec<String> {
    let dashboard = Made::hostile().dashboard(&["--language", language]);
    let station = r#"US-<b>"X"</b> $station 'or'"#;
    all_queries(&dashboard).iter().map(|text| interpolated(text, station, "1m")).collect()
}

fn assert_all(language: &str, wanted: &[&str]) {
    let sent = sent(language);
    for name in wanted {
        assert!(sent.iter().any(|text| text.contains(name)), "{language}: {name}\n{}", sent.join("\n"));
    }
}

#[test]
fn influxql_gets_every_name_between_quotes_with_its_own_escapes() {
    assert_all(
        "influxql",
        &[
            r#"mean("a\"b")"#,
            r#""a\"b_qc" != 4"#,
            r#"mean("x'; DROP")"#,
            r#"mean("${x}")"#,
            r#"mean("${station} $__interval [[step]]")"#,
            r#"mean("°C · 日本 / end/")"#,
            r#"FROM "m\" WHERE 1=1; DROP ${step}" WHERE"#,
            r#""ta\"g" = 'v\'); DROP MEASUREMENT x--'"#,
            r#""$station" = '[[step]]'"#,
            r#""station" = 'US-<b>"X"</b> $station \'or\''"#,
        ],
    );
}

#[test]
fn flux_gets_every_name_as_a_string_without_an_expression_in_it() {
    assert_all(
        "flux",
        &[
            r#"r["_field"] == "a\"b""#,
            r#"r["_field"] == "x'; DROP""#,
            r#"r["_field"] == "\x24{x}""#,
            r#"r["_field"] == "\x24{station} \x24__interval \x5b\x5bstep]]""#,
            r#"r["_field"] == "°C · 日本 / end/""#,
            r#"r["_measurement"] == "m\" WHERE 1=1; DROP \x24{step}""#,
            r#"r["ta\"g"] == "v'); DROP MEASUREMENT x--""#,
            // What Grafana replaces without a dollar.
            r#"v\x2ebucket"#,
        ],
    );
    for text in sent("flux") {
        let strings = text.split('"').count();
        assert!(strings > 2 && !text.contains("\"v.bucket"), "{text}");
    }
}

#[test]
fn sql_gets_every_name_between_quotes_with_its_own_escapes() {
    assert_all(
        "sql",
        &[
            r#"avg("a""b")"#,
            r#"("a""b_qc" IS NULL OR "a""b_qc" <> 4)"#,
            r#"avg("x'; DROP")"#,
            r#"avg("${x}")"#,
            r#"avg("${station} $__interval [[step]]")"#,
            r#"FROM "m"" WHERE 1=1; DROP ${step}" WHERE"#,
            r#""ta""g" = 'v''); DROP MEASUREMENT x--'"#,
            r#""station" = 'US-<b>"X"</b> $station ''or'''"#,
        ],
    );
}

#[test]
fn text_for_people_holds_no_markup_of_a_name() {
    let dashboard = Made::hostile().dashboard(&[]);
    let texts = panels(&dashboard).into_iter().filter(|panel| panel["type"] == "text");
    let texts: Vec<String> = texts.map(|panel| panel["options"]["content"].as_str().unwrap().to_owned()).collect();
    assert_eq!(texts.len(), 2);
    for text in texts {
        assert!(!text.contains('<'), "{text}");
    }
}

#[test]
fn rows_of_one_time_are_told_apart_by_their_tags_in_every_query() {
    let made = Made::shipped();
    for (language, one, other) in [
        ("influxql", r#""Plot" = '6a'"#, r#""Plot" = '6b'"#),
        ("flux", r#"r["Plot"] == "6a""#, r#"r["Plot"] == "6b""#),
        ("sql", r#""Plot" = '6a'"#, r#""Plot" = '6b'"#),
    ] {
        let queries = all_queries(&made.dashboard(&["--language", language]));
        let count = |tag: &str| queries.iter().filter(|text| text.contains(tag)).count();
        assert!(count(one) > 0 && count(one) == count(other), "{language}: {} {}", count(one), count(other));
        let plots = queries.iter().filter(|text| text.contains("plots") && !text.contains("fluxtower_agent"));
        for text in plots {
            assert!(text.contains("Plot"), "{text}");
        }
    }
}
