//! The JSON is whole: ids, places, letters, colours.

use std::collections::BTreeSet;

use serde_json::Value;

use super::made::{Made, queries};
use crate::support::grafana::panels;

const LANGUAGES: [&str; 3] = ["flux", "influxql", "sql"];
const KNOWN: [&str; 7] = ["timeseries", "state-timeline", "xychart", "stat", "bargauge", "table", "text"];

fn everything() -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for (name, made) in [("example", Made::example()), ("hostile", Made::hostile()), ("shipped", Made::shipped())] {
        for language in LANGUAGES {
            all.push((format!("{name} in {language}"), made.dashboard(&["--language", language])));
            all.push((
                format!("{name}, network in {language}"),
                made.dashboard(&["--language", language, "--network"]),
            ));
        }
    }
    all
}

#[test]
fn every_panel_has_an_id_and_a_place_of_its_own_and_every_query_a_letter() {
    for (name, dashboard) in everything() {
        let mut ids = BTreeSet::new();
        let mut taken = BTreeSet::new();
        let rows = dashboard["panels"].as_array().unwrap().iter().filter(|panel| panel["type"] == "row").cloned();
        for panel in panels(&dashboard).iter().cloned().chain(rows) {
            assert!(ids.insert(panel["id"].as_u64().unwrap()), "{name}: {}", panel["id"]);
            let at = |key: &str| panel["gridPos"][key].as_u64().unwrap();
            assert!(at("w") > 0 && at("h") > 0 && at("x") + at("w") <= 24, "{name}: {}", panel["gridPos"]);
            for x in at("x")..at("x") + at("w") {
                for y in at("y")..at("y") + at("h") {
                    assert!(taken.insert((x, y)), "{name}: {} stands over another", panel["title"]);
                }
            }
            let kind = panel["type"].as_str().unwrap();
            assert!(kind == "row" || KNOWN.contains(&kind), "{name}: {kind}");
            let mut letters = BTreeSet::new();
            for target in panel["targets"].as_array().unwrap_or(&Vec::new()) {
                assert!(letters.insert(target["refId"].as_str().unwrap().to_owned()), "{name}: {target}");
                assert_eq!(target["datasource"]["type"], "influxdb");
            }
            assert!(queries(&panel).iter().all(|text| text.len() > 20));
            assert_eq!(letters.is_empty(), matches!(kind, "text" | "row"), "{name}: {}", panel["title"]);
        }
    }
}

#[test]
fn only_the_first_row_is_open_and_a_folded_one_holds_its_panels() {
    for (name, dashboard) in everything() {
        let rows: Vec<Value> =
            dashboard["panels"].as_array().unwrap().iter().filter(|panel| panel["type"] == "row").cloned().collect();
        for (place, row) in rows.iter().enumerate() {
            assert_eq!(row["collapsed"], place > 0, "{name}: {}", row["title"]);
            assert_eq!(row["panels"].as_array().unwrap().is_empty(), place == 0, "{name}: {}", row["title"]);
        }
    }
}

