//! The sun: the test of radiometers, `SW_IN_POT` in formulas, and what many days of light say.

use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use fluxtower::sun::{Position, elevation};
use fluxtower::time::Timestamp;
use serde_json::{Value, json};

use crate::support::{DAT, Logger, Station, TABLE};

const UMB: &str = "utc_offset = \"-05:00\"\nlatitude = 45.5598\nlongitude = -84.7138";
const POSITION: Position = Position { latitude: 45.5598, longitude: -84.7138 };

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Rows of the columns, by UTC, as a logger five hours west of it writes them.
fn file(columns: &[&str], rows: &[(DateTime<Utc>, Vec<f64>)]) -> String {
    let mut text = columns.iter().fold(Logger::par().columns(&[]), |logger, name| logger.column(name)).header();
    for (record, (end, values)) in rows.iter().enumerate() {
        let local = (*end - TimeDelta::hours(5)).format("%Y-%m-%d %H:%M:%S");
        let values: String = values.iter().map(|value| format!(",{value}")).collect();
        writeln!(text, "\"{local}\",{record}{values}\r").unwrap();
    }
    text
}

fn tower(columns: &str) -> Station {
    Station::new().clock(UMB).table_keys(columns)
}

/// A clear sky over US-UMB (Haurwitz), at the middle of the half hour before `end`.
fn clear_sky(end: DateTime<Utc>) -> f64 {
    let sine = elevation(POSITION, Timestamp::from_utc(end - TimeDelta::minutes(15))).to_radians().sin();
    if sine > 0.0 { (10_980.0 * sine * (-0.059 / sine).exp()).round() / 10.0 } else { -2.1 }
}

/// So many days of half hours from noon UTC, `light` of the day's number and the end of the half hour.
fn days(days: i64, light: impl Fn(i64, DateTime<Utc>) -> f64) -> Vec<(DateTime<Utc>, Vec<f64>)> {
    let first = utc("2025-05-01T12:00:00Z");
    let row = |row: i64| {
        let end = first + TimeDelta::minutes(30 * row);
        (end, vec![light(row / 48, end)])
    };
    (0..48 * days).map(row).collect()
}

const RADIOMETER: &str = "[table.columns.SR01Up_Avg]\nvariable = \"SW_IN\"\nsun = {}";

fn findings(tower: &Station) -> Vec<Value> {
    let status = tower.run_json(&["status"]).json();
    let kinds = ["sun_late", "dark_by_day", "light_at_night"];
    let all = status["findings"].as_array().unwrap().clone();
    all.into_iter().filter(|finding| kinds.contains(&finding["kind"].as_str().unwrap())).collect()
}

fn message(finding: &Value) -> String {
    format!("{} {}", finding["kind"].as_str().unwrap(), finding["message"].as_str().unwrap())
}

#[test]
fn light_at_night_and_more_than_the_sun_can_give_is_flagged_in_watts_and_in_photons() {
    // 21 June, an hour late, as in the worked case of AmeriFlux's alignment: potential 361, 141, 37 and 0 W m-2.
    let rows: Vec<(DateTime<Utc>, Vec<f64>)> = [
        ("2025-06-21T23:30:00Z", 500.0),
        ("2025-06-22T00:00:00Z", 421.1),
        ("2025-06-22T00:30:00Z", 240.0),
        ("2025-06-22T01:00:00Z", 240.7),
        ("2025-06-22T01:30:00Z", 151.5),
        ("2025-06-22T02:00:00Z", 67.7),
        ("2025-06-22T02:30:00Z", 12.0),
        ("2025-06-22T03:00:00Z", 9.9),
        ("2025-06-22T03:30:00Z", -4.0),
    ]
    .into_iter()
    .map(|(end, watts)| (utc(end), vec![watts, 2.0 * watts, watts]))
    .collect();
    let limits = "fail = [-1000, 5000]\nsun = {}\n";
    let tower = tower(&format!(
        "[table.columns.SW]\nvariable = \"SW_IN\"\n{limits}[table.columns.PAR]\nvariable = \"PPFD_IN\"\n{limits}\
         [table.columns.plain]\nfail = [-1000, 5000]"
    ));
    tower.write(DAT, file(&["SW", "PAR", "plain"], &rows));
    let _ = tower.run(&["ingest"]).expect(0);
    let flags: Vec<String> = tower.rows(TABLE).into_iter().map(|row| row.flags).collect();
    let of = |place: usize| flags.iter().filter_map(|flags| flags.chars().nth(place)).collect::<String>();
    assert_eq!((of(0).as_str(), of(1).as_str()), ("131444311", "131444311"));
    assert!(flags.iter().all(|flags| flags.ends_with('1')), "{flags:?}");
    let listed = tower.run_json(&["flags", "--since", "2025-01-01", "--test", "sun", "--column", "PAR"]).json();
    let details: Vec<&str> =
        listed["findings"].as_array().unwrap().iter().map(|finding| finding["detail"].as_str().unwrap()).collect();
    assert!(details.contains(&"135.4 umol m-2 s-1, which is 67.7 W m-2, at night, more than 50"), "{details:?}");
}

