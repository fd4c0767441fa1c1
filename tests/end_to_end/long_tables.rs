//! Tables with one value a line: time, sensor, value (docs/file-formats.md#long-tables).

use crate::support::{Ended, Station, TABLE};

const FILE: &str = "long.csv";
const KEYS: &str = "format = \"csv\"\ntime_column = \"Time\"\n[table.csv]\nnames_line = 1\nsensor_column = \"Sensor\"\nvalue_column = \"Value\"";

fn station(more: &str) -> Station {
    let (own, sections) = KEYS.split_once("[table.csv]").unwrap();
    Station::new().table(&format!("name = \"{TABLE}\"\nfiles = [\"{FILE}\"]\n{own}{more}\n[table.csv]{sections}"))
}

fn line(minute: u32, sensor: &str, value: &str) -> String {
    format!("2024-05-01 00:{minute:02}:00,{sensor},{value}\n")
}

fn file(lines: &[(u32, &str, &str)]) -> String {
    "Time,Sensor,Value\n".to_owned()
        + &lines.iter().map(|(at, sensor, value)| line(*at, sensor, value)).collect::<String>()
}

/// Reads, and proves that each line is counted once.
fn ingest(tower: &Station, counts: [(&str, u64); 3]) -> Ended {
    let ended = tower.run_json(&["ingest"]);
    let report = ended.json()["tables"][0].clone();
    let kinds = ["header", "staged", "duplicates", "conflicts", "rejected", "held", "deferred", "blank"];
    let sum: u64 = kinds.map(|key| report[key].as_u64().unwrap()).iter().sum();
    assert_eq!(report["lines"], sum, "I1: {report}");
    for (key, count) in counts {
        assert_eq!(report[key], count, "{key}: {report}");
    }
    ended
}

fn rows(tower: &Station) -> Vec<String> {
    tower.rows(TABLE).iter().map(|row| format!("{} {}", row.time(), row.vals)).collect()
}

#[test]
fn i1_i3_lines_of_one_value_become_rows_in_any_order_and_late_values_extend_them() {
    let lines = [(0, "T", "5.50"), (0, "RH", "80"), (10, "T", "6"), (10, "RH", "81"), (10, "P", "99.5")];
    let tower = station("");
    tower.write(FILE, file(&lines));
    ingest(&tower, [("staged", 5), ("conflicts", 0), ("rejected", 0)]).expect(0);
    assert_eq!(rows(&tower), ["2024-05-01T05:00:00Z [5.50,80]", "2024-05-01T05:10:00Z [6,81,99.5]"]);
    tower.run(&["sync"]).works();
    // A late value of a known stamp: the row is sent again. An overwritten file in another order changes nothing else.
    let mut sorted = [&lines[..], &[(0, "P", "99.25")]].concat();
    sorted.sort_by_key(|(_, sensor, _)| *sensor);
    tower.write(FILE, file(&sorted));
    ingest(&tower, [("staged", 1), ("duplicates", 5), ("conflicts", 0)]).expect(0);
    assert_eq!(rows(&tower), ["2024-05-01T05:00:00Z [5.50,80,99.25]", "2024-05-01T05:10:00Z [6,81,99.5]"]);
    assert_eq!(tower.rows(TABLE)[0].state, "pending");
    assert_eq!(tower.count("SELECT pending FROM logger_table"), 1);
    assert_eq!(tower.count("SELECT rows FROM logger_table"), 2);
    let again = tower.run_json(&["ingest", tower.path(FILE).to_str().unwrap()]).expect(0).json();
    assert_eq!(again["tables"][0]["duplicates"], 6);
    let exported = tower.run(&["export", "--table", TABLE]).expect(0).stdout;
    assert!(exported.lines().next().unwrap().contains("RH"), "{exported}");
}

#[test]
fn i3_i11_a_second_value_of_a_sensor_is_a_conflict_of_that_value_alone() {
    for on_conflict in ["keep", "replace"] {
        let tower = station(&format!("on_conflict = \"{on_conflict}\""));
        tower.write(FILE, file(&[(0, "T", "5"), (0, "RH", "80"), (0, "T", "7")]));
        ingest(&tower, [("staged", 2), ("conflicts", 1), ("rejected", 0)]).expect(1);
        let kept = if on_conflict == "keep" { "5" } else { "7" };
        assert_eq!(rows(&tower), [format!("2024-05-01T05:00:00Z [{kept},80]")]);
        for _ in 0..2 {
            tower.run_json(&["ingest", tower.path(FILE).to_str().unwrap()]).works();
            assert_eq!(rows(&tower), [format!("2024-05-01T05:00:00Z [{kept},80]")]);
            assert_eq!(tower.count("SELECT count(*) FROM conflict"), 1);
        }
    }
    let tower = station("");
    tower.write(FILE, file(&[(0, "T", "5"), (0, "RH", "80"), (0, "T", "7")]));
    ingest(&tower, [("staged", 2), ("conflicts", 1), ("rejected", 0)]).expect(1);
    tower.run(&["conflicts", "--keep", "newer"]).works();
    assert_eq!(rows(&tower), ["2024-05-01T05:00:00Z [7,80]"]);
    tower.run(&["conflicts", "--keep", "older"]).works();
    assert_eq!(rows(&tower), ["2024-05-01T05:00:00Z [5,80]"]);
}

