//! I9: the page, an ingest and a sync at once, without one delaying another.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::client::Served;
use crate::support::Site;
use crate::support::server::Server;

const ROWS: i64 = 20_000;

/// Ingests and sends `ROWS` rows, and gives how long each took.
fn work(site: &Site, from: i64) -> (Duration, Duration) {
    site.write("met", from..from + ROWS);
    let begun = Instant::now();
    let ran = site.run(&["ingest", "--json"]);
    let ingest = begun.elapsed();
    assert!(ran.code <= 1, "{ran:?}");
    assert_eq!(ran.json()["tables"][0]["staged"], ROWS);
    let begun = Instant::now();
    let sent = site.sync().expect(0);
    let sync = begun.elapsed();
    assert_eq!(sent.number("sent"), ROWS.unsigned_abs());
    (ingest, sync)
}

#[test]
fn i9_four_who_look_delay_neither_ingest_nor_sync() {
    let server = Server::start();
    let site = Site::with(&server.url(), &["met"], "", "budget_bytes = 1_000_000_000");
    work(&site, 0);
    let alone = work(&site, ROWS);
    let served = Arc::new(Served::start(&site.path("config.toml")));
    let end = Arc::new(AtomicBool::new(false));
    let (answers, slowest) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let first = 1_780_272_000_000_i64;
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let (served, end) = (Arc::clone(&served), Arc::clone(&end));
            let (answers, slowest) = (Arc::clone(&answers), Arc::clone(&slowest));
            std::thread::spawn(move || {
                while !end.load(Ordering::Relaxed) {
                    let begun = Instant::now();
                    served.json(&format!(
                        "/api/trace?table=met&columns=T_Avg,P_Avg&from={first}&to={}",
                        first + ROWS * 120_000
                    ));
                    served.json("/api/status");
                    answers.fetch_add(2, Ordering::Relaxed);
                    slowest.fetch_max(begun.elapsed().as_millis().try_into().unwrap(), Ordering::Relaxed);
                }
            })
        })
        .collect();
    // They are at it.
    let started = Instant::now();
    while answers.load(Ordering::Relaxed) < 20 {
        assert!(started.elapsed() < super::client::PATIENCE, "no answers");
        std::thread::sleep(Duration::from_millis(10));
    }
    let begun = Instant::now();
    let beside = work(&site, 2 * ROWS);
    let during = answers.load(Ordering::Relaxed) - 20;
    let took = begun.elapsed();
    end.store(true, Ordering::Relaxed);
    clients.into_iter().for_each(|client| client.join().unwrap());
    println!(
        "{ROWS} rows: ingest {:.2?} alone, {:.2?} beside four clients; sync {:.2?} alone, {:.2?} beside them; meanwhile {:.0} answers a second, the slowest pair {} ms",
        alone.0,
        beside.0,
        alone.1,
        beside.1,
        f64::from(u32::try_from(during).unwrap()) / took.as_secs_f64(),
        slowest.load(Ordering::Relaxed)
    );
    // Four clients without a pause take all the cores there are; what is left is a fair share, and no lock.
    let fair = |alone: Duration| alone * 10 + Duration::from_secs(15);
    assert!(beside.0 < fair(alone.0) && beside.1 < fair(alone.1), "{alone:?} {beside:?}");
    assert_eq!(server.points().rows().len(), usize::try_from(3 * ROWS).unwrap());
}
