//! A view per logger table, for people with an SQLite browser: a named column per field and per flag.

use std::fmt::Write as _;

use rusqlite::Connection;

use super::tables::Table;

/// SQLite allows 2,000 columns in a result. Wider tables keep their flags in one column.
const MOST_FIELDS_WITH_FLAGS: usize = 900;
const MOST_FIELDS: usize = 1_900;

/// Makes the table's view anew from its column list.
pub(super) fn create(conn: &Connection, table: &Table) -> rusqlite::Result<()> {
    let name = quoted(&format!("t_{}", table.name));
    let mut sql = format!(
        "DROP VIEW IF EXISTS {name};
         CREATE VIEW {name} AS SELECT r.id AS \"row_id\",
             strftime('%Y-%m-%d %H:%M:%S', (r.id & 4503599627370495) / 1000000, 'unixepoch') AS \"time_utc\",
             (r.id & 4503599627370495) * 1000 + r.nanos AS \"ts\", r.record AS \"record\",
             CASE r.state WHEN 0 THEN 'pending' WHEN 1 THEN 'sent' WHEN 2 THEN 'rejected' ELSE 'expired' END AS \"state\",
             s.tags AS \"tags\", r.raised AS \"raised\""
    );
    for (place, column) in table.columns.iter().take(MOST_FIELDS).enumerate() {
        // Writing to a String cannot fail.
        let _ = write!(sql, ", r.vals ->> {place} AS {}", quoted(&column.name));
        if table.columns.len() <= MOST_FIELDS_WITH_FLAGS {
            let _ = write!(sql, ", substr(r.flags, {}, 1) AS {}", place + 1, quoted(&format!("{}_flag", column.name)));
        }
    }
    if table.columns.len() > MOST_FIELDS_WITH_FLAGS {
        sql.push_str(", r.flags AS \"flags\"");
    }
    let _ = write!(
        sql,
        " FROM series s JOIN reading r ON r.id BETWEEN (s.id << 52) AND (s.id << 52 | 4503599627370495) WHERE s.logger_table = {};",
        table.id
    );
    conn.execute_batch(&sql)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
