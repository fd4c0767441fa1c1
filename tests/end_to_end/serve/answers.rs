//! What the page is told, of a station that has lived a little.

use serde_json::{Value, json};

use super::client::Served;
use super::station::{PAR, configured, lived, met, this_minute, trace_of_met};
use crate::support::server::{Act, Server};
use crate::support::{Site, Station};

fn by_name<'v>(list: &'v Value, name: &str) -> &'v Value {
    list.as_array().unwrap().iter().find(|item| item["name"] == name).unwrap_or_else(|| panic!("no {name}: {list}"))
}

#[test]
fn the_station_is_described_with_its_tables_columns_limits_and_panels() {
    let (tower, newest) = lived();
    let served = Served::start(&tower.config_path());
    let station = served.json("/api/station");
    assert_eq!(station["station"], "US-UMB");
    assert_eq!(station["clock"], json!({"label": "UTC-05:00", "offset_s": -18_000, "zone": null}));
    assert_eq!(station["destination"]["kind"], "files");
    let met = by_name(&station["tables"], "met");
    assert_eq!(met["newest"], newest.timestamp_millis());
    assert_eq!(met["oldest"], newest.timestamp_millis() - 299 * 60_000);
    assert_eq!((&met["interval_s"], &met["stale_after_s"]), (&json!(60.0), &json!(1_800)));
    let ta = by_name(&met["columns"], "TA");
    assert_eq!(ta["unit"], "°C");
    assert_eq!(ta["level"], json!({"metres": 46.0, "label": "46 m"}));
    assert_eq!((&ta["suspect"], &ta["fail"]), (&json!([-40.0, 45.0]), &json!([-50.0, 60.0])));
    assert_eq!(ta["tests"], json!(["gross_range", "spike"]));
    assert_eq!((&ta["sent"], &ta["diagnostic"], &ta["has_band"]), (&json!(true), &json!(false), &json!(false)));
    let panels = station["rows"].as_array().unwrap().iter().flat_map(|row| row["panels"].as_array().unwrap());
    let drawn: Vec<&Value> = panels.flat_map(|panel| panel["series"].as_array().unwrap()).collect();
    for (table, column) in [("met", "TA"), ("met", "RH"), (PAR, "PPFD"), (PAR, "calPPFD")] {
        assert!(drawn.iter().any(|series| series["table"] == table && series["column"] == column), "{column}");
    }
}

/// The station of a table `met` whose column `RH` is never there, with these further lines of the table.
fn without_rh(keys: &str) -> Station {
    let tower = Station::new().table(&format!("name = \"met\"\nfiles = [\"met.dat\"]\n{keys}"));
    let rows = met(300, this_minute());
    let (head, rows) = rows.split_at(rows.find("\"20").unwrap());
    let rows = rows.lines().map(|row| format!("{},\"NAN\"\r\n", row.trim_end().rsplit_once(',').unwrap().0));
    tower.write("met.dat", head.to_owned() + &rows.collect::<String>());
    tower.run(&["run"]).expect(0);
    tower
}

#[test]
fn a_column_that_is_ignored_is_not_called_wrong() {
    let right = |keys: &str| {
        let tower = without_rh(keys);
        let status = Served::start(&tower.config_path()).json("/api/status");
        (by_name(&status["tables"], "met")["right"]["state"].clone(), status)
    };
    let (state, status) = right("[table.columns.TA]\nfail = [-50, 100]");
    assert_eq!((state, &status["state"]), (json!("bad"), &json!("look")), "{status}");
    let (state, status) = right("[table.columns.TA]\nfail = [-50, 100]\n[table.columns.RH]\nuse = \"ignore\"");
    assert_eq!((state, &status["state"]), (json!("good"), &json!("ok")), "{status}");
}

#[test]
fn values_that_no_test_looks_at_are_not_called_good() {
    let tower = without_rh("[table.columns.RH]\nuse = \"ignore\"");
    let status = Served::start(&tower.config_path()).json("/api/status");
    let right = &by_name(&status["tables"], "met")["right"];
    assert_eq!(
        (&right["state"], right["why"].as_str().unwrap().starts_with("no value was tested")),
        (&json!("none"), true)
    );
}

