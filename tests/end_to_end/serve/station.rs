//! A station with something of everything: tests, tags, a gap, a line that is no row, a conflict, a flag by hand.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};

use super::client::Served;
use crate::support::{Logger, Station, TABLE};

/// Minutes before the newest row.
const ROWS: i64 = 300;

/// A file of the table `met`: a row a minute up to now, `TA` with a spike of 99 at every fiftieth row.
pub fn met(rows: i64, newest: DateTime<Utc>) -> String {
    let mut text = String::from(
        "\"TOA5\",\"UMB\",\"CR1000\",\"1\",\"CR1000.Std.32\",\"CPU:p.CR1\",\"1\",\"met\"\r\n\"TIMESTAMP\",\"RECORD\",\"TA\",\"RH\"\r\n\"TS\",\"RN\",\"Deg C\",\"%\"\r\n\"\",\"\",\"Avg\",\"Avg\"\r\n",
    );
    for row in 0..rows {
        // The station's clock is five hours behind.
        let stamp = newest - chrono::TimeDelta::minutes(rows - 1 - row) - chrono::TimeDelta::hours(5);
        let ta = if row % 50 == 49 { "99".to_owned() } else { format!("{}.5", row % 20) };
        let rh = if row % 100 == 99 { "\"NAN\"".to_owned() } else { format!("{}", 50 + row % 7) };
        let _ = write!(text, "\"{}\",{row},{ta},{rh}\r\n", stamp.format("%Y-%m-%d %H:%M:00"));
    }
    text
}

/// The minute that the newest row bears.
pub fn this_minute() -> DateTime<Utc> {
    let now = Utc::now().timestamp();
    DateTime::from_timestamp(now - now % 60, 0).unwrap()
}

/// The station after `run`, and the time of its newest row.
pub fn lived() -> (Station, DateTime<Utc>) {
    let newest = this_minute();
    let tower = configured();
    let logger = Logger::par();
    // Records 10 to 14 are missing.
    let par = logger.file(0..10) + &logger.rows(15..40) + "garbage,1\r\n";
    tower.write("46m_PAR.dat", par);
    tower.write("met.dat", met(ROWS, newest));
    tower.run(&["run"]).expect(1);
    // The same time with other content.
    tower.append("46m_PAR.dat", "\"2024-05-01 00:03:15\",39,1,2,3\r\n");
    tower.run(&["run"]).expect(1);
    let bird = ["flag", "--table", "met", "--column", "RH", "--as", "4", "--reason", "bird on the sensor"];
    let from = (newest - chrono::TimeDelta::minutes(3)).format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let to = newest.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    tower.run(&[&bird[..], &["--from", &from, "--to", &to]].concat()).expect(0);
    (tower, newest)
}

/// Not read yet.
pub fn configured() -> Station {
    Station::new().judged_by_age().more(
        "[[table]]\nname = \"met\"\nfiles = [\"met.dat\"]\nstale_after = \"30m\"\n\
         [table.columns.TA]\nvariable = \"TA_1_1_1\"\nheight = \"46m\"\nsuspect = [-40, 45]\nfail = [-50, 60]\n\
         [table.columns.TA.spike]\nsuspect = 10\n",
    )
}

/// What a trace of all that the table `met` holds says.
pub fn trace_of_met(served: &Served, newest: DateTime<Utc>, points: usize) -> serde_json::Value {
    let to = newest.timestamp_millis() + 1;
    served.json(&format!("/api/trace?table=met&columns=TA,RH&from={}&to={to}&points={points}", to - 86_400_000))
}

/// The first table's name.
pub const PAR: &str = TABLE;
