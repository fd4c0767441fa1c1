#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use fluxtower::config::Config;
use fluxtower::panel::plan;
#[test]
fn show() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/us-umb/config.toml");
    let config = Config::load(&path).unwrap_or_else(|e| panic!("{e}"));
    for row in plan(&config, &[]).rows {
        println!("== {}", row.title);
        for p in row.panels {
            println!(
                "  {:?} {} [{}] {} right {:?} mean {:?} {}",
                p.kind, p.title, p.id, p.axis.unit, p.right, p.mean, p.description
            );
            for s in p.series {
                println!("      {:24} {:26} {} {}", s.label, s.field, s.colour.hex, s.colour.dash);
            }
        }
    }
}
