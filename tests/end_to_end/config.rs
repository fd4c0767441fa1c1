//! Configurations as files: each one in `configs/valid` loads, each one in `configs/invalid` is refused with the
//! message that its first line expects.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fluxtower::ameriflux::Range;
use fluxtower::config::{
    Api, ColumnUse, Config, ConfigError, DestinationConfig, FileFormat, InfluxConfig, OnConflict, Secret,
};
use fluxtower::qc::Sentinels;

fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn configs(folder: &str) -> Vec<PathBuf> {
    let folder = project().join("tests").join("configs").join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

fn valid(name: &str) -> Config {
    Config::load(&project().join("tests/configs/valid").join(name)).unwrap()
}

fn influx(config: &Config) -> &InfluxConfig {
    match &config.destination {
        DestinationConfig::Influx(influx) => influx,
        DestinationConfig::Files { .. } => panic!("{} writes files", config.path.display()),
    }
}

#[test]
fn every_valid_config_loads() {
    for path in configs("valid") {
        if let Err(error) = Config::load(&path) {
            panic!("{error}");
        }
    }
}

#[test]
fn every_invalid_config_is_refused_with_place_problem_and_mend() {
    let mut wrong = Vec::new();
    for path in configs("invalid") {
        let text = fs::read_to_string(&path).unwrap();
        let expected = text.lines().next().and_then(|line| line.strip_prefix("# expect: ")).expect("first line");
        match Config::load(&path) {
            Ok(_) => wrong.push(format!("{} loads", path.display())),
            Err(error) if error.to_string().contains(expected) => {}
            Err(error) => wrong.push(error.to_string()),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn i10_no_error_repeats_a_secret() {
    for path in configs("invalid") {
        let error = Config::load(&path).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
    }
}

#[test]
fn a_file_that_is_not_there_says_how_to_start() {
    let error = Config::load(Path::new("no/such/config.toml")).unwrap_err();
    assert!(matches!(error, ConfigError::Missing { .. }));
    let message = error.to_string();
    assert!(message.contains("fluxtower --config FILE") && message.contains("copy the config.toml"), "{message}");
}

#[test]
fn a_file_saved_as_utf_16_says_how_to_save_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    fs::write(&path, b"\xff\xfe[\0s\0").unwrap();
    assert!(Config::load(&path).unwrap_err().to_string().contains("UTF-8"));
}

#[test]
fn what_is_not_said_has_its_default() {
    let config = valid("minimal.toml");
    let folder = project().join("tests/configs/valid");
    assert_eq!(config.store_path, folder.join("fluxtower.db"));
    assert!(matches!(&config.destination, DestinationConfig::Files { path } if *path == folder.join("outbox")));
    assert_eq!((config.sync.batch_rows, config.sync.batch_bytes, config.sync.budget_bytes), (5_000, 1_000_000, None));
    assert_eq!(config.sync.deadline, Duration::from_secs(240));
    assert_eq!((config.log.file, config.log.max_bytes, config.log.keep), (None, 5_000_000, 5));
    let table = &config.tables[0];
    assert_eq!((table.measurement.as_str(), table.tags["station"].as_str()), ("par", "US-UMB"));
    assert_eq!(table.files, [folder.join("par.dat")]);
    assert!(matches!(table.format, FileFormat::Logger(None)));
    assert_eq!((table.on_conflict, table.last_line_after), (OnConflict::Keep, Duration::from_secs(600)));
    assert_eq!(table.valid_from.to_rfc3339(), "2000-01-02T05:00:00+00:00");
    assert_eq!((table.clock, table.stale_after), (config.station.clock, None));
    assert!(table.sentinels.is_empty() && table.columns.is_empty() && table.bucket.is_none());
}

#[test]
fn what_is_said_is_taken() {
    let config = valid("every_key_files.toml");
    assert_eq!(config.store_keep, Some(std::time::Duration::from_secs(400 * 86_400)));
    assert_eq!(config.sync.heartbeat_url.unwrap().as_str(), "https://alive.example/ping/site-1");
    let table = &config.tables[0];
    assert_eq!(table.tags["station"], "US-UMd", "a table's own station wins");
    assert_eq!(table.clock.to_string(), "+05:45");
    assert_eq!(table.valid_from.to_rfc3339(), "2010-05-31T18:15:00+00:00", "a date is read on the table's clock");
    assert_eq!(table.sentinels.numbers(), [7999.0, -9999.0]);
    let column = &table.columns["PPFD"];
    assert_eq!(column.range, Some(Range { suspect: (-10.0, 2300.0), fail: (f64::NEG_INFINITY, f64::INFINITY) }));
    assert_eq!(column.sentinels, Some(Sentinels::default()), "an empty list stands for itself, not for the table's");
    assert_eq!(table.columns["TS(1)"].column_use, ColumnUse::Ignore);
}

#[test]
fn the_defaults_for_a_server_are_those_of_cloud_2() {
    let config = valid("token_in_a_file.toml");
    let influx = influx(&config);
    assert_eq!((influx.api, influx.timeout, influx.retention), (Api::V2, Duration::from_secs(60), None));
    assert_eq!(influx.secret, Some(Secret::File(PathBuf::from("C:\\flux\\token.txt"))));
}

#[test]
fn a_range_is_what_is_said_and_the_rest_comes_from_the_variable() {
    let inf = f64::INFINITY;
    for (keys, suspect, fail) in [
        ("variable = \"TA\"", (-50.0, 50.0), (-55.0, 55.0)),
        ("variable = \"RH\"", (-5.0, 105.0), (-5.0, 105.0)),
        ("variable = \"SW_IN\"", (-10.0, 1300.0), (-65.0, 1365.0)),
        ("suspect = [1, 2]", (1.0, 2.0), (-inf, inf)),
        ("fail = [1, 2]", (1.0, 2.0), (1.0, 2.0)),
        ("suspect = [1, 2]\nfail = [0, inf]", (1.0, 2.0), (0.0, inf)),
        ("variable = \"RH\"\nsuspect = [10, 90]", (10.0, 90.0), (-5.0, 105.0)),
        ("variable = \"RH\"\nfail = [-1, 101]", (-1.0, 101.0), (-1.0, 101.0)),
        ("variable = \"TA\"\nfail = [-60, 60]", (-50.0, 50.0), (-60.0, 60.0)),
        ("variable = \"RH\"\nfail = [5, 95]", (5.0, 95.0), (5.0, 95.0)),
    ] {
        let base = fs::read_to_string(project().join("tests/configs/valid/minimal.toml")).unwrap();
        let config = Config::parse(&format!("{base}\n[table.columns.A]\n{keys}\n"), Path::new("config.toml")).unwrap();
        assert_eq!(config.tables[0].columns["A"].range, Some(Range { suspect, fail }), "{keys}");
    }
}

#[test]
fn the_shipped_config_finds_its_samples() {
    let config = Config::load(&project().join("config.toml")).unwrap();
    assert!(matches!(config.destination, DestinationConfig::Files { .. }));
    for table in &config.tables {
        assert!(table.stale_after.is_some_and(|after| after.as_secs() > 10 * 365 * 86_400), "the samples grow old");
        for pattern in &table.files {
            assert!(glob::glob(pattern.to_str().unwrap()).unwrap().count() > 0, "{}", pattern.display());
        }
    }
}

#[test]
fn each_server_that_the_comments_of_the_shipped_config_show_is_valid() {
    let text = fs::read_to_string(project().join("config.toml")).unwrap().replace("\r\n", "\n");
    let shipped = "[destination]\nkind = \"files\"\npath = \"outbox\"\n";
    assert!(text.contains(shipped));
    let mut apis = Vec::new();
    for block in text.split("\n#[destination]\n").skip(1) {
        let block = block.split("\n\n").next().unwrap();
        let block: String = block.lines().map(|line| format!("{}\n", line.strip_prefix('#').unwrap())).collect();
        let text = text.replace(shipped, &format!("[destination]\n{block}"));
        let config = Config::parse(&text, Path::new("config.toml")).unwrap_or_else(|error| panic!("{error}"));
        apis.push(influx(&config).api);
    }
    assert_eq!(apis, [Api::V2, Api::V1, Api::V3]);
}