#[test]
fn every_line_has_its_colour_and_dash_and_its_band_reaches_from_least_to_greatest() {
    let dashboard = Made::example().dashboard(&["--language", "influxql"]);
    let mut lines = 0;
    for panel in panels(&dashboard).iter().filter(|panel| panel["type"] == "timeseries") {
        let names: BTreeSet<String> = queries(panel)
            .iter()
            .flat_map(|text| {
                text.split(" AS \"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect::<Vec<_>>()
            })
            .collect();
        let overrides = panel["fieldConfig"]["overrides"].as_array().unwrap();
        if overrides.is_empty() {
            assert_eq!(panel["title"], "Backlog and its drain");
            continue;
        }
        let of = |name: &str, id: &str| {
            let found = overrides.iter().find(|over| over["matcher"]["options"] == name);
            let found = found.unwrap_or_else(|| panic!("{}: nothing is set for {name}", panel["title"]));
            let property = found["properties"].as_array().unwrap().iter().find(|property| property["id"] == id);
            property.map(|property| property["value"].clone())
        };
        for name in &names {
            let colour = of(name, "color").unwrap();
            assert!(colour["fixedColor"].as_str().unwrap().starts_with('#'), "{name}");
            if let Some(line) = name.strip_suffix(" · greatest") {
                assert_eq!(of(name, "custom.fillBelowTo").unwrap(), format!("{line} · least"));
                assert_eq!(of(line, "color").unwrap(), colour);
                assert!(of(line, "custom.lineStyle").is_some());
                lines += 1;
            }
        }
        let set: BTreeSet<String> =
            overrides.iter().map(|over| over["matcher"]["options"].as_str().unwrap().to_owned()).collect();
        assert_eq!(set, names, "{}", panel["title"]);
        assert_eq!(set.len(), overrides.len(), "{}", panel["title"]);
    }
    assert!(lines > 50, "only {lines}");
}

#[test]
fn a_height_has_one_colour_on_every_panel() {
    let dashboard = Made::example().dashboard(&["--language", "influxql"]);
    let mut colours: BTreeSet<String> = BTreeSet::new();
    for title in ["Air temperature by height", "Relative humidity by height", "CO2 concentration by height"] {
        let panel = panels(&dashboard).into_iter().find(|panel| panel["title"] == title).unwrap();
        let overrides = panel["fieldConfig"]["overrides"].as_array().unwrap().clone();
        let at_46 = overrides.iter().find(|over| over["matcher"]["options"] == "46 m").unwrap();
        colours.insert(at_46["properties"][0]["value"]["fixedColor"].as_str().unwrap().to_owned());
    }
    assert_eq!(colours.len(), 1, "{colours:?}");
}

#[test]
fn the_uid_stays_and_says_which_station_it_is() {
    let uid = |name: &str| {
        let config = format!(
            "[station]\nname = {name:?}\nutc_offset = \"-05:00\"\n[destination]\nkind = \"files\"\n[[table]]\nname = \"t\"\nfiles = [\"t.dat\"]\n"
        );
        Made::of(&config).dashboard(&[])["uid"].as_str().unwrap().to_owned()
    };
    assert_eq!(uid("US-UMB"), "fluxtower-US-UMB");
    assert_eq!(uid("Am Fluß"), uid("Am Fluß"));
    let odd = [
        "Am Fluß",
        "Am Flu/",
        "a name that is much longer than what a uid of Grafana may hold",
        "network",
        "x y",
        "x_y",
        "x-y",
    ];
    let uids: BTreeSet<String> = odd.iter().map(|name| uid(name)).collect();
    assert_eq!(uids.len(), odd.len());
    for uid in uids {
        assert!(
            uid.len() <= 40 && uid.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter)),
            "{uid}"
        );
        assert_ne!(uid, "fluxtower-network");
    }
}

#[test]
fn the_clock_is_the_stations_and_is_said() {
    let of = |clock: &str| {
        let config = format!(
            "[station]\nname = \"X\"\n{clock}\n[destination]\nkind = \"files\"\n[[table]]\nname = \"t\"\nfiles = [\"t.dat\"]\n"
        );
        let dashboard = Made::of(&config).dashboard(&[]);
        (dashboard["timezone"].as_str().unwrap().to_owned(), dashboard.to_string())
    };
    for (clock, zone, said) in [
        ("utc_offset = \"-05:00\"", "Etc/GMT+5", "Etc/GMT+5 in Grafana"),
        ("utc_offset = \"+10:00\"", "Etc/GMT-10", "Etc/GMT-10 in Grafana"),
        ("utc_offset = \"+00:00\"", "utc", "Times are UTC, like the station's clock"),
        ("utc_offset = \"+05:30\"", "Asia/Kolkata", "Asia/Kolkata in Grafana"),
        ("utc_offset = \"+09:30\"", "Australia/Darwin", "Australia/Darwin in Grafana"),
        ("utc_offset = \"-03:30\"", "utc", "Grafana has no zone for the station's clock, -03:30"),
        ("timezone = \"America/Detroit\"", "America/Detroit", "America/Detroit"),
    ] {
        let (timezone, text) = of(clock);
        assert_eq!(timezone, zone);
        assert!(text.contains(said), "{clock}");
    }
}