#[test]
fn rows_that_expired_are_not_called_sent() {
    let tower = without_rh("[table.columns.RH]\nuse = \"ignore\"");
    let conn = rusqlite::Connection::open(tower.store_path()).unwrap();
    conn.execute_batch("UPDATE logger_table SET sent = sent - 1, expired = 1").unwrap();
    drop(conn);
    let status = Served::start(&tower.config_path()).json("/api/status");
    let sent = &by_name(&status["tables"], "met")["sent"];
    assert_eq!(sent["state"], "partial", "{sent}");
    assert!(sent["why"].as_str().unwrap().contains("1 row expired"), "{sent}");
    assert_eq!((&status["state"], &status["is_well"]), (&json!("note"), &json!(false)), "nothing is to be done");
}

#[test]
fn the_first_screen_says_what_the_command_says() {
    let (tower, _) = lived();
    let served = Served::start(&tower.config_path());
    let page = served.json("/api/status");
    let command = tower.run_json(&["status"]).expect(1).json();
    // An age may have gone on by a second.
    let without_ages = |reasons: &Value| -> Vec<String> {
        let reasons = reasons.as_array().unwrap().iter().map(Value::to_string);
        reasons.map(|reason| reason.replace(|c: char| c.is_ascii_digit(), "")).collect()
    };
    let (said, commands) = (without_ages(&page["reasons"]), without_ages(&command["reasons"]));
    let (same, more) = said.split_at(commands.len());
    assert_eq!(same, commands);
    // The page knows of values, too, and of nothing else.
    let kinds = page["findings"].as_array().unwrap().iter().map(|finding| finding["kind"].as_str().unwrap());
    assert_eq!(kinds.skip(commands.len()).filter(|kind| *kind != "wrong_values").count(), 0, "{more:?}");
    // A red light stands under no headline that does not speak of it.
    assert!(said.iter().any(|reason| reason.contains("has had no new row")), "{said:?}");
    assert_eq!(page["is_well"], false);
    for table in command["tables"].as_array().unwrap() {
        let own = by_name(&page["tables"], table["table"].as_str().unwrap());
        for key in ["rows", "conflicts", "rejected_lines", "gaps", "records_missing"] {
            assert_eq!(own[key], table[key], "{key}");
        }
        for key in ["pending", "sent", "rejected", "expired"] {
            assert_eq!(own["sent"][key], table[key], "{key}");
        }
    }
    let met = by_name(&page["tables"], "met");
    assert_eq!(met["alive"]["state"], "good", "{}", met["alive"]["why"]);
    // 6 of 300 are 99 degrees.
    assert_eq!(met["right"]["state"], "suspect", "{}", met["right"]["why"]);
    assert_eq!(met["right"]["worst"][0]["fail"], 6);
    assert_eq!(met["right"]["values"], 600);
    assert_eq!(by_name(&page["tables"], PAR)["alive"]["state"], "dead");
    assert!(page["sync"]["last_acknowledged"].is_i64() || page["sync"]["last_acknowledged"].is_f64());
}

#[test]
fn a_view_holds_every_row_or_bins_and_says_which_test_failed() {
    let (tower, newest) = lived();
    let served = Served::start(&tower.config_path());
    let rows = trace_of_met(&served, newest, 2_000);
    assert!(rows["bin_s"].is_null());
    assert_eq!(rows["times"].as_array().unwrap().len(), 300);
    let ta = by_name(&rows["columns"], "TA");
    assert_eq!(ta["value"][0], 0.5);
    assert_eq!(ta["value"][49], Value::Null, "a failed value is not in the line");
    assert_eq!(ta["fail"].as_array().unwrap().len(), 6);
    assert_eq!(ta["fail"][0][1], 99);
    let findings = ta["findings"].as_array().unwrap();
    assert!(findings.iter().any(|finding| finding[0] == 49 && finding[1] == "gross_range" && finding[2] == "fail"));
    assert!(findings.iter().any(|finding| finding[0] == 49 && finding[1] == "spike"));
    let rh = by_name(&rows["columns"], "RH");
    assert_eq!(rh["missing"][0][0], 99);
    let by_hand = rh["findings"].as_array().unwrap();
    assert!(by_hand.iter().any(|finding| finding[3].as_str().unwrap().contains("bird on the sensor")), "{by_hand:?}");
    let bins = trace_of_met(&served, newest, 20);
    assert!(bins["bin_s"].as_f64().unwrap() > 60.0);
    let counted: u64 = bins["rows"].as_array().unwrap().iter().map(|rows| rows.as_u64().unwrap()).sum();
    assert_eq!(counted, 300);
}