#[test]
fn i6_a_value_that_is_replaced_leaves_the_flags_of_the_other_sensors() {
    for on_conflict in ["keep", "replace"] {
        let tower = station(&format!("on_conflict = \"{on_conflict}\"")).with(|sections| {
            let ranges = "[table.columns.T]\nfail = [-40, 60]\n[table.columns.RH]\nfail = [0, 105]\n[table.csv]";
            sections.table = sections.table.replace("[table.csv]", ranges);
        });
        tower.write(FILE, file(&[(0, "T", "5"), (0, "RH", "80"), (0, "T", "77")]));
        ingest(&tower, [("staged", 2), ("conflicts", 1), ("rejected", 0)]).expect(1);
        if on_conflict == "keep" {
            assert_eq!(tower.rows(TABLE)[0].flags, "11");
            tower.run(&["conflicts", "--keep", "newer"]).works();
        }
        assert_eq!(rows(&tower), ["2024-05-01T05:00:00Z [77,80]"]);
        assert_eq!(tower.rows(TABLE)[0].flags, "41", "{on_conflict}");
    }
}

#[test]
fn missing_values_texts_tags_and_derived_columns_of_a_long_table() {
    let tower = station("").with(|sections| {
        sections.table = sections.table.replace(
            "[table.csv]",
            "[table.columns.Plot]\nuse = \"tag\"\n[table.columns.Sum]\nformula = \"T + RH\"\n[table.csv]",
        );
    });
    let text = "Time,Plot,Sensor,Unit,Value\n\
                2024-05-01 00:00:00,6a,T,degC,5\n\
                2024-05-01 00:00:00,6b,T,degC,6\n\
                2024-05-01 00:00:00,6a,RH,%,80\n\
                2024-05-01 00:00:00,6b,RH,%,NAN\n\
                2024-05-01 00:00:00,6b,Door,,open\n\
                2024-05-01 00:00:00,6b,,,1\n\
                2024-05-01 00:00:00,6b\n";
    tower.write(FILE, text);
    ingest(&tower, [("staged", 4), ("duplicates", 1), ("rejected", 2)]).expect(1);
    let names = tower.in_process().store.column_names(TABLE).unwrap();
    let value = |row: usize, name: &str| {
        let place = names.iter().position(|known| known == name).unwrap();
        tower.rows(TABLE)[row].values().get(place).cloned().unwrap_or_default().to_string()
    };
    assert_eq!((value(0, "T"), value(0, "RH"), value(0, "Sum")), ("5".to_owned(), "80".to_owned(), "85.0".to_owned()));
    assert_eq!(
        (value(1, "T"), value(1, "RH"), value(1, "Sum")),
        ("6".to_owned(), "null".to_owned(), "null".to_owned())
    );
    assert_eq!((value(1, "Door"), value(1, "Plot")), ("\"open\"".to_owned(), "\"6b\"".to_owned()));
    let said = tower.run(&["rejected"]).works().stdout;
    assert!(said.contains("names no sensor"), "{said}");
}

#[test]
fn init_recognises_a_table_with_one_value_a_line() {
    let tower = Station::new();
    let folder = tower.path("logger");
    std::fs::create_dir(&folder).unwrap();
    let mut text = "Date;Parameter;Unit;Value\n".to_owned();
    for minute in 0..20 {
        for (sensor, unit, value) in [("AirTemp", "degC", 5.5), ("RelHum", "%", 80.25), ("Wind", "m/s", 2.0)] {
            text += &format!("01.05.2024 10:{minute:02};{sensor};{unit};{}\n", value.to_string().replace('.', ","));
        }
    }
    std::fs::write(folder.join("long.csv"), &text).unwrap();
    let to = tower.path("drafted.toml");
    tower.run(&["init", "--output", to.to_str().unwrap(), folder.to_str().unwrap()]).expect(0);
    let drafted = std::fs::read_to_string(&to).unwrap();
    for found in ["sensor_column = \"Parameter\"", "value_column = \"Value\"", "One value a line"] {
        assert!(drafted.contains(found), "{found}: {drafted}");
    }
    let command = ["--config", to.to_str().unwrap(), "ingest", "--json"];
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_fluxtower")).args(command).output().unwrap();
    let report = Ended::of(&output).json();
    assert_eq!(report["tables"][0]["staged"], 60, "{report}");
}

#[test]
fn a_sensor_column_that_holds_no_sensors_does_not_fill_the_database_with_columns() {
    let tower = station("");
    let lines: String = (0..1_010).map(|number| line(number / 60, &format!("x{number}"), "1")).collect();
    tower.write(FILE, "Time,Sensor,Value\n".to_owned() + &lines);
    ingest(&tower, [("staged", 1_000), ("rejected", 10), ("conflicts", 0)]).expect(1);
}
