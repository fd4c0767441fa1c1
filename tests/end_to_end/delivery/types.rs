//! Columns that are sent as another type than float, for a bucket that holds the field so.

use crate::support::server::{Act, Reply, Server};
use crate::support::{Site, ns};

/// Acknowledged, and not looked into: the stand-in keeps floats only.
fn acknowledge(server: &Server) {
    server.script(|_| Act::say(Reply::new(204)));
}

/// One table whose columns have these sections.
fn site(server: &Server, columns: &str, rows: &[&str]) -> Site {
    let site = Site::new(&server.url());
    site.add_to_config(columns);
    let head: String = Site::text("met", []);
    let rows: String = rows
        .iter()
        .enumerate()
        .map(|(minute, values)| format!("\"2026-06-01 00:{minute:02}:00\",{minute},{values}\r\n"))
        .collect();
    std::fs::write(site.path("met.dat"), head + &rows).unwrap();
    site.run(&["ingest", "--json"]).expect(0);
    site
}

fn lines(server: &Server) -> Vec<String> {
    server.seen().iter().flat_map(|seen| seen.lines.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[test]
fn i8_an_integer_column_sends_whole_numbers_and_says_what_it_leaves_out() {
    let server = Server::start();
    acknowledge(&server);
    let site = site(
        &server,
        "[table.columns.T_Avg]\ntype = \"integer\"\n",
        &["5,98.5", "6.0,98.5", "6.5,98.5", "7.5,98.5", "\"NAN\",98.5"],
    );
    // Nothing is sent as something else, and nothing is left out silently.
    let ran = site.sync().expect(1);
    assert_eq!((ran.number("sent"), ran.number("pending")), (5, 0));
    let lines = lines(&server);
    let fields = |minute: usize| lines[minute].split(' ').nth(1).unwrap().to_owned();
    assert_eq!(
        [fields(0), fields(1), fields(2), fields(3), fields(4)],
        ["T_Avg=5i,P_Avg=98.5", "T_Avg=6i,P_Avg=98.5", "P_Avg=98.5", "P_Avg=98.5", "P_Avg=98.5"]
    );
    let notes = ran.notes().replace('\\', "");
    assert!(notes.contains("table \"met\": 2 values of field T_Avg were not sent"), "{notes}");
    assert!(notes.contains("type = \"integer\" takes a whole number only"), "{notes}");
}

#[test]
fn i8_boolean_and_text_columns_send_their_words() {
    let server = Server::start();
    acknowledge(&server);
    let site = site(
        &server,
        "[table.columns.T_Avg]\ntype = \"boolean\"\n[table.columns.P_Avg]\ntype = \"text\"\n",
        &["-1,\"pump on\"", "0,\"say \"\"hi\"\", C:\\x\"", "\"TRUE\",1.50"],
    );
    site.sync().expect(0);
    assert_eq!(
        lines(&server),
        [
            format!("met,station=US-UMB T_Avg=true,P_Avg=\"pump on\" {}", ns(0)),
            format!("met,station=US-UMB T_Avg=false,P_Avg=\"say \\\"hi\\\", C:\\\\x\" {}", ns(1)),
            format!("met,station=US-UMB T_Avg=true,P_Avg=\"1.50\" {}", ns(2)),
        ]
    );
}

#[test]
fn i6_rows_that_were_refused_for_their_type_are_taken_after_the_type_is_set() {
    let server = Server::start();
    let site = Site::with(&server.url(), &["met", "wind"], "", "");
    site.stage(0..1_000);
    // `value` of the stand-in's rows is a quarter: whole numbers are every fourth.
    server.script(|asked| {
        let refused = asked.lines.lines().filter(|line| line.starts_with("met") && line.contains("T_Avg=") && !line.contains("i,P_Avg"));
        match refused.count() {
            0 => Act::say(Reply::new(204)),
            dropped => Act::refuse(422, &format!("partial write: field type conflict: input field \"T_Avg\" on measurement \"met\" is type float, already exists as type integer dropped={dropped}")),
        }
    });
    let ran = site.sync().expect(1);
    assert_eq!((ran.number("sent"), ran.number("rejected")), (1_000, 1_000), "{ran:?}");
    let config = std::fs::read_to_string(site.path("config.toml")).unwrap();
    let met = "files = [\"met*.dat\"]\n";
    std::fs::write(
        site.path("config.toml"),
        config.replace(met, &format!("{met}columns = {{ T_Avg = {{ type = \"integer\" }} }}\n")),
    )
    .unwrap();
    site.run(&["replay", "--rejected"]).expect(0);
    let ran = site.sync().expect(1);
    assert_eq!((ran.number("sent"), ran.number("rejected"), ran.number("pending")), (1_000, 0, 0), "{ran:?}");
    assert!(ran.notes().contains("of field T_Avg"), "{}", ran.notes());
}
