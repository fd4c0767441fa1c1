//! The rules, one by one.

use std::time::Duration;

use fluxtower::store::Store;
use fluxtower::view::panel::{PanelKind, plan, tables};

use super::{check_board, config, known, labels, panel, panels, row_of};
use crate::support::Station;

#[test]
fn columns_of_one_quantity_stand_together_by_height_and_their_labels_say_no_more_than_needed() {
    let config = config(
        "[[table]]\nname = \"wind\"\nfiles = [\"wind.dat\"]\n\
         [table.columns.A]\nvariable = \"WS_1_1_1\"\nheight = \"46m\"\nsensor = \"CSAT3\"\n\
         [table.columns.B]\nvariable = \"WS_1_2_1\"\nheight = \"34m\"\nsensor = \"CSAT3\"\n\
         [table.columns.C]\nvariable = \"WS_1_1_2\"\nheight = \"46m\"\nsensor = \"cup\"\n",
    );
    let board = plan(&config, &[]);
    check_board(&board);
    let wind = panel(&board, "Wind speed by height");
    assert_eq!(labels(wind), ["46 m CSAT3", "46 m cup", "34 m"]);
    assert_eq!((wind.axis.unit.as_str(), row_of(&board, &wind.title)), ("m/s", "Wind"));
    assert_eq!(wind.series[0].colour.hex, wind.series[1].colour.hex, "one height, one colour");
    assert_ne!(wind.series[0].colour.dash, wind.series[1].colour.dash);
    assert_eq!(panels(&board).count(), 1, "two levels are no profile");
}

#[test]
fn a_table_speaks_for_its_columns_and_a_tag_for_the_table() {
    let tables = "[[table]]\nname = \"high\"\nfiles = [\"a.dat\"]\nheight = \"46m\"\nsensor = \"HMP45\"\n\
                  [table.columns.TA]\nvariable = \"TA\"\n[table.columns.Low]\nvariable = \"TA\"\nheight = \"2m\"\n\
                  [[table]]\nname = \"low\"\nfiles = [\"b.dat\"]\ntags = { height = \"15m\" }\n\
                  [[table]]\nname = \"soil\"\nfiles = [\"c.dat\"]\ntags = { depth = \"20cm\", height = \"ground\" }\n";
    let known = [
        known("high", &[("TA", "Deg C"), ("Low", "Deg C"), ("Else", "V")], &[&[]]),
        known("low", &[("TA", "")], &[&[]]),
        known("soil", &[("TS", "")], &[&[]]),
    ];
    let config = config(tables);
    let found = fluxtower::view::panel::tables(&config, &known);
    let level =
        |table: usize, column: usize| found[table].columns[column].level.as_ref().map(|level| level.label.as_str());
    assert_eq!([level(0, 0), level(0, 1), level(0, 2)], [Some("46 m"), Some("2 m"), Some("46 m")]);
    assert_eq!([level(1, 0), level(2, 0)], [Some("15 m"), Some("20 cm")]);
    assert_eq!(found[0].columns[2].sensor.as_deref(), Some("HMP45"));
    check_board(&plan(&config, &known));
}

#[test]
fn a_unit_that_contradicts_the_variable_is_shown_and_stands_on_a_panel_of_its_own() {
    let config = config(
        "[[table]]\nname = \"irga\"\nfiles = [\"a.dat\"]\n\
         [table.columns.T1]\nvariable = \"TA\"\nheight = \"46m\"\n[table.columns.T2]\nvariable = \"TA\"\nheight = \"34m\"\n\
         [table.columns.Cell]\nvariable = \"TA\"\nheight = \"46m\"\n",
    );
    let known = [known("irga", &[("T1", "Deg C"), ("T2", ""), ("Cell", "mV")], &[&[]])];
    let board = plan(&config, &known);
    check_board(&board);
    assert_eq!(panel(&board, "Air temperature by height").axis.unit, "°C");
    assert_eq!(panel(&board, "Air temperature (mV)").axis.unit, "mV");
}

#[test]
fn soil_stations_have_a_panel_each_and_the_panel_by_depth_shows_the_means() {
    let mut text = "[[table]]\nname = \"soil\"\nfiles = [\"s.dat\"]\n".to_owned();
    for depth in ["2cm", "20cm", "1m"] {
        for station in 1..=3 {
            text += &format!(
                "[table.columns.T{depth}_{station}]\nvariable = \"TS\"\ndepth = \"{depth}\"\nsensor = \"station {station}\"\n"
            );
        }
    }
    let board = plan(&config(&text), &[]);
    check_board(&board);
    assert_eq!(panel(&board, "Soil temperature by depth").series.len(), 9, "no means: all of them");
    assert_eq!(labels(panel(&board, "Soil temperature, station 2")), ["2 cm", "20 cm", "1 m"]);
    for depth in ["2cm", "20cm", "1m"] {
        text += &format!(
            "[table.columns.mean{depth}]\nformula = \"T{depth}_1 / 3 + T{depth}_2 / 3 + T{depth}_3 / 3\"\nvariable = \"TS\"\ndepth = \"{depth}\"\n"
        );
    }
    let board = plan(&config(&text), &[]);
    check_board(&board);
    assert_eq!(labels(panel(&board, "Soil temperature by depth")), ["2 cm", "20 cm", "1 m"]);
    assert_eq!(panel(&board, "Soil temperature profile").kind, PanelKind::Profile);
    assert_eq!(panel(&board, "Soil temperature, station 3").series.len(), 3);
}