#[test]
fn the_rows_behind_a_plot_have_their_text_flag_and_test_and_come_in_limited_parts() {
    let (tower, newest) = lived();
    let served = Served::start(&tower.config_path());
    let to = newest.timestamp_millis();
    let conn = tower.database();
    let sql = "SELECT ((r.id & 4503599627370495) * 1000 + r.nanos) / 1000000, r.vals, r.flags FROM reading r JOIN series s ON \
               s.id = r.id >> 52 JOIN logger_table t ON t.id = s.logger_table WHERE t.name = 'met' ORDER BY r.id";
    let mut statement = conn.prepare(sql).unwrap();
    let stored = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    let stored: Vec<(i64, String, String)> = stored.map(Result::unwrap).collect();
    let (mut from, mut at, mut parts) = ((to - 86_400_000).to_string(), 0, 0);
    loop {
        let part = served.json(&format!("/api/values?table=met&columns=RH,TA&from={from}&to={to}&rows=70"));
        let times = part["times"].as_array().unwrap();
        assert!(times.len() <= 70);
        for (i, time) in times.iter().enumerate() {
            let (ms, vals, flags) = &stored[at + i];
            assert_eq!(time.as_i64().unwrap(), *ms);
            for (column, place) in [("TA", 0), ("RH", 1)] {
                let column = by_name(&part["columns"], column);
                let text = column["text"][i].as_str().unwrap_or("null");
                let spelled: Vec<&str> = vals.trim_matches(['[', ']']).split(',').collect();
                assert_eq!(text, spelled[place], "row {at} + {i}");
                assert_eq!(column["flags"].as_str().unwrap()[i..=i], flags[place..=place]);
            }
        }
        let ta = by_name(&part["columns"], "TA")["findings"].as_array().unwrap();
        let failed = ta.iter().filter(|finding| finding[1] == "gross_range" && finding[2] == "fail").count();
        assert_eq!(failed, stored[at..at + times.len()].iter().filter(|(_, _, flags)| flags.starts_with('4')).count());
        at += times.len();
        parts += 1;
        match part["next"].as_str() {
            Some(next) => from = next.to_owned(),
            None => break,
        }
    }
    assert_eq!((at, parts), (stored.len(), 5), "300 rows in parts of 70");
    let plan: String = conn
        .query_row(
            "EXPLAIN QUERY PLAN SELECT id, nanos FROM reading WHERE id BETWEEN 1 AND 9 ORDER BY id LIMIT 1 OFFSET 70",
            [],
            |row| row.get(3),
        )
        .unwrap();
    assert_eq!(plan, "SEARCH reading USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)");
}

#[test]
fn the_ribbon_counts_every_flag() {
    let (tower, newest) = lived();
    let served = Served::start(&tower.config_path());
    let to = newest.timestamp_millis() + 1;
    let ribbon = served.json(&format!("/api/ribbon?table=met&from={}&to={to}&bins=24", to - 6 * 3_600_000));
    let ta = by_name(&ribbon["columns"], "TA");
    assert_eq!(ta["fail"], 6);
    assert_eq!(ta["flags"].as_str().unwrap().len(), ribbon["times"].as_array().unwrap().len());
    assert!(ta["flags"].as_str().unwrap().contains('4'));
}

