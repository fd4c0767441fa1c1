//! The tower at US-UMB: everything that its users see today is on the plan of `examples/us-umb/config.toml`.
//!
//! What the earlier dashboard shows stands in [`SHOWN`] in words of our own. The dashboard itself is read too where it is at
//! hand (`FLUXTOWER_DASHBOARD_SPEC`, in `.ci/run`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use fluxtower::config::{Config, DestinationConfig};
use fluxtower::store::KnownTable;
use fluxtower::view::panel::{Board, Panel, PanelKind, plan};
use serde_json::Value;

use super::{check_board, known, panel, panels, row_of};

/// Row and title on the plan, the unit, minutes of a mean, and the fields that the earlier dashboard asks for.
const SHOWN: [(&str, &str, &str, u64, &[&str]); 22] = [
    (
        "Temperature and humidity",
        "Air temperature by height",
        "°C",
        0,
        &["Temp_46m", "Temp_34m", "Temp_15m", "Temp_avg_3m"],
    ),
    ("Temperature and humidity", "Relative humidity by height", "%", 0, &["RH_46m", "RH_34m", "RH_15m", "RH_avg_3m"]),
    ("Temperature and humidity", "Sonic temperature by height", "°C", 0, &["Sonic_temp_46m", "Sonic_temp_34m"]),
    ("Wind", "Wind speed by height", "m/s", 10, &["U_wind_speed_46m", "U_wind_speed_34m", "Wind_speed_46m"]),
    ("Gases", "CO2 concentration by height", "ppm", 0, &CO2),
    ("Gases", "Average CO2 concentration by height", "ppm", 10, &CO2),
    ("Gases", "H2O concentration by height", "mmol/mol", 0, &H2O),
    ("Gases", "Average H2O concentration by height", "mmol/mol", 10, &H2O),
    ("IRGA 46 m", "CO2 against vertical wind speed, 46 m", "ppm", 1, &["CO2_46m", "Uz_46m"]),
    ("IRGA 46 m", "IRGA cell temperature, 46 m", "mV", 0, &["Cell_temp_46m"]),
    ("IRGA 46 m", "IRGA cell pressure, 46 m", "mV", 0, &["Cell_pressure_46m"]),
    ("IRGA 34 m", "CO2 against vertical wind speed, 34 m", "ppm", 1, &["CO2_34m", "Uz_34m"]),
    ("IRGA 34 m", "IRGA cell temperature, 34 m", "mV", 0, &["Cell_temp_34m"]),
    ("IRGA 34 m", "IRGA cell pressure, 34 m", "mV", 0, &["Cell_pressure_34m"]),
    (
        "Radiation",
        "Radiation",
        "W/m²",
        0,
        &[
            "Incident_solar_46m",
            "Reflected_solar_46m",
            "Net_radiation_46m",
            "Incident_far_red_46m",
            "Outgoing_far_red_46m",
        ],
    ),
    ("Radiation", "PPFD", "µmol/m²/s", 0, &["PPFD_46m", "Diffuse_PPFD_46m", "Total_PPFD_46m"]),
    ("Radiation", "Downward PAR, newest", "µmol/m²/s", 0, &["Downward_PAR_37m"]),
    (
        "Soil",
        "Soil temperature by depth",
        "°C",
        0,
        &["Soil_temp_2cm", "Soil_temp_7.5cm", "Soil_temp_20cm", "Soil_temp_50cm", "Soil_temp_1m"],
    ),
    (
        "Soil",
        "Soil moisture by depth",
        "%",
        0,
        &[
            "Soil_moisture_5cm",
            "Soil_moisture_15cm",
            "Soil_moisture_30cm",
            "Soil_moisture_0-30cm_1",
            "Soil_moisture_0-30cm_2",
            "Soil_moisture_0-30cm_3",
        ],
    ),
    ("Soil", "Soil temperature, station 1", "°C", 0, &STATION_1),
    ("Soil", "Soil temperature, station 2", "°C", 0, &STATION_2),
    ("Soil", "Soil temperature, station 3", "°C", 0, &STATION_3),
];
const CO2: [&str; 6] = ["CO2_46m", "CO2_34m", "CO2_22m", "CO2_7m", "CO2_3m", "CO2_0m"];
const H2O: [&str; 6] = ["H2O_46m", "H2O_34m", "H2O_22m", "H2O_7m", "H2O_3m", "H2O_0m"];
const STATION_1: [&str; 5] =
    ["Soil_temp_2cm_st1", "Soil_temp_7.5cm_st1", "Soil_temp_20cm_st1", "Soil_temp_50cm_st1", "Soil_temp_1m_st1"];