#[test]
fn limits_are_drawn_on_the_axis_that_they_belong_to_only() {
    let dashboard = Made::example().dashboard(&[]);
    let mut failed = 0;
    for panel in panels(&dashboard).iter().filter(|panel| panel["type"] == "timeseries") {
        for over in panel["fieldConfig"]["overrides"].as_array().unwrap() {
            let properties = over["properties"].as_array().unwrap();
            let of =
                |id: &str| properties.iter().find(|property| property["id"] == id).map(|property| &property["value"]);
            if of("custom.axisPlacement").is_some() {
                assert_eq!(of("custom.thresholdsStyle").unwrap()["mode"], "off", "{}: {over}", panel["title"]);
                failed += 1;
            }
        }
    }
    assert!(failed > 20, "{failed}");
}

#[test]
fn a_unit_is_never_one_that_grafana_scales() {
    let made = Made::of(
        "[station]\nname = \"X\"\nutc_offset = \"+00:00\"\n[destination]\nkind = \"files\"\n[[table]]\nname = \"met\"\n\
         files = [\"met.dat\"]\n[table.columns.Rain]\nvariable = \"P\"\n[table.columns.Cell]\nformula = \"Rain * 2\"\nunit = \"mV\"\n",
    );
    let text = made.dashboard(&[]).to_string();
    assert!(text.contains("\"unit\":\"suffix:mm\"") && text.contains("\"unit\":\"suffix:mV\""), "{text}");
}

#[test]
fn ways_lead_from_the_first_row_to_each_ribbon_and_from_there_to_the_lines() {
    let dashboard = Made::shipped().dashboard(&[]);
    let panels = panels(&dashboard);
    let of = |kind: &str| panels.iter().filter(|panel| panel["type"] == kind).collect::<Vec<_>>();
    let targets = |panel: &Value| -> Vec<String> {
        let links = panel["links"].as_array().unwrap();
        links.iter().map(|link| link["url"].as_str().unwrap().rsplit('=').next().unwrap().to_owned()).collect()
    };
    let ids = |panels: &[&Value]| panels.iter().map(|panel| panel["id"].to_string()).collect::<Vec<_>>();
    let (overview, ribbons, lines) = (of("bargauge"), of("state-timeline"), of("timeseries"));
    assert_eq!(targets(overview[0]), ids(&ribbons));
    let all: Vec<String> = ribbons.iter().flat_map(|ribbon| targets(ribbon)).collect();
    assert!(ribbons.len() >= 4 && all.len() > ribbons.len());
    assert!(all.iter().all(|id| ids(&lines).contains(id)), "{all:?}");
    assert!(overview[0]["links"][0]["url"].as_str().unwrap().starts_with("/d/fluxtower-US-UMB?viewPanel="));
}

#[test]
fn a_slow_tables_line_crosses_the_empty_windows_between_its_rows_and_no_missing_row() {
    let dashboard = Made::shipped().dashboard(&["--language", "influxql"]);
    let panels = panels(&dashboard);
    let soil = panels
        .iter()
        .filter(|panel| panel["type"] == "timeseries")
        .find(|panel| queries(panel).iter().any(|text| text.contains("mean(") && text.contains("Soil")))
        .unwrap();
    let spans = soil["fieldConfig"]["overrides"].as_array().unwrap().iter();
    let spans: BTreeSet<String> = spans
        .flat_map(|over| over["properties"].as_array().unwrap().clone())
        .filter(|property| property["id"] == "custom.spanNulls")
        .map(|property| property["value"].to_string())
        .collect();
    // One and a half times half an hour: less than the distance that one missing row leaves.
    assert_eq!(spans, BTreeSet::from(["2700000".to_owned()]));
    assert_eq!(soil["interval"], "1800s");
}

