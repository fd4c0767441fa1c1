//! `init` on rows whose time the format of most rows does not read, and that stand above the others: they are rows, or rejected
//! lines that are kept, and never lines of a header, which would be lost in each later content of the file, too.

use crate::init_text_tables::{Drafted, half_hour};

fn rows(range: std::ops::Range<u32>, stamp: &dyn Fn(u32) -> String) -> String {
    range.fold(String::new(), |text, row| text + &format!("{},{row}.5,55\n", stamp(row)))
}

#[test]
fn i1_rows_above_the_first_time_of_the_usual_form_are_rows_in_their_own_form() {
    let forms: [(&str, &dyn Fn(u32) -> String); 3] = [
        ("time_formats = [\"%Y-%m-%d %H:%M:%S EDT\"]", &|row| {
            half_hour(row, if row < 29 { "%Y-%m-%d %H:%M:%S EDT" } else { "%Y-%m-%d %H:%M:%S EST" })
        }),
        ("time_formats = [\"%m/%d/%Y %H:%M\"]", &|row| {
            half_hour(row, if row < 12 { "%m/%d/%Y %H:%M" } else { "%Y-%m-%d %H:%M:%S" })
        }),
        ("time_formats = [\"%d.%m.%Y %H:%M EST\"]", &|row| {
            half_hour(row, if row < 35 { "%d.%m.%Y %H:%M EST" } else { "%d.%m.%Y %H:%M" })
        }),
    ];
    for (formats, stamp) in forms {
        for head in ["Time,T,RH\n", ""] {
            let drafted = Drafted::of("met.csv", &(head.to_owned() + &rows(0..90, stamp)));
            drafted.has(&[formats]);
            drafted.lacks("\nskip_lines");
            assert_eq!(drafted.counts(), [90, 0, 0], "{formats} {head}");
            assert!(drafted.rows("met")[5].starts_with("2025-11-20 02:30:00,,5.5"), "{:?}", drafted.rows("met")[5]);
        }
    }
    // In the first twelve days of a month, the rows beside them tell day and month apart.
    let early = |row: u32| half_hour(row + 13 * 48, if row < 12 { "%d/%m/%Y %H:%M" } else { "%Y-%m-%d %H:%M:%S" });
    let drafted = Drafted::of("met.csv", &format!("Time,T,RH\n{}", rows(0..90, &early)));
    drafted.has(&["time_formats = [\"%d/%m/%Y %H:%M\"]"]);
    assert_eq!(drafted.counts(), [90, 0, 0]);
}

#[test]
fn i1_rows_of_a_clock_that_was_not_set_are_rejected_and_no_row_of_a_later_content_is_skipped() {
    for head in ["Time,T,RH\n", ""] {
        for unset in ["2165/165/165 165:165:85", "NA", "0000/00/00 00:00:00"] {
            let unread = rows(0..5, &|_| unset.to_owned());
            let text = head.to_owned() + &unread + &rows(0..40, &|row| half_hour(row, "%Y/%m/%d %H:%M:%S"));
            let drafted = Drafted::of("met.csv", &text);
            drafted.has(&["# CHECK: of the lines above the first time that can be read 5 look like rows"]);
            drafted.lacks("\nskip_lines");
            assert_eq!(drafted.counts(), [40, 0, 5], "{unset} {head}");
            let next = head.to_owned() + &rows(40..80, &|row| half_hour(row, "%Y/%m/%d %H:%M:%S"));
            drafted.station.write("met.csv", next);
            assert_eq!(drafted.counts(), [40, 0, 0], "{unset} {head}");
        }
    }
}

#[test]
fn i1_a_capture_that_begins_in_the_middle_of_a_line_gives_no_line_of_a_header() {
    for begin in ["4.5,55", "5", "0:00,10.5,55", "11-19 23:30:00,10.5,55"] {
        let stamp = |row: u32| half_hour(row, "%Y-%m-%d %H:%M:%S");
        let drafted = Drafted::of("serial.csv", &format!("{begin}\n{}", rows(0..40, &stamp)));
        drafted.lacks("\nskip_lines");
        assert_eq!(drafted.counts(), [40, 0, 1], "{begin}");
        drafted.station.write("serial.csv", rows(40..80, &stamp));
        assert_eq!(drafted.counts(), [40, 0, 0], "{begin}");
    }
}

#[test]
fn the_names_of_the_columns_stand_below_a_number_that_looks_like_the_end_of_a_row() {
    let stamp = |row: u32| half_hour(row, "%Y-%m-%d %H:%M:%S");
    let drafted = Drafted::of("met.csv", &format!("120\nwhen,air,moist\n{}", rows(0..40, &stamp)));
    drafted.has(&["names_line = 2", "time_column = \"when\""]);
    assert_eq!(drafted.counts(), [40, 0, 0]);
}

#[test]
fn i1_a_line_of_numbers_without_a_time_above_the_rows_is_a_header_line_with_a_check() {
    let stamp = |row: u32| half_hour(row, "%Y-%m-%d %H:%M:%S");
    let drafted = Drafted::of("soil.csv", &format!("Time,T5,T10\n,5,10\n{}", rows(0..40, &stamp)));
    drafted.has(&["# CHECK: line 2 has numbers as the rows have them and no time", "skip_lines = 2"]);
    assert_eq!(drafted.counts(), [40, 0, 0]);
    let lost = Drafted::of("soil.csv", &format!("Time,T5,T10\n{}{}", ",5,10\n".repeat(6), rows(0..40, &stamp)));
    lost.lacks("\nskip_lines");
    assert_eq!(lost.counts(), [40, 0, 6]);
}