#[test]
fn light_in_kilowatts_is_judged_as_such_and_a_unit_that_cannot_be_is_not_evaluated() {
    let rows = [
        (utc("2025-06-22T01:30:00Z"), vec![0.04, 40.0]),
        (utc("2025-06-22T02:00:00Z"), vec![0.0677, 67.7]),
        (utc("2025-06-22T02:30:00Z"), vec![0.012, 12.0]),
        (utc("2025-06-22T03:00:00Z"), vec![0.0099, 9.9]),
    ];
    let text =
        file(&["SlrkW_Avg", "raw"], &rows).replacen("\"TS\",\"RN\",\"\",\"\"", "\"TS\",\"RN\",\"kW/m^2\",\"mV\"", 1);
    assert!(text.contains("kW/m^2"), "{text}");
    let of = |name: &str| format!("[table.columns.{name}]\nvariable = \"SW_IN\"\nsun = {{}}\n");
    let tower = tower(&[of("SlrkW_Avg"), of("raw")].concat());
    tower.write(DAT, text);
    let _ = tower.run(&["ingest"]).expect(0);
    let flags: Vec<String> = tower.rows(TABLE).into_iter().map(|row| row.flags).collect();
    assert_eq!(flags, ["12", "42", "32", "12"]);
    let listed = tower.run_json(&["flags", "--since", "2025-01-01", "--test", "sun"]).json();
    let detail = listed["findings"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("in the header's unit, which is ") && detail.contains(" W m-2, at night"), "{listed}");
}

#[test]
fn a_dead_sensor_in_kilowatts_is_found_and_a_healthy_one_is_not() {
    for (light, found) in [(0.0, 1), (1.0, 0)] {
        let tower = tower(RADIOMETER);
        let text = file(&["SR01Up_Avg"], &days(12, |_, end| light * clear_sky(end) / 1_000.0));
        tower.write(DAT, text.replacen("\"TS\",\"RN\",\"\"", "\"TS\",\"RN\",\"kW/m^2\"", 1));
        let _ = tower.run(&["ingest"]).expect(0);
        let said = findings(&tower);
        assert_eq!(said.len(), found, "{said:?}");
    }
}

#[test]
fn a_sensor_below_the_canopy_is_not_called_dark() {
    let below = ["variable = \"PPFD_IN_1_2_1\"", "variable = \"PPFD_IN\"\nheight = \"2m\""];
    let above = ["variable = \"PPFD_IN_1_1_1\"", "variable = \"PPFD_IN\"\nheight = \"46m\""];
    let of = |name: &str, keys: &str| format!("[table.columns.{name}]\n{keys}\nsun = {{}}\n");
    let rows: Vec<_> = days(12, |_, end| clear_sky(end).max(0.0) * 2.0)
        .into_iter()
        .map(|(end, light)| (end, vec![light[0], light[0] * 0.003]))
        .collect();
    for (above, below) in above.iter().zip(below) {
        let tower = tower(&[of("Top", above), of("Floor", below)].concat());
        tower.write(DAT, file(&["Top", "Floor"], &rows));
        let _ = tower.run(&["ingest"]).expect(0);
        assert!(findings(&tower).is_empty(), "{below}: {:?}", findings(&tower));
        tower.replace_in_config(&of("Top", above), "");
        assert_eq!(findings(&tower).len(), 1, "{below}: alone it is the top-most");
    }
}

#[test]
fn without_a_position_the_test_is_not_evaluated_and_check_says_so_until_it_is_known() {
    let mut tower = Station::new().table_keys(
        "[table.columns.SR01Up_Avg]\nvariable = \"SW_IN\"\nsun = {}\nsuspect = [-inf, inf]\nfail = [-inf, inf]",
    );
    tower.write(
        DAT,
        file(
            &["SR01Up_Avg"],
            &[(utc("2025-06-22T03:00:00Z"), vec![300.0]), (utc("2025-06-22T03:30:00Z"), vec![300.0])],
        ),
    );
    let _ = tower.run(&["ingest"]).expect(0);
    let flags = |tower: &Station| tower.rows(TABLE).into_iter().map(|row| row.flags).collect::<Vec<_>>();
    let unknown = flags(&tower);
    let told = tower.run(&["check"]);
    assert!(told.stdout.contains("column SR01Up_Avg asks where the sun stands, which is not known"), "{}", told.stdout);
    tower.configure(|sections| sections.clock = UMB.to_owned());
    let _ = tower.run(&["reflag", "--since", "2025-01-01"]).expect(0);
    let known = flags(&tower);
    assert_eq!((unknown[1].as_str(), known[1].as_str()), ("1", "4"), "{unknown:?} {known:?}");
    assert_eq!(known[0], "1", "nothing is known of the time over which the first row is a mean");
    assert!(!tower.run(&["check"]).stdout.contains("where the sun stands"));
}