#[test]
fn a_direction_is_averaged_by_vectors_rain_is_summed_in_bars_and_a_gust_stays_a_maximum() {
    let made = Made::of(
        "[station]\nname = \"X\"\nutc_offset = \"+00:00\"\n[destination]\nkind = \"files\"\n[[table]]\nname = \"met\"\n\
         files = [\"met.dat\"]\n[table.columns.Dir]\nkind = \"direction\"\n[table.columns.Rain]\nvariable = \"P\"\n\
         [table.columns.Gust]\nvariable = \"WS_MAX\"\n[table.columns.TA]\nvariable = \"TA\"\n",
    );
    for (language, direction, rain, gust, air) in [
        ("influxql", "atan2(mean(", "sum(\"Rain\")", "max(\"Gust\")", "mean(\"TA\")"),
        ("flux", "math.atan2(", "fn: sum", "fn: max", "fn: mean"),
        ("sql", "atan2(avg(sin(radians(\"Dir\"))", "sum(\"Rain\")", "max(\"Gust\")", "avg(\"TA\")"),
    ] {
        let dashboard = made.dashboard(&["--language", language]);
        let panels = panels(&dashboard);
        let all: Vec<String> = panels.iter().flat_map(queries).collect();
        for (field, expected) in [("Dir", direction), ("Rain", rain), ("Gust", gust), ("TA", air)] {
            let is_it = |text: &&String| text.contains(&format!("\"{field}\"")) && text.contains(expected);
            assert!(all.iter().any(|text| is_it(&text)), "{language}: {field} has no query with {expected}");
        }
        assert!(!dashboard.to_string().contains("mean(\\\"Dir\\\")"));
        let bars = panels.iter().any(|panel| panel.to_string().contains("\"bars\""));
        assert!(bars, "{language}: rain is drawn as bars");
    }
}

/// Direction, wind speed and temperature of a table, as the panels of a dashboard.
fn of_weather(panel: &str) -> Vec<Value> {
    let made = Made::of(&format!(
        "[station]\nname = \"X\"\nutc_offset = \"+00:00\"\n[destination]\nkind = \"files\"\n[[table]]\nname = \"met\"\n\
         files = [\"met.dat\"]\n[table.columns.Dir]\nvariable = \"WD\"\nfail = [0, 360]\n[table.columns.Speed]\nvariable = \"WS\"\n\
         [table.columns.TA]\nvariable = \"TA\"\n{panel}"
    ));
    panels(&made.dashboard(&[]))
}

/// The value of a property of the series of this name.
fn property(panel: &Value, name: &str, id: &str) -> Option<Value> {
    let overrides = panel["fieldConfig"]["overrides"].as_array().unwrap();
    let found = overrides.iter().find(|over| over["matcher"]["options"] == name);
    let found = found.unwrap_or_else(|| panic!("nothing is set for {name}: {panel}"));
    let properties = found["properties"].as_array().unwrap();
    properties.iter().find(|property| property["id"] == id).map(|property| property["value"].clone())
}

#[test]
fn a_failed_direction_is_drawn_because_its_hidden_axis_does_not_end_at_360() {
    let panels = of_weather("");
    let panel = panels.iter().find(|panel| panel["title"] == "Wind direction").unwrap();
    let name = panel["fieldConfig"]["overrides"][0]["matcher"]["options"].as_str().unwrap().to_owned();
    assert_eq!(panel["fieldConfig"]["defaults"].get("max"), None, "{panel}");
    for shown in [name.clone(), format!("{name} · suspect")] {
        let ends = ["min", "max"].map(|end| property(panel, &shown, end).unwrap().as_f64().unwrap());
        assert_eq!(ends, [0.0, 360.0], "{shown}");
    }
    assert_eq!(property(panel, &format!("{name} · fail"), "max"), None, "{panel}");
}

#[test]
fn the_ends_of_the_left_axis_are_not_those_of_the_right_one() {
    let panels = of_weather(
        "[[panel]]\ntitle = \"Both\"\ncolumns = [\"met/Dir\"]\nright = [\"met/Speed\"]\nlabels = [\"from\", \"speed\"]\n",
    );
    let both = panels.iter().find(|panel| panel["title"] == "Both").unwrap();
    assert_eq!(property(both, "from", "max").unwrap(), 360.0);
    assert_eq!(property(both, "speed", "max"), None);
    for name in ["from", "speed"] {
        assert_eq!(
            property(both, name, "custom.axisColorMode").unwrap(),
            "series",
            "each axis has the colour of its line"
        );
    }
    let one_axis = panels.iter().find(|panel| panel["title"] == "Air temperature").unwrap();
    assert!(!one_axis.to_string().contains("axisColorMode"), "{one_axis}");
}

