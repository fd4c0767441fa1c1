//! Times views of a store and prints one JSON object: for `bench/run view`.
//!
//!     view CONFIG TABLE DAYS

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, missing_docs)]

use std::path::Path;
use std::time::Instant;

use fluxtower::config::Config;
use fluxtower::store::Store;
use fluxtower::time::Timestamp;
use fluxtower::view::summary::{RibbonRequest, Summaries, TraceRequest};

const HOUR: i64 = 3_600_000_000_000;

struct Views {
    reader: Store,
    summaries: Summaries,
    table: String,
    names: Vec<String>,
    newest: Timestamp,
}

impl Views {
    /// Milliseconds, and bytes of the answer.
    fn trace(&self, hours: i64, columns: usize) -> (f64, usize) {
        let request = TraceRequest {
            table: self.table.clone(),
            columns: self.names.iter().take(columns).cloned().collect(),
            from: self.newest.minus(hours * HOUR),
            to: self.newest,
            points: 1_200,
            tags: Vec::new(),
        };
        let began = Instant::now();
        let trace = self.summaries.trace(&self.reader, &request).unwrap();
        let text = serde_json::to_string(&trace).unwrap();
        (began.elapsed().as_secs_f64() * 1e3, text.len())
    }

    fn least(&self, hours: i64, columns: usize) -> f64 {
        (0..5).map(|_| self.trace(hours, columns).0).fold(f64::INFINITY, f64::min)
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let config = Config::load(Path::new(&arguments.next().expect("CONFIG"))).unwrap();
    let table = arguments.next().expect("TABLE");
    let days: i64 = arguments.next().expect("DAYS").parse().unwrap();
    let began = Instant::now();
    let reader = Store::open_reader(&config.store_path).unwrap();
    let summaries = Summaries::open(&config).unwrap();
    let names = reader.column_names(&table).unwrap();
    let newest = reader.newest_of_table(&table).unwrap().unwrap();
    let views = Views { reader, summaries, table, names, newest };
    let opened = began.elapsed().as_secs_f64() * 1e3;
    let (cold, bytes) = views.trace(days * 24, 20);
    let mut said = vec![format!("\"open\": {opened:.2}, \"cold\": {cold:.2}, \"bytes\": {bytes}")];
    for (name, hours) in [("all", days * 24), ("7d", 168), ("1d", 24), ("1h", 1), ("20d", 480), ("1m", 0)] {
        for columns in [1, 5, 20] {
            said.push(format!("\"{name} {columns}\": {:.2}", views.least(hours, columns)));
        }
    }
    let began = Instant::now();
    let to = views.newest;
    let from = to.minus(days * 24 * HOUR);
    let request = RibbonRequest { table: views.table.clone(), from, to, bins: 200, tags: Vec::new() };
    let ribbon = views.summaries.ribbon(&views.reader, &request).unwrap();
    said.push(format!("\"ribbon\": {:.2}", began.elapsed().as_secs_f64() * 1e3));
    let began = Instant::now();
    let day = views.summaries.last_day(&views.reader, &views.table).unwrap();
    said.push(format!("\"last_day\": {:.2}", began.elapsed().as_secs_f64() * 1e3));
    said.push(format!(
        "\"rows\": {}, \"day_rows\": {}",
        ribbon.rows.iter().map(|rows| u64::from(*rows)).sum::<u64>(),
        day.rows
    ));
    println!("{{{}}}", said.join(", "));
}
