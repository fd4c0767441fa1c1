//! Two tables of one tower, with every test configured.

use crate::support::Station;

/// Rows of both tables are so far apart.
pub const STEP: i64 = 300;
/// 2026-06-01 00:00:00 on the station's clock, as seconds.
pub const START: i64 = 1_780_272_000;

/// Columns of the upper table: temperature, humidity, radiation, light, sonic temperature, its diagnostic word.
pub const UPPER: &str = "TA,RH,SW,PAR,TSONIC,DIAG";
/// Columns of the lower table.
pub const LOWER: &str = "TA";

const UPPER_KEYS: &str = r#"
time_gap = { suspect = "12m", fail = "2h" }
[table.columns.TA]
variable = "TA"
spike = { suspect = 2, fail = 5 }
rate_of_change = { suspect = 3, fail = 8, per = "5m" }
flat_line = { suspect = "30m", fail = "1h", tolerance = 0.01 }
climatology = { bands = [{ months = [5, 9], suspect = [0, 35], fail = [-10, 45] }] }
[table.columns.RH]
variable = "RH"
flat_line = { suspect = "30m", fail = "1h", tolerance = 0.05, except = [99, 101] }
[table.columns.PAR]
variable = "PPFD_IN"
spike = { suspect = 400, fail = 900, method = "differential" }
[table.columns.TSONIC]
variable = "T_SONIC"
attenuated_signal = { suspect = 0.05, fail = 0.01, window = "40m" }
[table.columns.DIAG]
diagnostic = "csat3a"
governs = ["TSONIC"]
[table.columns.VPD]
formula = "6.1078 * exp(17.08085 * TA / (234.175 + TA)) * (1 - RH / 100)"
unit = "hPa"
variable = "VPD"
"#;

const MORE: &str = r#"
[[table]]
name = "lower"
files = ["lower.dat"]
[table.columns.TA]
variable = "TA"
spike = { suspect = 2, fail = 5 }

[[pair]]
name = "TA of two heights"
table = "upper"
column = "TA"
against_table = "lower"
against = "TA"
difference = { suspect = 3, fail = 6 }
within = "1m"

[[pair]]
name = "light against radiation"
table = "upper"
column = "PAR"
against = "SW"
ratio = { suspect = [1.7, 2.4], fail = [1.2, 3] }
when = { column = "SW", above = 50 }
flags = "column"
"#;

/// A tower with these two tables.
pub fn tower() -> Station {
    Station::new().table(&format!("name = \"upper\"\nfiles = [\"upper.dat\"]\n{UPPER_KEYS}")).more(MORE)
}

/// One row of a file: its number from the start, and its values as spelled.
pub type Line = (i64, Vec<String>);

/// A TOA5 file of these rows.
pub fn file(columns: &str, lines: &[Line]) -> String {
    let names: Vec<&str> = columns.split(',').collect();
    let quoted =
        |text: &dyn Fn(&str) -> String| names.iter().map(|name| format!(",\"{}\"", text(name))).collect::<String>();
    let mut file = format!(
        "\"TOA5\",\"umb\",\"CR3000\",\"1\",\"CR3000.Std.31\",\"CPU:umb.CR3\",\"1\",\"met_{columns}\"\r\n\"TIMESTAMP\",\"RECORD\"{}\r\n\"TS\",\"RN\"{}\r\n\"\",\"\"{}\r\n",
        quoted(&|name| name.to_owned()),
        quoted(&|_| String::new()),
        quoted(&|_| "Avg".to_owned()),
    );
    for (row, values) in lines {
        let stamp = chrono::DateTime::from_timestamp(START + row * STEP, 0).unwrap().format("%Y-%m-%d %H:%M:%S");
        file.push_str(&format!("\"{stamp}\",{row},{}\r\n", values.join(",")));
    }
    file
}

/// What the store says of every row: time, values, flags, findings.
pub fn judged(tower: &Station, table: &str) -> Vec<(i64, String, String, Option<String>)> {
    let conn = tower.database();
    let sql = format!(
        "SELECT v.ts, r.vals, r.flags, r.raised FROM \"t_{table}\" v JOIN reading r ON r.id = v.row_id ORDER BY v.ts"
    );
    let Ok(mut statement) = conn.prepare(&sql) else { return Vec::new() };
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).unwrap();
    rows.map(Result::unwrap).collect()
}