#[test]
fn a_formula_reads_potential_radiation_with_the_digits_of_onefluxs_program() {
    let columns = "[table.columns.SW_IN_POT]\nformula = \"SW_IN_POT\"\ninterval = \"30m\"\nunit = \"W m-2\"\n\
                   [table.columns.clearness]\nformula = \"SW / SW_IN_POT\"\ninterval = \"30m\"\n\
                   [table.columns.height_of_the_sun]\nformula = \"SUN_ELEVATION\"\n";
    let mut tower = tower(columns);
    tower.write(
        DAT,
        file(&["SW"], &[(utc("2024-06-21T17:30:00Z"), vec![613.655]), (utc("2024-06-22T05:30:00Z"), vec![-2.0])]),
    );
    let _ = tower.run(&["ingest"]).expect(0);
    let values = |tower: &Station| tower.rows(TABLE).iter().map(|row| row.values()).collect::<Vec<_>>();
    let first = values(&tower);
    let names = tower
        .database()
        .prepare("SELECT name FROM column_list ORDER BY position")
        .unwrap()
        .query_map([], |row| row.get::<_, String>(0))
        .unwrap()
        .map(Result::unwrap)
        .collect::<Vec<_>>();
    let at = |row: usize, name: &str| first[row][names.iter().position(|known| known == name).unwrap()].clone();
    assert!((at(0, "SW_IN_POT").as_f64().unwrap() - 1_227.31).abs() < 0.005, "{first:?}");
    assert!((at(0, "clearness").as_f64().unwrap() - 0.5).abs() < 1e-5, "{first:?}");
    assert!((at(0, "height_of_the_sun").as_f64().unwrap() - 67.6).abs() < 0.5, "{first:?}");
    assert_eq!((at(1, "SW_IN_POT"), at(1, "clearness")), (json!(0.0), Value::Null), "{first:?}");
    // Another position: reflag computes it again; a second reading of the file is no new content.
    tower.configure(|sections| sections.clock = sections.clock.replace("45.5598", "-45.5598"));
    let _ = tower.run(&["reflag", "--since", "2024-01-01"]).expect(0);
    let south = values(&tower);
    assert!(south[0] != first[0] && south[0][0] == first[0][0], "{south:?}");
    assert_eq!(
        tower.run_json(&["ingest"]).expect(0).json()["tables"][0]["counts"]["conflicts"].as_u64().unwrap_or(0),
        0
    );
    tower.configure(|sections| sections.clock = "utc_offset = \"-05:00\"".to_owned());
    let _ = tower.run(&["reflag", "--since", "2024-01-01"]).expect(0);
    assert!(values(&tower)[0][1..].iter().all(Value::is_null), "no position, no value: {:?}", values(&tower));
}