const STATION_2: [&str; 5] =
    ["Soil_temp_2cm_st2", "Soil_temp_7.5cm_st2", "Soil_temp_20cm_st2", "Soil_temp_50cm_st2", "Soil_temp_1m_st2"];
const STATION_3: [&str; 5] =
    ["Soil_temp_2cm_st3", "Soil_temp_7.5cm_st3", "Soil_temp_20cm_st3", "Soil_temp_50cm_st3", "Soil_temp_1m_st3"];

fn config() -> Config {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/us-umb/config.toml");
    Config::load(&path).unwrap_or_else(|error| panic!("{error}"))
}

/// As the files' headers would have it: what names no variable has its unit there only.
fn stored(config: &Config) -> Vec<KnownTable> {
    let unit = |column: &str| match column {
        "Cell_T" | "Cell_P" => "mV",
        "Uz" => "m/s",
        _ => "",
    };
    let tables = config.tables.iter().map(|table| {
        let columns = table.columns.iter().filter(|(_, column)| column.formula.is_none());
        let columns: Vec<(&str, &str)> = columns.map(|(name, _)| (name.as_str(), unit(name))).collect();
        known(&table.name.0, &columns, &[&[]])
    });
    tables.collect()
}

fn board() -> Board {
    let config = config();
    plan(&config, &stored(&config))
}

fn fields(panel: &Panel) -> BTreeSet<&str> {
    panel.series.iter().map(|series| series.field.as_str()).collect()
}

#[test]
fn the_example_is_a_station_of_61_measured_fields_five_means_and_two_buckets() {
    let config = config();
    let columns: Vec<_> = config.tables.iter().flat_map(|table| &table.columns).collect();
    assert_eq!(columns.iter().filter(|(_, column)| column.formula.is_none()).count(), 61);
    assert_eq!(columns.len(), 66);
    let DestinationConfig::Influx(influx) = &config.destination else { panic!("sends to a folder") };
    let buckets: BTreeMap<&str, &str> = config
        .tables
        .iter()
        .map(|table| (table.bucket.as_deref().unwrap_or(&influx.bucket), table.measurement.as_str()))
        .collect();
    assert_eq!(buckets, BTreeMap::from([("ameriflux_atmospheric", "fastdata"), ("ameriflux_soil", "slowdata")]));
}

#[test]
fn the_plan_shows_every_panel_and_every_query_of_the_earlier_dashboard() {
    let board = board();
    check_board(&board);
    for (row, title, unit, minutes, asked) in SHOWN {
        let shown = panel(&board, title);
        assert_eq!(row_of(&board, title), row, "{title}");
        assert_eq!(shown.axis.unit, unit, "{title}");
        assert_eq!(shown.mean, (minutes > 0).then(|| Duration::from_secs(60 * minutes)), "{title}");
        for field in asked {
            assert!(fields(shown).contains(field), "{title} lacks {field}");
        }
    }
    assert_eq!(SHOWN.iter().map(|(.., asked)| asked.len()).sum::<usize>(), 80);
}

