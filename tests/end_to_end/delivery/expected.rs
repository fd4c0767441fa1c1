//! What is usual goes out beside the values, each half hour once, so that a dashboard can draw it.

use std::sync::{Arc, Mutex};

use fluxtower::store::Store;
use fluxtower::time::Interval;

use crate::support::Site;
use crate::support::server::{Act, Reply, Server};

const HALF_HOUR: i64 = 1_800_000_000_000;
const WEEK: usize = 7 * 48;

/// A station whose temperature is usual between -5 and 25 in every month, and which tells its health.
fn station(server: &Server) -> Site {
    let site = Site::new(&server.url());
    let text = std::fs::read_to_string(site.path("config.toml")).unwrap().replace("health = false", "health = true");
    let climatology = "[table.columns.T_Avg]\nfield = \"T 46m\"\nclimatology = { bands = [{ months = [1, 12], suspect = [-5, 25] }] }\n";
    std::fs::write(site.path("config.toml"), text + climatology).unwrap();
    site
}

/// Lines of the measurement, over all requests that came.
fn bands(server: &Server) -> Vec<String> {
    let lines = |seen: crate::support::server::Seen| seen.lines.lines().map(str::to_owned).collect::<Vec<_>>();
    server.seen().into_iter().flat_map(lines).filter(|line| line.starts_with("fluxtower_expected")).collect()
}

#[test]
fn the_band_of_a_climatology_goes_out_once_for_each_half_hour() {
    let server = Server::start();
    let site = station(&server);
    site.stage(0..3);
    site.sync().expect(0);
    let lines = bands(&server);
    assert!((WEEK - 1..=WEEK).contains(&lines.len()), "{}", lines.len());
    let mut at: Vec<i64> = lines.iter().map(|line| line.rsplit(' ').next().unwrap().parse().unwrap()).collect();
    for line in &lines {
        let wanted = r"fluxtower_expected,station=US-UMB,logger_table=met T\ 46m_low=-5.0,T\ 46m_high=25.0 ";
        assert!(line.starts_with(wanted), "{line}");
    }
    assert!(at.iter().all(|at| at % HALF_HOUR == 0) && at.windows(2).all(|pair| pair[1] - pair[0] == HALF_HOUR));
    assert!(chrono::Utc::now().timestamp_nanos_opt().unwrap() - at.pop().unwrap() < 2 * HALF_HOUR);
    server.forget_requests();
    site.sync().expect(0);
    // The clock may have struck meanwhile.
    assert!(bands(&server).len() <= 1);
}

#[test]
fn a_band_that_was_taken_is_listed_as_no_refusal() {
    let server = Server::start();
    let site = station(&server);
    site.stage(0..3);
    site.sync().expect(0);
    assert!(!bands(&server).is_empty());
    let store = Store::open_reader(&site.path("store.db")).unwrap();
    assert_eq!(store.refusals(Interval::ALL, 10).unwrap(), []);
}

#[test]
fn a_band_that_is_refused_is_no_failure_and_goes_out_later() {
    let server = Server::start();
    let site = station(&server);
    site.stage(0..3);
    server.script(|asked| {
        if asked.lines.starts_with("fluxtower_expected") { Act::refuse(503, "not now") } else { Act::take() }
    });
    site.sync().expect(0);
    assert_eq!((site.count("sent"), site.count("pending")), (3, 0));
    server.forget_requests();
    server.take_all();
    site.sync().expect(0);
    assert!(bands(&server).len() >= WEEK - 1);
}

#[test]
fn no_band_goes_to_a_bucket_that_is_held_although_no_row_is_pending_for_it() {
    let server = Server::start();
    let site = station(&server);
    site.replace_in_config("name = \"met\"\n", "name = \"met\"\nbucket = \"soil\"\n");
    let id = Arc::new(Mutex::new("first"));
    let known = Arc::clone(&id);
    server.answer(move |path| {
        let (id, name) = if path.contains("soil") { (*known.lock().unwrap(), "soil") } else { ("own", "tower") };
        let buckets = format!(r#"{{"buckets":[{{"id":"{id}","orgID":"o","name":"{name}","retentionRules":[]}}]}}"#);
        path.starts_with("/api/v2/buckets").then(|| Reply::json(200, &buckets))
    });
    site.stage(0..3);
    site.sync().expect(0);
    assert!(!bands(&server).is_empty());
    // The bucket is made again, and the bands of the next half hour are due.
    *id.lock().unwrap() = "second";
    let conn = rusqlite::Connection::open(site.path("store.db")).unwrap();
    conn.execute("DELETE FROM setting WHERE key LIKE 'expected%'", []).unwrap();
    server.forget_requests();
    let held = site.sync().expect(3);
    assert!(held.notes().contains("bucket confirm"), "{held:?}");
    assert_eq!(bands(&server), [] as [String; 0]);
    site.run(&["bucket", "confirm"]).expect(0);
    site.sync().expect(0);
    assert!(!bands(&server).is_empty());
}