#[test]
fn a_pair_is_drawn_over_time_and_one_against_the_other() {
    let config = config(
        "[[table]]\nname = \"light\"\nfiles = [\"a.dat\"]\n[table.columns.PPFD]\nvariable = \"PPFD_IN\"\n\
         [table.columns.SW]\nvariable = \"SW_IN\"\n\
         [[pair]]\nname = \"light\"\ntable = \"light\"\ncolumn = \"PPFD\"\nagainst = \"SW\"\nratio = { suspect = [1.7, 2.4] }\n",
    );
    let board = plan(&config, &[]);
    check_board(&board);
    let lines = panel(&board, "light");
    assert_eq!((lines.kind, lines.pair.as_deref()), (PanelKind::Lines, Some("light")));
    assert_eq!(lines.right.as_ref().map(|axis| axis.unit.as_str()), Some("W/m²"), "another unit, another axis");
    let scatter = panel(&board, "light, scatter");
    assert_eq!((scatter.kind, scatter.pair.as_deref()), (PanelKind::Scatter, Some("light")));
    let columns: Vec<&str> = scatter.series.iter().map(|series| series.column.as_str()).collect();
    assert_eq!(columns, ["SW", "PPFD"], "the reference is horizontal");
    assert_eq!((scatter.axis.unit.as_str(), row_of(&board, "light")), ("µmol/m²/s", "Comparisons"));
}

#[test]
fn what_nobody_has_said_anything_about_is_reached_by_table_and_unit() {
    let names: Vec<String> = (0..20).map(|number| format!("V({number})")).collect();
    let mut columns: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "mV")).collect();
    columns.extend([("Batt_Volt_Min", "Volts"), ("PTemp", "Deg C"), ("Lonely", "widgets")]);
    let config = config("[[table]]\nname = \"raw\"\nfiles = [\"a.dat\"]\n");
    let board = plan(&config, &[known("raw", &columns, &[&[]])]);
    check_board(&board);
    let sizes: Vec<usize> =
        panels(&board).filter(|panel| panel.title.starts_with("raw, mV")).map(|panel| panel.series.len()).collect();
    assert_eq!(sizes, [8, 8, 4]);
    assert_eq!(row_of(&board, "Lonely"), "Other");
    assert_eq!((row_of(&board, "Battery voltage"), row_of(&board, "Logger temperature")), ("Logger", "Logger"));
    assert_eq!(panel(&board, "Battery voltage").axis.unit, "V");
}

#[test]
fn each_plot_of_a_table_with_a_tag_column_is_a_series() {
    let config = config(
        "[[table]]\nname = \"plots\"\nfiles = [\"a.tst\"]\nformat = \"csv\"\nnames = [\"Time\", \"Plot\", \"Temp\"]\n\
         time_column = \"Time\"\n[table.columns.Plot]\nuse = \"tag\"\n[table.columns.Temp]\nvariable = \"TS\"\n",
    );
    let series: [&[(&str, &str)]; 2] = [&[("Plot", "6a")], &[("Plot", "6b")]];
    let board = plan(&config, &[known("plots", &[("Plot", ""), ("Temp", "")], &series)]);
    check_board(&board);
    let by_plot = panel(&board, "Soil temperature by Plot");
    assert_eq!(labels(by_plot), ["6a", "6b"]);
    assert_eq!(by_plot.series[1].tags, [("Plot".to_owned(), "6b".to_owned())]);
    assert_eq!(labels(panel(&plan(&config, &[]), "Soil temperature")), ["Temp"], "without a store no plot is known");
}

#[test]
fn what_is_not_sent_and_what_is_text_is_on_no_panel_and_a_diagnostic_word_stands_alone() {
    let config = config(
        "[[table]]\nname = \"sonic\"\nfiles = [\"a.dat\"]\n[table.columns.Spare]\nuse = \"ignore\"\n\
         [table.columns.diag]\ndiagnostic = \"csat3\"\ngoverns = [\"Ux\"]\nsensor = \"CSAT3\"\nheight = \"46m\"\n",
    );
    let mut table = known("sonic", &[("Ux", "m/s"), ("Spare", "m/s"), ("diag", ""), ("Word", "m/s")], &[&[]]);
    table.columns[3].is_text = true;
    let found = tables(&config, std::slice::from_ref(&table));
    let names: Vec<(&str, bool)> =
        found[0].columns.iter().map(|column| (column.name.as_str(), column.is_sent)).collect();
    assert_eq!(names, [("Ux", true), ("Spare", false), ("diag", true)]);
    let board = plan(&config, &[table]);
    check_board(&board);
    let columns: Vec<&str> =
        panels(&board).flat_map(|panel| &panel.series).map(|series| series.column.as_str()).collect();
    assert_eq!(columns, ["diag", "Ux"]);
    assert_eq!(row_of(&board, "CSAT3 46 m diagnostic"), "Diagnostics");
}

