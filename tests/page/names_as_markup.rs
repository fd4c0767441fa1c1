//! Names that would be markup, if a page took them for it.

use crate::page::Page;
use crate::station;
use crate::support::Station;

#[test]
#[ignore = "needs FLUXTOWER_CHROMEDRIVER and FLUXTOWER_CHROMIUM"]
fn names_that_are_markup_appear_as_text_and_run_nothing() {
    let image = "<img src=x onerror=window.harmed=1>";
    let script = "<script>window.harmed=2</script>";
    let tower = Station::new().table("name = \"met\"\nfiles = [\"met.dat\"]\n");
    tower.replace_in_config("US-UMB", image);
    let newest = station::now() / 60 * 60;
    let rows = (newest - 7_200..=newest).step_by(60).map(|at| (at, vec![station::weather(at)[0], 1.0]));
    let mut text = station::toa5(
        "Met",
        &[(script, image), ("A, 50% & \"B", "<b>x</b>")].map(|(n, u)| (n.split('"').next().unwrap(), u)),
        rows,
    );
    text.push_str("\"<svg onload=window.harmed=3>\",1,2,3\r\n");
    tower.write("met.dat", text);
    let ended = tower.run(&["ingest"]);
    assert!(ended.code <= 1, "{}", ended.stderr);
    let page = Page::open(&tower, "#/");
    assert_eq!(page.text("h1"), image);
    for view in [
        "panels",
        "table/met",
        "values",
        "patterns",
        "now",
        "flags",
        "delivery",
        "gaps",
        "rejected",
        "table/%3Cimg%20src%3Dx%20onerror%3Dwindow.harmed%3D4%3E",
    ] {
        page.go(&format!("#/{view}"));
        assert_eq!(page.browser.run("return window.harmed === undefined && document.querySelectorAll('#main img, #main script, #main svg, h1 *').length === 0"), true, "{view}");
    }
    page.go("#/table/met");
    page.browser.picture("hostile");
    assert!(page.text("#main").contains(script), "the column is named as it is");
    assert!(!page.text("#main").contains("Could not be drawn"), "{}", page.text("#main"));
    page.was_quiet();
}
