//! A view per logger table, for people with an SQLite browser: a named column per field and per flag.

use std::collections::HashSet;
use std::fmt::Write as _;

use rusqlite::Connection;

use crate::store::intake::tables::Table;

/// SQLite allows 2,000 columns in a result. Wider tables keep their flags in one column.
const MOST_FIELDS_WITH_FLAGS: usize = 900;
const MOST_FIELDS: usize = 1_900;

/// The view's own columns. Where the logger has a column of that name, in large or small letters ("Ts" is what many call
/// a sonic anemometer's temperature), the view's own stands under its name with `row_` before it: SQLite does not tell the
/// letters apart, and a query for the temperature would get the time.
const OWN: [(&str, &str); 7] = [
    ("row_id", "r.id"),
    ("time_utc", "strftime('%Y-%m-%d %H:%M:%S', (r.id & 4503599627370495) / 1000000, 'unixepoch')"),
    ("ts", "(r.id & 4503599627370495) * 1000 + r.nanos"),
    ("record", "r.record"),
    ("state", "CASE r.state WHEN 0 THEN 'pending' WHEN 1 THEN 'sent' WHEN 2 THEN 'rejected' ELSE 'expired' END"),
    ("tags", "s.tags"),
    ("raised", "r.raised"),
];

/// Makes the table's view anew from its column list.
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
    conn.execute_batch(&format!(
        "DROP VIEW IF EXISTS {name};
         CREATE VIEW {name} AS SELECT {}{columns}
         FROM series s JOIN reading r ON r.id BETWEEN (s.id << 52) AND (s.id << 52 | 4503599627370495)
         WHERE s.logger_table = {};",
        own.join(", "),
        table.id
    ))
}

/// The name, with a number behind it where it is taken.
fn free(taken: &mut HashSet<String>, name: &str) -> String {
    let numbered = (2_u32..).map(|number| format!("{name}_{number}"));
    let name = std::iter::once(name.to_owned()).chain(numbered).find(|name| taken.insert(name.to_ascii_lowercase()));
    name.unwrap_or_default()
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