#[test]
fn a_panel_of_the_site_replaces_joins_makes_a_row_or_hides() {
    let base = "[[table]]\nname = \"met\"\nfiles = [\"a.dat\"]\n\
                [table.columns.A]\nvariable = \"TA\"\nheight = \"46m\"\n[table.columns.B]\nvariable = \"TA\"\nheight = \"2m\"\n\
                [table.columns.RH]\nvariable = \"RH\"\n[table.columns.WS]\nvariable = \"WS\"\n";
    let own = "[[panel]]\ntitle = \"Air temperature by height\"\ncolumns = [\"met/B\"]\nlabels = [\"low\"]\nmean = \"10m\"\nbounds = [0, 30]\nunit = \"K\"\n\
               [[panel]]\ntitle = \"Relative humidity\"\nhide = true\n\
               [[panel]]\ntitle = \"Both\"\ncolumns = [\"met/A\"]\nright = [\"met/WS\"]\nright_bounds = [0, 20]\n\
               [[panel]]\ntitle = \"Breeze\"\nrow = \"For visitors\"\nkind = \"latest\"\ncolumns = [\"met/WS\"]\n\
               [[panel]]\ntitle = \"Not read yet\"\ncolumns = [\"met/Later\"]\n";
    let board = plan(&config(&format!("{base}{own}")), &[]);
    check_board(&board);
    let replaced = panel(&board, "Air temperature by height");
    assert_eq!((labels(replaced), replaced.mean), (vec!["low"], Some(Duration::from_secs(600))));
    assert_eq!((replaced.axis.unit.as_str(), replaced.axis.bounds), ("K", Some((0.0, 30.0))));
    assert_eq!(board.rows[0].panels[0].title, replaced.title, "it stands where the other stood");
    assert_eq!(row_of(&board, "Relative humidity"), "");
    assert_eq!(row_of(&board, "Both"), "Temperature and humidity");
    let both = panel(&board, "Both");
    assert_eq!(both.series.iter().map(|series| series.is_right).collect::<Vec<_>>(), [false, true]);
    assert_eq!(both.right.as_ref().and_then(|axis| axis.bounds), Some((0.0, 20.0)));
    assert_eq!(labels(both), ["Air temperature 46 m", "Wind speed"]);
    assert_eq!((row_of(&board, "Breeze"), panel(&board, "Breeze").kind), ("For visitors", PanelKind::Latest));
    assert_eq!(row_of(&board, "Not read yet"), "");
}

#[test]
fn a_plan_is_the_same_from_run_to_run_and_an_id_outlives_other_panels() {
    let one = "[[table]]\nname = \"met\"\nfiles = [\"a.dat\"]\n[table.columns.A]\nvariable = \"TA\"\n";
    let two = format!(
        "{one}[table.columns.\"<b>\"]\nquantity = \"🌲\"\n[table.columns.\"'\\\"x\"]\nquantity = \"<script>\"\n"
    );
    let (few, many) = (plan(&config(one), &[]), plan(&config(&two), &[]));
    check_board(&many);
    assert_eq!(plan(&config(&two), &[]), many);
    assert_eq!(panel(&few, "Air temperature").id, panel(&many, "Air temperature").id);
    assert_eq!(panels(&many).count(), 3);
}

#[test]
fn the_store_knows_columns_units_plots_and_text() {
    let tower = Station::new().table_keys(
        "[[table]]\nname = \"plots\"\nfiles = [\"plots.tst\"]\nformat = \"csv\"\nlast_line_after = \"0s\"\n\
         names = [\"Time\", \"Temp\", \"Note\", \"Plot\"]\ntime_column = \"Time\"\n[table.columns.Plot]\nuse = \"tag\"\n",
    );
    tower.write("plots.tst", "2025-06-21 12:00:00,1.5,fine,6a\n2025-06-21 12:00:00,2.5,wet,6b\n");
    tower.run(&["ingest", "--table", "plots"]).expect(0);
    let config = fluxtower::config::Config::load(&tower.config_path()).unwrap();
    let known = Store::open_reader(&tower.store_path()).unwrap().known_tables(&config).unwrap();
    let plots = known.iter().find(|table| table.name.0 == "plots").unwrap();
    let columns: Vec<(&str, bool)> =
        plots.columns.iter().map(|column| (column.name.as_str(), column.is_text)).collect();
    assert_eq!(columns, [("Temp", false), ("Note", true), ("Plot", true)]);
    let plot = |name: &str| vec![("Plot".to_owned(), name.to_owned())];
    assert_eq!(plots.series, [plot("6a"), plot("6b")]);
    let board = plan(&config, &known);
    check_board(&board);
    let of_plots: Vec<&str> =
        panels(&board).filter(|panel| panel.series[0].table.0 == "plots").flat_map(|panel| labels(panel)).collect();
    assert_eq!(of_plots, ["6a", "6b"]);
}