#[test]
fn the_plan_shows_what_the_earlier_dashboard_does_not() {
    let board = board();
    let profiles = panels(&board).filter(|panel| panel.kind == PanelKind::Profile).count();
    assert_eq!(profiles, 6, "temperature, humidity, both gases, soil temperature and moisture");
    for title in ["PPFD of LI-190 and BF5, scatter", "Wind speed of sonic and cup, scatter"] {
        assert_eq!(panel(&board, title).kind, PanelKind::Scatter);
    }
    let scatter = panel(&board, "CO2 against vertical wind speed, 46 m");
    assert_eq!(scatter.right.as_ref().map(|axis| axis.unit.as_str()), Some("m/s"));
    assert_eq!(scatter.series[0].label, "Vertical wind speed");
}

#[test]
fn a_height_has_one_colour_on_every_panel_that_compares_heights() {
    let board = board();
    let mut colours: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let compares = |panel: &&Panel| {
        panel.title.contains(" by ") || panel.kind == PanelKind::Profile || panel.title.contains("station")
    };
    for series in panels(&board).filter(compares).flat_map(|panel| &panel.series) {
        let level = series.level.as_ref().unwrap();
        colours.entry(format!("{} {}", level.is_depth(), level.label)).or_default().insert(series.colour.hex);
    }
    assert!(colours.len() > 12 && colours.values().all(|colours| colours.len() == 1), "{colours:?}");
}

/// Words of the earlier dashboard's units, and ours. H2O was called ppt, which in moles is the same; PPFD had none.
const UNITS: [(&str, &str); 9] = [
    ("celsius", "°C"),
    ("humidity", "%"),
    ("velocityms", "m/s"),
    ("ppm", "ppm"),
    ("ppt", "mmol/mol"),
    ("mvolt", "mV"),
    ("Wm2", "W/m²"),
    ("none", "µmol/m²/s"),
    ("percent", "%"),
];

#[test]
#[ignore = "needs FLUXTOWER_DASHBOARD_SPEC, the earlier dashboard"]
fn the_earlier_dashboard_asks_for_nothing_that_the_plan_does_not_show() {
    let path = std::env::var("FLUXTOWER_DASHBOARD_SPEC").expect("FLUXTOWER_DASHBOARD_SPEC names dashboard_spec.json");
    let spec: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let config = config();
    let DestinationConfig::Influx(influx) = &config.destination else { panic!("sends to a folder") };
    let board = plan(&config, &stored(&config));
    let (mut seen, mut queries) = (0, 0);
    for theirs in spec["rows"].as_array().unwrap().iter().flat_map(|row| row["panels"].as_array().unwrap()) {
        let Some(targets) = theirs["targets"].as_array() else { continue };
        let title = theirs["title"].as_str().unwrap();
        let asked: BTreeSet<&str> = targets.iter().map(|target| target["field"].as_str().unwrap()).collect();
        let unit = theirs["unit"].as_str().and_then(|unit| UNITS.iter().find(|(known, _)| *known == unit));
        let mean = targets.iter().find_map(|target| target["aggregateWindow"].as_str());
        let mean = mean.map(|text| Duration::from_secs(60 * text.trim_end_matches('m').parse::<u64>().unwrap()));
        let ours = panels(&board).find(|panel| {
            asked.is_subset(&fields(panel))
                && unit.is_none_or(|(_, unit)| panel.axis.unit == *unit)
                && panel.mean == mean
                && (theirs["type"] != "stat" || panel.kind == PanelKind::Latest)
        });
        assert!(ours.is_some(), "{title}: {asked:?} {unit:?} {mean:?}");
        for target in targets {
            let field = target["field"].as_str().unwrap();
            let table = config.tables.iter().find(|table| {
                table.columns.iter().any(|(name, column)| column.field.as_deref().unwrap_or(name) == field)
            });
            let table = table.unwrap_or_else(|| panic!("no column is sent as {field}"));
            assert_eq!(target["bucket"], *table.bucket.as_ref().unwrap_or(&influx.bucket), "{field}");
            assert_eq!(target["measurement"], *table.measurement, "{field}");
        }
        seen += 1;
        queries += targets.len();
    }
    assert_eq!((seen, queries), (22, 80));
}
