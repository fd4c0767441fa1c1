//! A station whose newest rows are of now: a day of temperature and humidity every five seconds, and a slow soil table.

use std::fmt::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::DateTime;

use crate::support::Station;

/// Five hours west of UTC, as the station's configuration says.
const OFFSET_S: i64 = -18_000;

pub const TEMPRH: &str = "46m_temprh";
pub const SOIL: &str = "soil";

/// Seconds since 1970.
pub fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

/// A TOA5 file: name and unit of each column, and rows of time and values. A value that is not finite is the logger's NAN.
pub fn toa5(table: &str, columns: &[(&str, &str)], rows: impl IntoIterator<Item = (i64, Vec<f64>)>) -> String {
    let mut text = header(table, columns);
    for (record, (at, values)) in rows.into_iter().enumerate() {
        line(&mut text, record, at, &values);
    }
    text
}

fn header(table: &str, columns: &[(&str, &str)]) -> String {
    let quoted = |pick: fn(&(&str, &str)) -> String| -> String {
        columns.iter().map(|column| format!(",\"{}\"", pick(column))).collect()
    };
    format!(
        "\"TOA5\",\"46m\",\"CR5000\",\"1041\",\"CR5000.Std.07\",\"CPU:TOWER.CR5\",\"6827\",\"{table}\"\r\n\
         \"TIMESTAMP\",\"RECORD\"{}\r\n\"TS\",\"RN\"{}\r\n\"\",\"\"{}\r\n",
        quoted(|(name, _)| (*name).to_owned()),
        quoted(|(_, unit)| (*unit).to_owned()),
        quoted(|_| "Smp".to_owned()),
    )
}

/// One row of such a file.
pub fn line(text: &mut String, record: usize, at: i64, values: &[f64]) {
    let stamp = DateTime::from_timestamp(at + OFFSET_S, 0).unwrap().format("%Y-%m-%d %H:%M:%S");
    write!(text, "\"{stamp}\",{record}").unwrap();
    for value in values {
        if value.is_finite() {
            write!(text, ",{value:.3}").unwrap();
        } else {
            text.push_str(",\"NAN\"");
        }
    }
    text.push_str("\r\n");
}

/// Rows of [`TEMPRH`] every five seconds.
pub const STEP: i64 = 5;
const TEMPRH_COLUMNS: [(&str, &str); 3] = [("Temp_46m", "Deg C"), ("Temp_34m", "Deg C"), ("RH_46m", "%")];

/// Temperatures of two heights and a humidity, smooth but for what [`day`] puts in.
pub fn weather(at: i64) -> Vec<f64> {
    #[allow(clippy::cast_precision_loss)]
    let turn = (at % 86_400) as f64 / 86_400.0 * std::f64::consts::TAU;
    #[allow(clippy::cast_precision_loss)]
    let jitter = ((at / STEP * 7_919) % 101) as f64 / 1_000.0;
    vec![8.0 + 6.0 * turn.sin() + jitter, 8.4 + 6.3 * turn.sin() - jitter, 65.0 - 20.0 * turn.sin() + jitter]
}

/// What a test needs to know of a day.
pub struct Day {
    pub tower: Station,
    /// Time of the newest row of [`TEMPRH`].
    pub newest: i64,
    /// A temperature of 99 °C stands here.
    pub failed: i64,
    /// And one 3 °C above its neighbours here.
    pub suspect: i64,
    /// From and to: the logger wrote NAN.
    pub nan: (i64, i64),
    /// From and to: no record came.
    pub hole: (i64, i64),
    pub records: usize,
}

/// The configuration of a day. `first` are keys of the temperature's table, `soil` of the other.
pub fn tower(first: &str, soil: &str) -> Station {
    let columns = "\n[table.columns.Temp_46m]\nfail = [-40, 45]\nspike = { suspect = 2, fail = 20 }\n\
                   quantity = \"air temperature\"\nheight = \"46m\"\n\
                   [table.columns.Temp_34m]\nquantity = \"air temperature\"\nheight = \"34m\"\n";
    Station::new()
        .judged_by_age()
        .table(&format!("name = \"{TEMPRH}\"\nfiles = [\"temprh.dat\"]\n{first}\n{columns}"))
        .more(&format!("[[table]]\nname = \"{SOIL}\"\nfiles = [\"soil.dat\"]\n{soil}"))
}

/// A day until now, written and read.
pub fn day() -> Day {
    day_of(tower("", ""), now() / STEP * STEP - STEP)
}

/// The same until `newest`.
pub fn day_of(tower: Station, newest: i64) -> Day {
    let day = Day {
        newest,
        failed: newest - 1_800,
        suspect: newest - 2_400,
        nan: (newest - 4_800, newest - 4_200),
        hole: (newest - 9_000, newest - 7_200),
        records: 0,
        tower,
    };
    let mut rows = Vec::new();
    for at in (newest - 86_400..=newest).step_by(usize::try_from(STEP).unwrap()) {
        if at > day.hole.0 && at < day.hole.1 {
            continue;
        }
        let mut values = weather(at);
        if at == day.failed {
            values[0] = 99.0;
        }
        if at == day.suspect {
            values[0] += 3.0;
        }
        if at >= day.nan.0 && at <= day.nan.1 {
            values[0] = f64::NAN;
        }
        rows.push((at, values));
    }
    let records = rows.len();
    day.tower.write("temprh.dat", toa5("TempRH", &TEMPRH_COLUMNS, rows));
    let soil = (newest - 86_400..=newest).step_by(300).map(|at| (at, vec![weather(at)[0] / 2.0, 6.0]));
    day.tower.write("soil.dat", toa5("Soil", &[("Soil_T_2cm", "Deg C"), ("Soil_T_50cm", "Deg C")], soil));
    day.tower.run(&["ingest"]).expect(0);
    Day { records, ..day }
}

impl Day {
    /// Writes as many rows behind the newest as LoggerNet would, and has them read.
    pub fn goes_on(&mut self, rows: usize) {
        let mut more = String::new();
        for _ in 0..rows {
            self.newest += STEP;
            line(&mut more, self.records, self.newest, &weather(self.newest));
            self.records += 1;
        }
        self.tower.append("temprh.dat", more);
        self.tower.run(&["ingest"]).expect(0);
    }
}
