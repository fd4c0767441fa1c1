//! Creates one view per logger table for users of an SQLite browser, with a named column for each field and each flag.

use std::collections::HashSet;
use std::fmt::Write as _;

use rusqlite::{Connection, OptionalExtension as _};

use crate::store::intake::tables::Table;

/// The most fields that get a flag column of their own: SQLite allows 2,000 columns in a result. Wider tables have
/// their flags in one column.
const MOST_FIELDS_WITH_FLAGS: usize = 900;
const MOST_FIELDS: usize = 1_900;

/// The view's own columns. If the logger has a column of the same name, in upper or lower case (many programs name a
/// sonic anemometer's temperature "Ts"), the view's own column gets the prefix `row_`: SQLite ignores the case, and a
/// query for the temperature would return the time. A time keeps its fraction, without trailing zeros.
const OWN: [(&str, &str); 7] = [
    ("row_id", "r.id"),
    (
        "time_utc",
        "strftime('%Y-%m-%d %H:%M:%S', (r.id & 4503599627370495) / 1000000, 'unixepoch') || rtrim(rtrim(printf('.%06d%03d', (r.id & 4503599627370495) % 1000000, r.nanos), '0'), '.')",
    ),
    ("ts", "(r.id & 4503599627370495) * 1000 + r.nanos"),
    ("record", "r.record"),
    ("state", "CASE r.state WHEN 0 THEN 'pending' WHEN 1 THEN 'sent' WHEN 2 THEN 'rejected' ELSE 'expired' END"),
    ("tags", "s.tags"),
    ("raised", "r.raised"),
];

/// Creates the table's view from its column list, unless the present view is identical.
pub(in crate::store) fn create(conn: &Connection, table: &Table) -> rusqlite::Result<()> {
    let name = quoted(&format!("t_{}", table.name));
    let has_flags = table.columns.len() <= MOST_FIELDS_WITH_FLAGS;
    let mut taken = HashSet::new();
    let names = table.columns.iter().take(MOST_FIELDS).map(|column| column.name.as_str());
    let fields: Vec<String> = names.clone().map(|name| free(&mut taken, name)).collect();
    let flags: Vec<String> =
        names.take_while(|_| has_flags).map(|name| free(&mut taken, &format!("{name}_flag"))).collect();
    let mut columns = String::new();
    for (place, field) in fields.iter().enumerate() {
        // Writing to a String cannot fail.
        let _ = write!(columns, ", r.vals ->> {place} AS {}", quoted(field));
        if let Some(flag) = flags.get(place) {
            let _ = write!(columns, ", substr(r.flags, {}, 1) AS {}", place + 1, quoted(flag));
        }
    }
    if !has_flags {
        let _ = write!(columns, ", r.flags AS {}", quoted(&free(&mut taken, "flags")));
    }
    let own: Vec<String> = OWN
        .iter()
        .map(|(name, value)| {
            let name = if taken.contains(*name) { format!("row_{name}") } else { (*name).to_owned() };
            format!("{value} AS {}", quoted(&free(&mut taken, &name)))
        })
        .collect();
    let sql = format!(
        "CREATE VIEW {name} AS SELECT {}{columns}
         FROM series s JOIN reading r ON r.id BETWEEN (s.id << 52) AND (s.id << 52 | 4503599627370495)
         WHERE s.logger_table = {}",
        own.join(", "),
        table.id
    );
    let present: Option<String> = conn
        .prepare_cached("SELECT sql FROM sqlite_schema WHERE type = 'view' AND name = ?1")?
        .query_row([format!("t_{}", table.name)], |row| row.get(0))
        .optional()?;
    if present.as_ref() == Some(&sql) {
        return Ok(());
    }
    conn.execute_batch(&format!("DROP VIEW IF EXISTS {name}; {sql};"))
}

/// The name, with a number appended if it is taken.
fn free(taken: &mut HashSet<String>, name: &str) -> String {
    let numbered = (2_u32..).map(|number| format!("{name}_{number}"));
    let name = std::iter::once(name.to_owned()).chain(numbered).find(|name| taken.insert(name.to_ascii_lowercase()));
    name.unwrap_or_default()
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
