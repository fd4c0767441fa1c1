//! One table of scenarios, run on every InfluxDB that we promise: what a test says of one must be true of the other.
//!
//! A scenario is a function of a [`Server`]; [`on_each_influxdb!`] makes a test of it on 1.6 and one on 2.7. What only one
//! of them can do, such as a bucket with an identity, is a test of its own beside them.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::influxd2::{BUCKET, FluxRow, Influxd2, nanoseconds};
use crate::readings::{Point, Points};
use crate::server::{Influxd, free_port};

/// The tags of a point, by name.
pub type Tags = BTreeMap<String, String>;

/// Everything in a server: where it stands, with all its tags, and the value.
pub type Cells = BTreeMap<(Tags, Point), f64>;

/// An InfluxDB with one bucket, to which everything here refers.
pub trait Server: Sized {
    /// A new server, whose bucket keeps everything.
    fn fresh() -> Self;
    /// As [`Server::fresh`], with its data in this folder.
    fn fresh_in(data: &Path) -> Self;
    /// The body of `[destination]`, with a login that may do everything.
    fn destination(&self) -> String;
    /// Ends it at once, as a power cut would.
    fn kill(&mut self);
    /// Starts it again on the data and the port that it had.
    fn revive(&mut self);
    /// The port that it has the next time it is started.
    fn port_mut(&mut self) -> &mut u16;

    /// After a kill: lets the server cut the end of its log that it did not finish writing before a client may write behind
    /// it. InfluxDB opens its log for writing before it cuts it, so that what is written before the next start stands behind
    /// a hole and is lost with the next kill (docs/influx-answers.md#a-204-is-not-the-end).
    fn revive_after_a_kill(&mut self) {
        let port = std::mem::replace(self.port_mut(), free_port());
        self.revive();
        self.kill();
        *self.port_mut() = port;
        self.revive();
    }
    /// How long the bucket keeps rows from now on; without a time for ever.
    fn keep_for(&self, retention: Option<Duration>);
    /// Every numeric value of these measurements.
    fn cells<'a>(&self, measurements: impl IntoIterator<Item = &'a str>) -> Cells;
    /// The times of the points of measurement `t` with a field `v`, whose flag `v_qc` is (`true`) or is not (`false`) this,
    /// by the query that docs/qc.md gives to users.
    fn times_by_flag(&self, is: bool, flag: u8) -> Vec<i64>;

    /// Deletes every point of a measurement.
    fn wipe(&self, measurement: &str);
    /// Writes lines behind fluxtower's back.
    fn put(&self, lines: &str);

    /// Loses or changes values of a measurement behind fluxtower's back: what `keep` gives is what is there afterwards.
    fn change(&self, measurement: &str, keep: impl Fn(&Tags, &Point, f64) -> Option<f64>) {
        let cells = self.cells([measurement]);
        self.wipe(measurement);
        let mut lines = String::new();
        for ((tags, point), value) in &cells {
            if let Some(value) = keep(tags, point, *value) {
                let tags: String = tags.iter().map(|(key, value)| format!(",{key}={value}")).collect();
                lines.push_str(&format!("{measurement}{tags} {}={value:?} {}\n", point.field, point.at));
            }
        }
        if !lines.is_empty() {
            self.put(&lines);
        }
    }

    /// Every value of these measurements, where no two series share a point.
    fn points<'a>(&self, measurements: impl IntoIterator<Item = &'a str>) -> Points {
        let mut points = Points::new();
        for ((_, point), value) in self.cells(measurements) {
            let at = format!("{point:?}");
            assert_eq!(points.insert(point, value), None, "{at} is there in two series");
        }
        points
    }

    /// The times of a measurement, in order.
    fn times(&self, measurement: &str) -> Vec<i64> {
        let mut times: Vec<i64> = self.points([measurement]).into_keys().map(|point| point.at).collect();
        times.sort_unstable();
        times.dedup();
        times
    }
}

impl Server for Influxd {
    fn fresh() -> Influxd {
        let influxd = Influxd::start();
        influxd.query("", "CREATE DATABASE flux");
        influxd
    }

    fn fresh_in(data: &Path) -> Influxd {
        let influxd = Influxd::start_in(data);
        influxd.query("", "CREATE DATABASE flux");
        influxd
    }

    fn destination(&self) -> String {
        format!("api = \"v1\"\nurl = \"{}\"\nbucket = \"flux\"", self.url())
    }

    fn kill(&mut self) {
        Influxd::kill(self);
    }

    fn revive(&mut self) {
        Influxd::revive(self);
    }

    fn port_mut(&mut self) -> &mut u16 {
        &mut self.port
    }

    fn keep_for(&self, retention: Option<Duration>) {
        let time = retention.map_or("INF".to_owned(), |time| format!("{}s", time.as_secs()));
        self.query("", &format!("ALTER RETENTION POLICY autogen ON flux DURATION {time} SHARD DURATION 1h"));
    }

