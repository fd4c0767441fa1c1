//! `init` on rows from before the default of `valid_from`: a series of the nineties is read, and what a clock may have written that
//! was not set is left to the user.

use crate::init_text_tables::Drafted;

fn daily(first: &str, days: u32) -> String {
    let first = chrono::NaiveDate::parse_from_str(first, "%Y-%m-%d").unwrap();
    (0..days).fold("Time,T\n".to_owned(), |text, day| {
        text + &format!("{} 06:00:00,{}.5\n", first + chrono::TimeDelta::days(day.into()), day % 9)
    })
}

#[test]
fn a_series_of_the_nineties_has_its_valid_from() {
    for (first, days) in [("1993-05-01", 60), ("1999-12-20", 60), ("2000-01-01", 60), ("1993-05-01", 3)] {
        let drafted = Drafted::of("old.csv", &daily(first, days));
        drafted.has(&[
            &format!("valid_from = \"{first}\""),
            &format!("# CHECK: its rows begin at {first}. Without valid_from"),
        ]);
        assert_eq!(drafted.counts(), [days.into(), 0, 0], "{first}");
    }
    Drafted::of("new.csv", &daily("2000-01-02", 60)).lacks("valid_from");
}

#[test]
fn rows_of_a_clock_that_was_not_set_stay_rejected() {
    let unset = Drafted::of("rtc.csv", &daily("2000-01-01", 5));
    unset.has(&[
        "#valid_from = \"2000-01-01\"",
        "# CHECK: its rows begin at 2000-01-01, as those of a clock do that was not set",
    ]);
    assert_eq!(unset.counts(), [4, 0, 1]);
    let later = daily("2024-05-01", 60).replace("Time,T\n", "");
    let set = Drafted::of("rtc.csv", &(daily("1990-01-01", 5) + &later));
    set.lacks("valid_from =");
    assert_eq!(set.counts(), [60, 0, 5]);
}
