//! A bucket that holds a history of other types, on InfluxDB 1.6 and 2.7: what conflicts is set aside as one finding, and
//! holds nothing else.

use chrono::TimeDelta;

use crate::influxd2::{BUCKET, Influxd2};
use crate::readings::{Readings, time, utc};
use crate::server::Influxd;
use crate::station::Station;

/// Five-second rows: `rh` conflicts, `ta` does not.
const ROWS: usize = 12_000;

fn table(name: &'static str, columns: &[&'static str], count: usize) -> Readings {
    Readings::new(name, columns, (time("2024-03-11 00:00:00"), TimeDelta::seconds(5), 0), count, |row, column| {
        // Whole numbers and others; now and then no value of the first column.
        match (column, row % 10) {
            (0, 7) => "\"NAN\"".to_owned(),
            (0, 3) => format!("{row}.5"),
            _ => format!("{row}"),
        }
    })
}

/// What the history wrote, in the same shard as the rows.
fn history(table: &Readings) -> String {
    format!("{},site=earlier rh=55i {}\n", table.name, utc(&table.rows[0].0))
}

struct Server {
    destination: String,
    write: Box<dyn Fn(&str)>,
    values: Box<dyn Fn(&str) -> usize>,
}

/// The same scenarios on each server.
fn on_each(scenario: impl Fn(&Server)) {
    let influxd = std::rc::Rc::new(Influxd::start());
    influxd.query("", "CREATE DATABASE flux");
    let (writes, reads) = (std::rc::Rc::clone(&influxd), std::rc::Rc::clone(&influxd));
    scenario(&Server {
        destination: format!("api = \"v1\"\nurl = \"{}\"\nbucket = \"flux\"\n", influxd.url()),
        write: Box::new(move |lines| writes.write("flux", lines)),
        values: Box::new(move |measurement| {
            let found = reads.query("flux", &format!("SELECT count(rh) FROM {measurement} WHERE site = 'US-UMB'"));
            usize::try_from(found["results"][0]["series"][0]["values"][0][1].as_u64().unwrap_or(0)).unwrap()
        }),
    });
    let influxd = std::rc::Rc::new(Influxd2::start());
    let (writes, reads) = (std::rc::Rc::clone(&influxd), std::rc::Rc::clone(&influxd));
    scenario(&Server {
        destination: influxd.destination(),
        write: Box::new(move |lines| writes.write(BUCKET, lines)),
        values: Box::new(move |measurement| {
            let rows = reads.flux(&format!(
                "from(bucket: \"{BUCKET}\") |> range(start: 2024-01-01T00:00:00Z, stop: 2025-01-01T00:00:00Z) \
                 |> filter(fn: (r) => r._measurement == \"{measurement}\" and r._field == \"rh\" and r.site == \"US-UMB\") \
                 |> count()"
            ));
            rows.iter().map(|row| row["_value"].parse::<usize>().unwrap()).sum()
        }),
    });
}

#[test]
#[ignore = "needs real servers, see .ci/run"]
fn i6_a_history_of_integers_is_one_finding_and_holds_no_other_row() {
    on_each(|server| {
        let (met, wind) = (table("met", &["rh", "ta"], ROWS), table("wind", &["u"], 500));
        (server.write)(&history(&met));
        let station = Station::new(&server.destination, "", &[&met, &wind]);
        station.must(0, &["ingest"]);
        let sync = station.must(1, &["sync"]);
        let without_rh = ROWS / 10;
        assert_eq!(sync["sent"].as_u64(), Some((without_rh + 500) as u64), "{sync}");
        assert_eq!(sync["rejected"].as_u64(), Some((ROWS - without_rh) as u64), "{sync}");
        assert_eq!(sync["pending"].as_u64(), Some(0), "{sync}");
        assert!(sync["requests"].as_u64().unwrap() <= 60, "{sync}");
        let notes = sync["notes"].to_string().replace('\\', "");
        assert!(notes.contains("holds field rh of measurement met as integer and it is sent as float"), "{notes}");

        // What to do, done: whole numbers go as integers, and the others are said.
        let config = std::fs::read_to_string(station.path("config.toml")).unwrap();
        let files = "files = [\"met.dat\"]\n";
        let typed = format!("{files}columns = {{ rh = {{ type = \"integer\" }} }}\n");
        std::fs::write(station.path("config.toml"), config.replace(files, &typed)).unwrap();
        station.must(0, &["replay", "--rejected"]);
        let sync = station.must(1, &["sync"]);
        assert_eq!((sync["rejected"].as_u64(), sync["pending"].as_u64()), (Some(0), Some(0)), "{sync}");
        assert!(sync["notes"].to_string().contains("of field rh were not sent"), "{sync}");
        // Of ten values one is missing and one is no whole number.
        assert_eq!((server.values)("met"), ROWS / 10 * 8);
    });
}

#[test]
#[ignore = "needs real servers, see .ci/run"]
fn i6_a_lone_table_in_conflict_is_set_aside_by_the_agents_own_line() {
    on_each(|server| {
        let met = table("met", &["rh"], 4_000);
        (server.write)(&history(&met));
        let station = Station::new(&server.destination, "", &[&met]);
        station.must(0, &["ingest"]);
        let sync = station.must(1, &["sync"]);
        // Rows without a value carry a flag, which conflicts with nothing.
        assert_eq!((sync["rejected"].as_u64(), sync["sent"].as_u64()), (Some(3_600), Some(400)), "{sync}");
        let rejected = station.run(&["rejected"]).json.to_string();
        assert!(rejected.contains("field type conflict") && rejected.contains("refused for one cause"), "{rejected}");
    });
}