    fn cells<'a>(&self, measurements: impl IntoIterator<Item = &'a str>) -> Cells {
        let mut cells = Cells::new();
        for measurement in measurements {
            let influxql = format!("SELECT *::field FROM \"{measurement}\" GROUP BY *");
            for series in self.series("flux", &influxql) {
                // A tag that other series have and this one has not comes as an empty value.
                let tags: Tags = series.tags.into_iter().filter(|(_, value)| !value.is_empty()).collect();
                for row in &series.values {
                    let at = row[0].get().parse().unwrap();
                    for (field, value) in
                        series.columns.iter().zip(row).skip(1).filter(|(_, value)| value.get() != "null")
                    {
                        let key = (tags.clone(), Point::new(measurement, field, at));
                        let twice = cells.insert(key, value.get().parse().unwrap());
                        assert_eq!(twice, None, "{measurement} {field} {at} is there twice");
                    }
                }
            }
        }
        cells
    }

    fn wipe(&self, measurement: &str) {
        self.query("flux", &format!("DELETE FROM \"{measurement}\""));
    }

    fn put(&self, lines: &str) {
        self.write("flux", lines);
    }

    fn times_by_flag(&self, is: bool, flag: u8) -> Vec<i64> {
        let sign = if is { "=" } else { "!=" };
        let answer = self.query("flux", &format!("SELECT \"v\" FROM \"t\" WHERE \"v_qc\" {sign} {flag}"));
        let rows = answer["results"][0]["series"][0]["values"].as_array().cloned().unwrap_or_default();
        rows.iter().map(|row| row[0].as_i64().unwrap()).collect()
    }
}

impl Server for Influxd2 {
    fn fresh() -> Influxd2 {
        Influxd2::start()
    }

    fn fresh_in(data: &Path) -> Influxd2 {
        Influxd2::start_in(data)
    }

    fn destination(&self) -> String {
        Influxd2::destination(self)
    }

    fn kill(&mut self) {
        Influxd2::kill(self);
    }

    fn revive(&mut self) {
        Influxd2::revive(self);
    }

    fn port_mut(&mut self) -> &mut u16 {
        &mut self.port
    }

    fn keep_for(&self, retention: Option<Duration>) {
        Influxd2::keep_for(self, BUCKET, retention);
    }

    fn cells<'a>(&self, measurements: impl IntoIterator<Item = &'a str>) -> Cells {
        let mut cells = Cells::new();
        for mut row in self.rows(BUCKET, measurements) {
            let mut take = |name: &str| row.remove(name).unwrap();
            let (measurement, field, at, value) = (take("_measurement"), take("_field"), take("_time"), take("_value"));
            let point = Point::new(&measurement, &field, nanoseconds(&at));
            let tags = row.into_iter().filter(|(name, _)| !matches!(name.as_str(), "result" | "table")).collect();
            let twice = cells.insert((tags, point), value.parse().unwrap());
            assert_eq!(twice, None, "{measurement} {field} {at} is there twice");
        }
        cells
    }

    fn wipe(&self, measurement: &str) {
        let ever = (i64::MIN + 2, i64::MAX - 1);
        self.delete(BUCKET, ever, &format!("_measurement=\"{measurement}\""));
    }

    fn put(&self, lines: &str) {
        self.write(BUCKET, lines);
    }

    fn times_by_flag(&self, is: bool, flag: u8) -> Vec<i64> {
        let sign = if is { "==" } else { "!=" };
        let flux = format!(
            "from(bucket: \"{BUCKET}\") |> range(start: 2000-01-01T00:00:00Z, stop: 2100-01-01T00:00:00Z) \
             |> filter(fn: (r) => r._measurement == \"t\" and (r._field == \"v\" or r._field == \"v_qc\")) \
             |> pivot(rowKey: [\"_time\"], columnKey: [\"_field\"], valueColumn: \"_value\") \
             |> filter(fn: (r) => exists r.v and r.v_qc {sign} {flag}.0)"
        );
        let mut times: Vec<i64> = self.flux(&flux).iter().map(|row: &FluxRow| nanoseconds(&row["_time"])).collect();
        times.sort_unstable();
        times
    }
}

/// A test of each scenario on each server.
macro_rules! on_each_influxdb {
    ($($scenario:ident),+ $(,)?) => {
        mod influxdb_1_6 {
            $(#[test]
            #[ignore = "needs real servers, see .ci/run"]
            fn $scenario() {
                super::$scenario::<crate::server::Influxd>();
            })+
        }
        mod influxdb_2_7 {
            $(#[test]
            #[ignore = "needs real servers, see .ci/run"]
            fn $scenario() {
                super::$scenario::<crate::influxd2::Influxd2>();
            })+
        }
    };
}

pub(crate) use on_each_influxdb;