#[test]
fn delivery_tells_what_went_out_what_was_refused_and_what_waits() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.stage(0..500);
    site.sync().expect(0);
    site.stage(400..900);
    server.script(|_| Act::refuse(401, "unauthorized access"));
    site.run(&["sync", "--json"]).expect(3);
    let served = Served::start(&site.path("config.toml"));
    let now = chrono::Utc::now().timestamp_millis();
    let delivery = served.json(&format!("/api/delivery?from={}&to={}", now - 3_600_000, now + 60_000));
    let sent: u64 = delivery["sent"]["rows"].as_array().unwrap().iter().map(|rows| rows.as_u64().unwrap()).sum();
    assert_eq!((sent, &delivery["total_pending"]), (500, &json!(400)));
    assert_eq!(delivery["refusals"][0]["status"], 401);
    assert!(delivery["refusals"][0]["words"].as_str().unwrap().contains("unauthorized access"));
    assert_eq!((&delivery["pending"][0]["table"], &delivery["pending"][0]["rows"]), (&json!("met"), &json!(400)));
    assert!(delivery["pending_bytes"].as_u64().unwrap() > 1_000);
    let status = served.json("/api/status");
    assert_eq!(status["tables"][0]["sent"]["state"], "waiting");
    assert!(status["sync"]["last_failure"].as_str().unwrap().contains("sync failed"), "{status}");
}

#[test]
fn lists_hold_gaps_with_their_repair_rejected_lines_conflicts_and_flags() {
    let (tower, newest) = lived();
    let served = Served::start(&tower.config_path());
    let gaps = served.json("/api/gaps");
    let gap = &gaps["gaps"][0];
    assert_eq!((&gap["first_missing"], &gap["last_missing"], &gap["missing"]), (&json!(10), &json!(14), &json!(5)));
    assert_eq!((&gap["before"]["record"], &gap["after"]["record"]), (&json!(9), &json!(15)));
    assert_eq!(gap["recipe"][1], format!("fluxtower ingest --table \"{PAR}\" FILE"));
    let rejected = served.json("/api/rejected");
    assert_eq!(rejected["rejected"][0]["raw"], "garbage,1");
    assert_eq!(rejected["conflicts"][0]["record"], 39);
    let flags = served.json("/api/flags");
    assert_eq!(flags["flags"][0]["reason"], "bird on the sensor");
    assert_eq!((&flags["flags"][0]["flag"], &flags["flags"][0]["revoked"]), (&json!("fail"), &Value::Null));
    assert_eq!(flags["flags"][0]["to"], newest.timestamp_millis());
}

#[test]
fn the_page_is_told_what_each_test_costs_as_flags_summary_counts_it() {
    let (tower, newest) = lived();
    let served = Served::start(&tower.config_path());
    let (from, to) = (newest - chrono::TimeDelta::minutes(199), newest);
    let span = format!("from={}&to={}", from.timestamp_millis(), to.timestamp_millis());
    let told = served.json(&format!("/api/costs?{span}"));
    let met = told["tables"].as_array().unwrap().iter().find(|table| table["table"] == "met").unwrap();
    assert_eq!(met["counted_from"], Value::Null);
    let text = |at: chrono::DateTime<chrono::Utc>| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let asked = ["flags", "--summary", "--table", "met", "--since", &text(from), "--until", &text(to)];
    let counted = tower.run_json(&asked).expect(0).json();
    let with_a_test = |column: &&Value| !column["tests"].as_array().unwrap().is_empty();
    let counted: Vec<&Value> = counted["columns"].as_array().unwrap().iter().filter(with_a_test).collect();
    assert_eq!(met["columns"].as_array().unwrap().iter().collect::<Vec<_>>(), counted);
    let rh = met["columns"].as_array().unwrap().iter().find(|column| column["column"] == "RH").unwrap();
    // Of 200 values two are missing, one of the four that were flagged by hand among them.
    let manual = json!({"test": "manual", "findings": 3, "suspect": 0, "fail": 3, "share": 3.0 / 198.0, "much": true});
    assert_eq!(rh["tests"], json!([manual]), "{rh}");
    // Of more rows than are counted it says from when on.
    let store = fluxtower::store::Store::open_reader(&tower.store_path()).unwrap();
    let config = fluxtower::config::Config::load(&tower.config_path()).unwrap();
    let all = (fluxtower::time::Timestamp::MIN, fluxtower::time::Timestamp::MAX);
    let costs = |most: usize| store.costs(&config, "met", all, Some(most)).unwrap();
    let first = newest - chrono::TimeDelta::minutes(9);
    assert_eq!(costs(10).counted_from, Some(fluxtower::time::Timestamp::from_utc(first)));
    let ta = |most: usize| costs(most).columns.into_iter().find(|column| column.column == "TA").unwrap();
    assert_eq!(ta(10).pass + ta(10).suspect + ta(10).fail + ta(10).not_evaluated, 10);
    assert_eq!((costs(300).counted_from, ta(300) == ta(9_999)), (None, true), "every row");
}

