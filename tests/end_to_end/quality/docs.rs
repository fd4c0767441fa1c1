//! docs/qc.md is true: what it configures loads, what it calls there is.

use std::fmt::Write as _;
use std::path::Path;

use fluxtower::config::Config;

fn page() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/qc.md")).unwrap()
}

fn blocks(kind: &str) -> Vec<String> {
    let page = page();
    let fence = format!("```{kind}\n");
    page.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

/// A year of bands, as the page describes the file.
fn bands() -> String {
    let mut text = "variable,doy_window,hour_center,p2_5,p97_5\n".to_owned();
    for window in 1..=12 {
        for half_hour in 0..48 {
            writeln!(text, "TA,{window},{},-20,30", f64::from(half_hour) / 2.0 + 0.25).unwrap();
        }
    }
    text
}

#[test]
fn every_toml_block_of_the_page_on_flags_loads() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("us_umb_climatology.csv"), bands()).unwrap();
    for percentile in ["LOWER2", "UPPER2"] {
        let value = if percentile == "LOWER2" { -20 } else { 30 };
        let line = |hour: &str| format!("1,{hour},{value}\n");
        let text = "DOY2,HR2,TA_1_1_1\n".to_owned() + &["6", "18"].map(line).concat();
        std::fs::write(folder.path().join(format!("US-UMB_HH_23-5_{percentile}.csv")), text).unwrap();
    }
    let head = "[station]\nname = \"X\"\nutc_offset = \"-05:00\"\n[destination]\nkind = \"files\"\n";
    let table = |name: &str| format!("[[table]]\nname = \"{name}\"\nfiles = [\"x.dat\"]\n");
    let load = |text: String| {
        Config::parse(&text, &folder.path().join("config.toml")).unwrap_or_else(|error| panic!("{error}\n{text}"));
    };
    let mut loaded = 0;
    for block in blocks("toml") {
        let both = format!("{head}{}{}", table("46m_met"), table("34m_met"));
        if block.starts_with("[[table]]") {
            load(format!("{head}{}", block.replacen("[[table]]\n", &table("a"), 1)));
        } else if block.starts_with('[') {
            load(both + &block);
        } else {
            // Each line is a way to write one key of a column.
            for line in block.lines() {
                load(format!("{both}[table.columns.x]\n{line}\n"));
                loaded += 1;
            }
        }
        loaded += 1;
    }
    assert!(loaded >= 15, "only {loaded}");
}

#[test]
fn the_page_on_flags_links_to_its_own_headings() {
    let page = page();
    let headings: Vec<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .map(|heading| heading.to_lowercase().replace(',', "").replace(' ', "-"))
        .collect();
    for link in page.split("](#").skip(1).map(|rest| rest.split(')').next().unwrap()) {
        assert!(headings.iter().any(|heading| heading == link), "{link} is none of {headings:?}");
    }
}
