//! Taking points back, as InfluxDB 1.6 and 2.7 were seen to do it.
//!
//! 2.x: both ends are in, and a predicate takes series with further tags along. 1.x: a tag compared with '' is one that the
//! series does not have.

use super::points::Points;

/// Which points a removal takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    pub measurement: String,
    /// Tags of the series; an empty value means that it has no such tag.
    pub tags: Vec<(String, String)>,
    /// Both are in.
    pub from: i64,
    pub to: i64,
}

impl Removed {
    /// The body of `/api/v2/delete`.
    pub(super) fn of_v2(body: &str) -> Option<Removed> {
        let body: serde_json::Value = serde_json::from_str(body).ok()?;
        let time = |key: &str| {
            let time = chrono::DateTime::parse_from_rfc3339(body[key].as_str()?).ok()?;
            time.timestamp_nanos_opt()
        };
        let predicate = body["predicate"].as_str()?;
        let mut pairs = predicate.split(" AND ").map(pair).collect::<Option<Vec<_>>>()?;
        let measurement = pairs.remove(0);
        if measurement.0 != "_measurement" {
            return None;
        }
        Some(Removed { measurement: measurement.1, tags: pairs, from: time("start")?, to: time("stop")? })
    }

    /// A statement of InfluxQL.
    pub(super) fn of_v1(statement: &str) -> Option<Removed> {
        let (measurement, conditions) = statement.strip_prefix("DELETE FROM ")?.split_once(" WHERE ")?;
        let measurement = measurement.trim_matches('"').to_owned();
        let mut removed = Removed { measurement, tags: Vec::new(), from: i64::MIN, to: i64::MAX };
        for condition in conditions.split(" AND ") {
            if let Some(time) = condition.strip_prefix("time >= ") {
                removed.from = time.parse().ok()?;
            } else if let Some(time) = condition.strip_prefix("time < ") {
                removed.to = time.parse::<i64>().ok()? - 1;
            } else {
                removed.tags.push(pair(condition)?);
            }
        }
        Some(removed)
    }

    /// The question of InfluxQL which series there are.
    pub(super) fn of_v1_question(statement: &str) -> Option<Removed> {
        let asked = statement.strip_prefix("SELECT * FROM ")?.strip_suffix(" GROUP BY * LIMIT 1")?;
        let (measurement, conditions) = asked.split_once(" WHERE ")?;
        let time = |text: &str| {
            let time = chrono::DateTime::parse_from_rfc3339(text.trim_matches('\'')).ok()?;
            time.timestamp_nanos_opt()
        };
        let measurement = measurement.trim_matches('"').to_owned();
        let mut asked = Removed { measurement, tags: Vec::new(), from: i64::MIN, to: i64::MAX };
        for condition in conditions.split(" AND ") {
            if let Some(text) = condition.strip_prefix("time >= ") {
                asked.from = time(text)?;
            } else if let Some(text) = condition.strip_prefix("time < ") {
                asked.to = time(text)? - 1;
            } else {
                asked.tags.push(pair(condition)?);
            }
        }
        Some(asked)
    }

    /// The answer to it: each series names every tag key of the measurement.
    pub(super) fn series_of_v1(&self, points: &Points) -> String {
        let tags = |series: &str| -> std::collections::BTreeMap<String, String> {
            let pairs = series.split(',').skip(1).filter_map(|part| part.split_once('='));
            pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
        };
        let is_of = |series: &str| series.split(',').next() == Some(self.measurement.as_str());
        let keys: std::collections::BTreeSet<String> = points
            .map
            .keys()
            .filter(|(series, _)| is_of(series))
            .flat_map(|(series, _)| tags(series).into_keys())
            .collect();
        let found = points.map.keys().filter(|(series, ns)| (self.from..=self.to).contains(ns) && self.takes(series));
        let found: std::collections::BTreeSet<&String> = found.map(|(series, _)| series).collect();
        let series = found.into_iter().map(|series| {
            let own = tags(series);
            let tags: serde_json::Map<String, serde_json::Value> =
                keys.iter().map(|key| (key.clone(), own.get(key).cloned().unwrap_or_default().into())).collect();
            serde_json::json!({"name": self.measurement, "tags": tags, "columns": ["time"], "values": [[0]]})
                .to_string()
        });
        series.collect::<Vec<_>>().join(",")
    }

    pub(super) fn act(&self, points: &mut Points) {
        points.map.retain(|(series, ns), _| !((self.from..=self.to).contains(ns) && self.takes(series)));
    }

    fn takes(&self, series: &str) -> bool {
        let mut parts = series.split(',');
        let measurement = parts.next().unwrap_or_default();
        let tags: Vec<(&str, &str)> = parts.filter_map(|part| part.split_once('=')).collect();
        let has = |key: &str, value: &str| match tags.iter().find(|(known, _)| *known == key) {
            Some((_, known)) => *known == value,
            None => value.is_empty(),
        };
        measurement == self.measurement && self.tags.iter().all(|(key, value)| has(key, value))
    }

    /// The answer to the question which series are there, in the CSV of Flux.
    pub(super) fn series(&self, points: &Points) -> String {
        let mut csv = String::new();
        for (series, ns) in points.map.keys() {
            if !((self.from..self.to).contains(ns) && self.takes(series)) {
                continue;
            }
            let tags: Vec<(&str, &str)> = series.split(',').skip(1).filter_map(|part| part.split_once('=')).collect();
            let column = |of: fn(&(&str, &str)) -> String| tags.iter().map(of).collect::<String>();
            csv.push_str(&format!(
                "#group,false\r\n,result,table,_time,_measurement{}\r\n,_result,0,t,{}{}\r\n\r\n",
                column(|tag| format!(",{}", tag.0)),
                self.measurement,
                column(|tag| format!(",{}", tag.1)),
            ));
        }
        csv
    }

    /// The question in Flux.
    pub(super) fn of_flux(query: &str) -> Option<Removed> {
        let between = |begin: &str, end: &str| Some(query.split_once(begin)?.1.split_once(end)?.0.to_owned());
        let time = |text: String| chrono::DateTime::parse_from_rfc3339(&text).ok()?.timestamp_nanos_opt();
        let measurement = between("r._measurement == \"", "\"")?;
        let conditions = between("r._measurement == ", ")")?;
        let tags = conditions.split(" and ").skip(1).map(|part| {
            let (key, value) = part.split_once(" == ")?;
            let key = key.strip_prefix("r[\"")?.strip_suffix("\"]")?;
            Some((key.to_owned(), value.trim_matches('"').to_owned()))
        });
        Some(Removed {
            measurement,
            tags: tags.collect::<Option<Vec<_>>>()?,
            from: time(between("start: ", ",")?)?,
            to: time(between("stop: ", ")")?)?,
        })
    }
}

/// `key=value`, both between quotes.
fn pair(text: &str) -> Option<(String, String)> {
    let (key, value) = text.split_once('=')?;
    let key = key.trim_end_matches("::tag");
    let bare = |text: &str| text.trim_matches(|letter| matches!(letter, '"' | '\'')).to_owned();
    Some((bare(key), bare(value)))
}