#[test]
fn a_question_that_cannot_be_meant_is_refused_with_words() {
    let (tower, _) = lived();
    let served = Served::start(&tower.config_path());
    for (path, code) in [
        ("/api/trace?table=met&columns=TA&from=5&to=5", 400),
        ("/api/trace?table=met&columns=TA&from=9&to=5", 400),
        ("/api/trace?table=met&columns=TA&from=NaN&to=5", 400),
        ("/api/trace?table=met&columns=TA&from=1&to=inf", 400),
        ("/api/trace?table=met&columns=TA&from=1&to=1e999", 400),
        ("/api/trace?table=met&columns=TA&from=1&to=99999999999999999999", 400),
        ("/api/trace?table=met&columns=TA&from=1&to=2&points=0", 400),
        ("/api/trace?table=met&columns=TA&from=1&to=2&points=-1", 400),
        ("/api/trace?table=met&columns=TA&from=1&to=2&points=x", 400),
        ("/api/trace?table=met&columns=TA&from=1&to=2&from=3", 400),
        ("/api/trace?table=met&columns=TA&from=1", 400),
        ("/api/trace?table=met&columns=TA&from=1&to=2&colour=red", 400),
        ("/api/trace?table=met&columns=TB&from=1&to=2", 404),
        ("/api/trace?table=met&columns=&from=1&to=2", 404),
        ("/api/trace?table=nothing&columns=TA&from=1&to=2", 404),
        ("/api/trace?table=met&columns=TA&from=1&to=2&tag.Plot=6a", 404),
        ("/api/ribbon?table=nothing&from=1&to=2", 404),
        ("/api/coverage?table=nothing&from=1&to=2", 404),
        ("/api/coverage?from=1&to=2", 400),
        ("/api/delivery?from=1", 400),
        ("/api/costs?from=2&to=1", 400),
        ("/api/rejected?limit=-5", 400),
        ("/api/status?x=1", 400),
        ("/api/nothing", 404),
    ] {
        let answer = served.get(path).expect(code);
        assert!(!answer.json()["error"].as_str().unwrap().is_empty(), "{path}");
    }
    // More than there is room for is cut, not refused and not computed.
    served.get("/api/trace?table=met&columns=TA&from=1&to=9000000000000&points=18446744073709551615").expect(200);
}

#[test]
fn a_station_without_a_database_has_a_page_and_the_database_is_found_when_it_comes() {
    let tower = configured();
    let served = Served::start(&tower.config_path());
    let status = served.json("/api/status");
    assert_eq!(status["reasons"][0], format!("table \"{PAR}\" has never been read"));
    assert_eq!(status["tables"][1]["alive"]["state"], "none");
    assert_eq!(served.json("/api/station")["tables"].as_array().unwrap().len(), 2);
    for path in ["/api/gaps", "/api/rejected", "/api/flags", "/api/costs?from=1&to=2", "/api/delivery?from=1&to=2"] {
        served.json(path);
    }
    served.get(&format!("/api/trace?table={PAR}&columns=PPFD&from=1&to=2")).expect(404);
    assert!(!tower.store_path().exists(), "a page that is looked at makes no database");
    let mut live = served.live();
    let before = live.next();
    tower.write("met.dat", super::station::met(10, super::station::this_minute()));
    tower.run(&["ingest"]).expect(1);
    assert!(live.next() > before);
    let status = served.json("/api/status");
    assert_eq!(by_name(&status["tables"], "met")["rows"], 10);
    assert_eq!(by_name(&status["tables"], PAR)["alive"]["state"], "none");
}