#[test]
fn a_clock_put_to_summer_time_is_found_with_minutes_and_since_when_and_clears() {
    let late =
        |from: i64| days(36, move |day, end| clear_sky(if day >= from { end - TimeDelta::hours(1) } else { end }));
    let tower = tower(RADIOMETER);
    tower.write(DAT, file(&["SR01Up_Avg"], &late(99)));
    let _ = tower.run(&["ingest"]).expect(0);
    assert_eq!(findings(&tower), [] as [Value; 0], "a healthy station");
    for (from, since) in [(20, "since 2025-05-21,"), (0, "since 2025-05-02 or longer,")] {
        let tower = self::tower(RADIOMETER);
        tower.write(DAT, file(&["SR01Up_Avg"], &late(from)));
        let _ = tower.run(&["ingest"]).expect(0);
        let [found] = <[Value; 1]>::try_from(findings(&tower)).unwrap_or_else(|found| panic!("{found:?}"));
        let said = message(&found);
        assert!(said.starts_with("sun_late light comes 60 min late in table") && said.contains(since), "{said}");
        assert!(said.contains("by SR01Up_Avg; AmeriFlux's alignment test: 60 min"), "{said}");
        assert!(found["fix"].as_str().unwrap().starts_with("clock or utc_offset"), "{found}");
        // The offset that the logger has now, for a table of a new name.
        tower.replace_in_config("utc_offset = \"-05:00\"", "utc_offset = \"-04:00\"");
        tower.replace_in_config(&format!("name = \"{TABLE}\""), "name = \"again\"");
        let _ = tower.run(&["ingest"]).expect(0);
        let left: Vec<String> = findings(&tower).iter().map(message).filter(|said| said.contains("again")).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn a_dead_sensor_is_found_since_its_first_day_however_long_ago_and_a_flag_by_hand_ends_it() {
    let tower = tower(RADIOMETER);
    tower.write(DAT, file(&["SR01Up_Avg"], &days(75, |day, end| if day >= 10 { -1.5 } else { clear_sky(end) })));
    let _ = tower.run(&["ingest"]).expect(0);
    let [found] = <[Value; 1]>::try_from(findings(&tower)).unwrap_or_else(|found| panic!("{found:?}"));
    let said = message(&found);
    assert!(said.starts_with("dark_by_day column SR01Up_Avg of table") && said.contains("since 2025-05-11:"), "{said}");
    let reason = ["--reason", "cable"];
    let span = ["--from", "2025-05-11", "--to", "2025-08-01"];
    let flag = [&["flag", "--table", TABLE, "--column", "SR01Up_Avg", "--as", "4"][..], &span, &reason].concat();
    let ended = tower.run(&flag);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert!(findings(&tower).is_empty(), "{:?}", findings(&tower));
}

#[test]
fn light_at_night_is_found_with_its_level_in_a_table_of_minutes_too() {
    let minutes: Vec<(DateTime<Utc>, Vec<f64>)> = (0..6 * 1_440)
        .map(|minute| {
            let end = utc("2025-05-01T12:00:00Z") + TimeDelta::minutes(minute);
            (end, vec![clear_sky(end + TimeDelta::minutes(14)) + 62.1])
        })
        .collect();
    let tower = tower(RADIOMETER);
    tower.write(DAT, file(&["SR01Up_Avg"], &minutes));
    let _ = tower.run(&["ingest"]).expect(0);
    let [found] = <[Value; 1]>::try_from(findings(&tower)).unwrap_or_else(|found| panic!("{found:?}"));
    let said = message(&found);
    assert!(said.contains("light_at_night") && said.contains("since 2025-05-01 or longer: 60 W m-2"), "{said}");
}

#[test]
fn without_the_test_or_the_position_nothing_is_said_of_the_sun() {
    for (clock, columns) in
        [(UMB, "[table.columns.SR01Up_Avg]\nvariable = \"SW_IN\""), ("utc_offset = \"-05:00\"", RADIOMETER)]
    {
        let tower = Station::new().clock(clock).table_keys(columns);
        tower.write(DAT, file(&["SR01Up_Avg"], &days(12, |_, _| 0.0)));
        let _ = tower.run(&["ingest"]).expect(0);
        assert!(findings(&tower).is_empty(), "{clock}");
    }
}

#[test]
fn the_rows_that_are_looked_at_are_found_by_their_key() {
    let tower = tower(RADIOMETER);
    tower.write(DAT, file(&["SR01Up_Avg"], &days(1, |_, end| clear_sky(end))));
    let _ = tower.run(&["ingest"]).expect(0);
    let conn = tower.database();
    let sql = "EXPLAIN QUERY PLAN SELECT id, nanos, vals, flags, raised FROM reading WHERE id BETWEEN 1 AND 9 ORDER BY id LIMIT 1";
    let plan: Vec<String> =
        conn.prepare(sql).unwrap().query_map([], |row| row.get(3)).unwrap().map(Result::unwrap).collect();
    assert_eq!(plan, ["SEARCH reading USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"]);
}

#[test]
fn init_drafts_the_test_where_the_position_is_known() {
    let rows = days(3, |_, end| clear_sky(end));
    let text = file(&["SWin_Avg"], &rows).replace("\"TS\",\"RN\",\"\"", "\"TS\",\"RN\",\"W/m2\"");
    for (position, drafted) in
        [(&[][..], "\n#sun = {}"), (&["--latitude", "45.5598", "--longitude", "-84.7138"][..], "\nsun = {}")]
    {
        let tower = Station::new();
        tower.write("met.dat", &text);
        let output = tower.path("drafted.toml");
        let met = tower.path("met.dat");
        let mut arguments =
            vec!["init", met.to_str().unwrap(), "--utc-offset", "-05:00", "--output", output.to_str().unwrap()];
        arguments.extend(position);
        let ended = tower.run(&arguments);
        assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
        let config = std::fs::read_to_string(output).unwrap();
        assert!(config.contains("\nvariable = \"SW_IN\"") && config.contains(drafted), "{config}");
        assert_eq!(config.contains("\nlatitude = 45.5598\nlongitude = -84.7138\n"), !position.is_empty(), "{config}");
        assert_eq!(config.contains("\n#latitude = "), position.is_empty(), "{config}");
    }
    let tower = Station::new();
    let ended = tower.run(&["init", "x.dat", "--latitude", "95", "--longitude", "0"]);
    assert!(ended.code == 2 && ended.stderr.contains("from -90 to 90"), "{}", ended.stderr);
}
