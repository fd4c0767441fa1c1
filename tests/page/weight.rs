//! How much the page weighs on a slow link.

use reqwest::blocking::Client;

use crate::page::Served;
use crate::station;

/// What the issue asks for.
const MOST: usize = 150_000;

#[test]
fn the_page_and_all_that_it_loads_weigh_less_than_150_kb() {
    let tower = station::tower("", "");
    let served = Served::start(&tower);
    let client = Client::builder().no_proxy().build().unwrap();
    let get = |path: &str| {
        let url = format!("{}{}", served.url, path.trim_start_matches('/'));
        let answer = client.get(url).header("accept-encoding", "gzip").send().unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        assert_eq!(answer.headers()["content-encoding"], "gzip", "{path}");
        answer.bytes().unwrap()
    };
    let compressed = get("/");
    let mut page = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&compressed[..]), &mut page).unwrap();
    let mut sum = compressed.len();
    let parts: Vec<&str> = page.split('"').filter(|part| part.starts_with("/app/")).collect();
    assert_eq!(parts, ["/app/page.css", "/app/page.js"]);
    for part in parts {
        sum += get(part).len();
    }
    println!("{sum} bytes");
    assert!(sum < MOST, "{sum} bytes, compressed");
}