#[test]
fn each_tile_of_the_newest_values_has_its_own_unit() {
    let panels = of_weather(
        "[[panel]]\ntitle = \"Now\"\nkind = \"latest\"\ncolumns = [\"met/Speed\", \"met/TA\"]\nlabels = [\"wind\", \"air\"]\n",
    );
    let now = panels.iter().find(|panel| panel["title"] == "Now").unwrap();
    assert_eq!(property(now, "wind", "unit").unwrap(), "velocityms");
    assert_eq!(property(now, "air", "unit").unwrap(), "celsius");
}

#[test]
fn bars_begin_at_zero_and_what_shares_their_axis_does_too() {
    let rain = "[table.columns.Rain]\nvariable = \"P\"\nfail = [0, 50]\n[[panel]]\ntitle = \"Both\"\ncolumns = [\"met/Rain\", \"met/Speed\"]\n\
        right = [\"met/TA\"]\nlabels = [\"rain\", \"wind\", \"air\"]\n";
    let panels = of_weather(rain);
    let both = panels.iter().find(|panel| panel["title"] == "Both").unwrap();
    for name in ["rain", "rain · suspect", "wind", "wind · least", "wind · greatest", "wind · suspect"] {
        assert_eq!(property(both, name, "custom.axisSoftMin").unwrap(), 0, "{name}");
    }
    for name in ["rain · fail", "wind · fail", "air", "air · least"] {
        assert_eq!(property(both, name, "custom.axisSoftMin"), None, "{name}");
    }
}

#[test]
fn no_limit_of_readings_is_drawn_beside_their_sums_or_increments() {
    let columns = "[table.columns.Rain]\nvariable = \"P\"\nsuspect = [0, 2]\n[table.columns.Count]\nkind = \"counter\"\nsuspect = [0, 9000]\n";
    let panels = of_weather(columns);
    let mut bars = 0;
    for panel in panels.iter().filter(|panel| panel.to_string().contains("\"bars\"")) {
        assert_eq!(panel["fieldConfig"]["defaults"]["custom"]["thresholdsStyle"]["mode"], "off", "{panel}");
        assert_eq!(panel["fieldConfig"]["defaults"].get("thresholds"), None, "{panel}");
        bars += 1;
    }
    assert_eq!(bars, 2);
}

#[test]
fn a_tile_without_a_number_is_grey_and_not_of_the_colour_of_a_table_in_time() {
    let panels = of_weather("");
    let ages = panels.iter().find(|panel| panel["title"] == "Age of the newest record").unwrap();
    let mapping = &ages["fieldConfig"]["defaults"]["mappings"][0]["options"];
    assert_eq!((&mapping["match"], &mapping["result"]["text"]), (&"null+nan".into(), &"no row".into()));
    assert_eq!(mapping["result"]["color"], "#808080");
}

#[test]
fn the_share_of_good_values_is_rounded_down_so_that_a_hundred_are_all() {
    for (language, floor) in
        [("flux", "math.floor(x: 100.0"), ("influxql", "floor(mean(\"good\"))"), ("sql", "floor(avg(CASE")]
    {
        let panels = panels(&Made::example().dashboard(&["--language", language]));
        let good = panels.iter().find(|panel| panel["type"] == "bargauge").unwrap();
        assert!(queries(good).iter().all(|text| text.contains(floor)), "{language}: {:?}", queries(good).first());
    }
}

#[test]
fn no_limit_is_drawn_where_the_axis_of_a_direction_ends() {
    let panels = of_weather("");
    let of =
        |title: &str| panels.iter().find(|panel| panel["title"] == title).unwrap()["fieldConfig"]["defaults"].clone();
    assert_eq!(of("Wind direction")["custom"]["thresholdsStyle"]["mode"], "off");
    assert_eq!(of("Air temperature")["custom"]["thresholdsStyle"]["mode"], "dashed");
}
