//! `init` on what a text table states of its time zone: in the name of the time column, in a column of its own, and by Unix seconds
//! beside the stamps. The instants are the true ones, or a CHECK says what to look at.

use crate::init_text_tables::{Drafted, half_hour};

/// The first instant that is sent, in Unix seconds.
fn first_instant(drafted: &Drafted) -> i64 {
    let sent = drafted.station.run(&["sync", "--dry-run", "--print"]).stdout;
    let nanos =
        sent.lines().filter(|line| line.contains("station=")).filter_map(|line| line.rsplit(' ').next()?.parse().ok());
    nanos.min().map_or(0, |nanos: i64| nanos / 1_000_000_000)
}

fn table(names: &str, row: &dyn Fn(u32) -> String) -> String {
    (0..60).fold(format!("{names},T\n"), |text, place| text + &format!("{},{place}.5\n", row(place)))
}

/// Midnight of 20 November 2025 in UTC.
const MIDNIGHT: i64 = 1_763_596_800;

#[test]
fn the_name_of_the_time_column_states_utc_or_an_offset_in_any_spelling() {
    for (name, offset) in [
        ("Time (UTC)", "+00:00"),
        ("DateTimeUTC", "+00:00"),
        ("timestamp_utc", "+00:00"),
        ("TIME [UTC]", "+00:00"),
        ("Date (Z)", "+00:00"),
        ("Date Time (GMT)", "+00:00"),
        ("Date Time GMT -04:00", "-04:00"),
        ("Time UTC \u{2212}4", "-04:00"),
        ("time utc-4", "-04:00"),
        ("time (gmt+1)", "+01:00"),
        ("TIMESTAMP_MST", "-07:00"),
    ] {
        let drafted = Drafted::of("met.csv", &table(name, &|row| half_hour(row, "%Y-%m-%d %H:%M:%S")));
        drafted.has(&[
            &format!("utc_offset = \"{offset}\"\nstale_after"),
            &format!("# CHECK: \"{name}\" states UTC{offset}"),
        ]);
        assert_eq!(drafted.counts(), [60, 0, 0], "{name}");
        let hours: i64 = offset[..3].parse().unwrap();
        assert_eq!(first_instant(&drafted), MIDNIGHT - hours * 3_600, "{name}");
    }
    // A date and a time of day in two columns, of which the second states it, and a word behind the stamps.
    let apart = table("Date,Time (UTC)", &|row| half_hour(row, "%Y-%m-%d,%H:%M:%S"));
    Drafted::of("met.csv", &apart).has(&["utc_offset = \"+00:00\""]);
    for word in ["utc", "(UTC)", "UT"] {
        let behind = table("Time", &|row| half_hour(row, &format!("%Y-%m-%d %H:%M:%S {word}")));
        let drafted = Drafted::of("met.csv", &behind);
        drafted.counts();
        assert_eq!(first_instant(&drafted), MIDNIGHT, "{word}");
    }
}

#[test]
fn a_name_with_standard_and_summer_time_or_a_zone_is_a_check_that_names_timezone() {
    for (name, zone) in [
        ("Date-Time (EST/EDT)", "America/New_York"),
        ("Date Time (MST/MDT)", "America/Denver"),
        ("Time (America/Chicago)", "America/Chicago"),
    ] {
        let drafted = Drafted::of("met.csv", &table(name, &|row| half_hour(row, "%Y-%m-%d %H:%M:%S")));
        drafted.has(&[&format!("# CHECK: \"{name}\" states a time zone")]);
        assert!(drafted.config.contains(&format!("timezone = \"{zone}\" for this table")), "{}", drafted.config);
    }
}

#[test]
fn a_column_of_time_zones_states_the_offset_of_the_stamps() {
    let of = |name: &str, word: &dyn Fn(u32) -> &'static str| {
        let row = |row: u32| format!("{},{}", half_hour(row, "%Y-%m-%d %H:%M"), word(row));
        Drafted::of("met.csv", &table(&format!("datetime,{name}"), &row))
    };
    of("tz_cd", &|_| "CST").has(&["utc_offset = \"-06:00\"", "# CHECK: \"tz_cd = CST\" states UTC-06:00"]);
    of("tz_cd", &|_| "EDT").has(&["#utc_offset = \"-04:00\"", "# CHECK: \"tz_cd = EDT\" states UTC-04:00"]);
    of("UTCOffset", &|_| "-7:00").has(&["utc_offset = \"-07:00\""]);
    of("tz_cd", &|_| "EST").lacks("CHECK: \"tz_cd");
    let both = of("tz_cd", &|row| if row < 30 { "EDT" } else { "EST" });
    both.has(&["# CHECK: the column tz_cd states \"EDT\" or \"EST\" for the offset of the stamps"]);
    of("zone", &|_| "America/Denver").has(&["# CHECK: \"zone = America/Denver\" states a time zone"]);
    // A flag that looks like a zone is none.
    of("quality", &|_| "CST").lacks("utc_offset = \"-06:00\"");
}

#[test]
fn unix_seconds_beside_the_stamps_state_their_offset() {
    let of = |shift: i64, unit: i64| {
        let row = |row: u32| {
            let seconds = MIDNIGHT + i64::from(row) * 1_800 - shift * 3_600;
            format!("{},{}", half_hour(row, "%Y-%m-%d,%H:%M:%S"), seconds * unit)
        };
        Drafted::of("li7810.csv", &table("DATE,TIME,SECONDS", &row))
    };
    for unit in [1, 1_000] {
        let drafted = of(1, unit);
        drafted
            .has(&["utc_offset = \"+01:00\"", "# CHECK: \"SECONDS (Unix seconds)\" states UTC+01:00 for the stamps"]);
        drafted.counts();
        assert_eq!(first_instant(&drafted), MIDNIGHT - 3_600);
    }
    // Seconds that a program counted by its local clock look like those beside stamps in UTC.
    of(0, 1).has(&["#utc_offset = \"+00:00\"", "# CHECK: \"SECONDS (Unix seconds)\" states UTC+00:00 for the stamps"]);
    of(-5, 1).lacks("Unix seconds");
}