#[test]
fn a_file_that_is_no_database_of_ours_is_said_and_left_alone() {
    let tower = configured();
    std::fs::write(tower.store_path(), b"this is no database, and longer than a header of one would be, 16 bytes")
        .unwrap();
    let served = Served::start(&tower.config_path());
    let status = served.json("/api/status");
    assert!(status["verdict"].as_str().unwrap().starts_with("look: the database"), "{status}");
    assert!(served.get("/api/gaps").expect(500).json()["error"].as_str().unwrap().contains("salvage"));
    assert!(tower.read("store.db").starts_with(b"this is no database"));
}

#[test]
fn the_page_is_compressed_kept_by_the_browser_and_shut_against_everything_else() {
    let (tower, _) = lived();
    let served = Served::start(&tower.config_path());
    let page = served.get("/").expect(200);
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self';") && policy.contains("frame-ancestors 'none'"));
    assert!(!policy.contains("unsafe"));
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(page.header(name), Some(value));
        assert_eq!(served.get("/api/flags").header(name), Some(value));
    }
    let mut total = 0;
    let names =
        page.text().split(['"']).filter(|part| part.starts_with("/app/")).map(str::to_owned).collect::<Vec<_>>();
    assert!(names.len() > 1);
    for name in &names {
        let plain = served.get(name).expect(200);
        let small = served.ask("GET", name, &["Accept-Encoding: gzip"]).expect(200);
        assert_eq!(small.header("content-encoding"), Some("gzip"), "{name}");
        let mut text = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(small.body.as_slice()), &mut text).unwrap();
        assert_eq!(text, plain.body);
        total += small.body.len();
        let etag = plain.header("etag").unwrap();
        let again = served.ask("GET", name, &[&format!("If-None-Match: {etag}")]).expect(304);
        assert!(again.body.is_empty());
        let head = served.ask("HEAD", name, &[]).expect(200);
        assert!(head.body.is_empty() && head.header("content-length") == Some(plain.body.len().to_string().as_str()));
    }
    println!("{} files, {total} bytes compressed", names.len());
    assert!(total < 150_000);
    assert!(
        served.ask("GET", "/api/status", &["Accept-Encoding: gzip, br"]).expect(200).header("cache-control")
            == Some("no-store")
    );
}

#[test]
fn several_configurations_are_a_list_with_the_worst_first_and_one_command_takes_no_more_than_one() {
    let (tower, _) = lived();
    let other = configured();
    other.replace_in_config("US-UMB", "B/C");
    let (first, second) = (tower.config_path(), other.config_path());
    // Behind the command, they stand for all that stand before it.
    let both = ["--config", first.to_str().unwrap(), "--config", second.to_str().unwrap()];
    let served = Served::with(&first, &both);
    let stations = served.json("/api/stations")["stations"].clone();
    let names: Vec<&str> = stations.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 2, "{stations}");
    for one in stations.as_array().unwrap() {
        let path = one["path"].as_str().unwrap();
        assert!(["/station/US-UMB/", "/station/B_C/"].contains(&path), "{one}");
        let station = served.json(&format!("{path}api/station"));
        assert_eq!(station["station"], one["name"]);
        let status = served.json(&format!("{path}api/status"));
        assert_eq!((&status["state"], &status["reasons"][0]), (&one["state"], &one["worst"]));
        assert!(served.get(path).expect(200).text().contains("/app/page.js"));
    }
    let rank =
        |one: &serde_json::Value| ["look", "unknown", "note", "ok"].iter().position(|state| one["state"] == *state);
    assert!(rank(&stations[0]) <= rank(&stations[1]), "{stations}");
    assert!(served.get("/").expect(200).text().contains("/app/stations.js"));
    served.get("/app/stations.js").expect(200);
    served.get("/api/status").expect(404);
    served.get("/station/nobody/api/status").expect(404);

    let ended = tower.run(&[&["status"], &both[..]].concat());
    assert!(ended.code == 2 && ended.stderr.contains("--config is given more than once"), "{}", ended.stderr);
    let empty = tempfile::TempDir::new().unwrap();
    let ended = crate::support::Station::new().run(&["serve", "--config", empty.path().to_str().unwrap()]);
    assert!(ended.code == 2 && ended.stderr.contains("holds no configuration"), "{}", ended.stderr);
}
