//! What a server holds after it took some lines.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

use influxdb_line_protocol::{FieldValue, parse_lines};

/// A row that the server holds: measurement and time.
pub type Taken = (String, i64);

/// Series (measurement and sorted tags) and time.
type Identity = (String, i64);

/// Points by their identity; a point that comes again adds its fields to those that are there.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Points {
    pub map: BTreeMap<Identity, BTreeMap<String, String>>,
    /// Fields that came again with another value.
    pub changed: usize,
    /// Points that came again.
    pub repeated: usize,
    /// What could not be read, or should not have been sent.
    pub faults: Vec<String>,
}

impl Points {
    pub(super) fn add(&mut self, lines: &str) {
        let before: usize = self.map.len() + self.repeated;
        for parsed in parse_lines(lines) {
            if let Err(fault) = parsed.map_err(|error| error.to_string()).and_then(|line| self.add_line(&line)) {
                self.faults.push(fault);
            }
        }
        // The parser skips comments and joins lines at an open quote; then there are fewer points than lines.
        let points = self.map.len() + self.repeated - before;
        if points != lines.lines().count() {
            self.faults.push(format!("{points} points in {} lines", lines.lines().count()));
        }
    }

    fn add_line(&mut self, line: &influxdb_line_protocol::ParsedLine<'_>) -> Result<(), String> {
        let ns = line.timestamp.ok_or_else(|| format!("no time: {line}"))?;
        let mut tags: Vec<String> =
            line.series.tag_set.iter().flatten().map(|(key, value)| format!(",{key}={value}")).collect();
        tags.sort();
        let series = format!("{}{}", line.series.measurement, tags.concat());
        let mut fields = BTreeMap::new();
        for (key, value) in &line.field_set {
            let FieldValue::F64(number) = value else { return Err(format!("{key} is no float: {line}")) };
            if fields.insert(key.to_string(), format!("{number:?}")).is_some() {
                return Err(format!("{key} stands twice: {line}"));
            }
        }
        match self.map.entry((series, ns)) {
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(fields);
            }
            std::collections::btree_map::Entry::Occupied(mut place) => {
                self.repeated += 1;
                for (key, value) in fields {
                    let before = place.get_mut().insert(key, value.clone());
                    self.changed += usize::from(before.is_some_and(|before| before != value));
                }
            }
        }
        Ok(())
    }

    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Every point as measurement and time.
    pub fn rows(&self) -> BTreeSet<Taken> {
        let measurement = |series: &str| series.split(',').next().unwrap_or_default().to_owned();
        self.map.keys().map(|(series, ns)| (measurement(series), *ns)).collect()
    }

    /// One field of one point.
    pub fn field(&self, measurement: &str, ns: i64, field: &str) -> Option<f64> {
        let prefix = format!("{measurement},");
        let is_it = |series: &str| series == measurement || series.starts_with(&prefix);
        let (_, fields) = self.map.iter().find(|((series, at), _)| *at == ns && is_it(series))?;
        fields.get(field)?.parse().ok()
    }
}

/// The lines of a body. One gzip member, or none: some servers stop after the first.
pub(super) fn decode(encoding: Option<&str>, body: &[u8]) -> Result<String, String> {
    let bytes = match encoding {
        None => body.to_vec(),
        Some("gzip") => {
            let mut bytes = Vec::new();
            let mut decoder = flate2::bufread::GzDecoder::new(body);
            decoder.read_to_end(&mut bytes).map_err(|error| format!("gzip: {error}"))?;
            if !decoder.into_inner().is_empty() {
                return Err("bytes behind the gzip member".to_owned());
            }
            bytes
        }
        Some(other) => return Err(format!("Content-Encoding {other}")),
    };
    let lines = String::from_utf8(bytes).map_err(|error| error.to_string())?;
    if lines.trim().is_empty() {
        return Err("a request without lines".to_owned());
    }
    Ok(lines)
}
