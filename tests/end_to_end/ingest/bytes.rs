//! One line: how a value is spelled, and what makes it no row.

use super::*;

#[test]
fn i1_nul_bytes_behind_a_torn_row_reject_it_and_the_row_behind_them_is_read() {
    let tower = Station::new();
    let torn =
        [b"\"2024-05-01 00:00:05\",1,1.5,2".as_slice(), &[0; 100], b"\"2024-05-01 00:00:10\",2,1,2\r\n"].concat();
    let content =
        [b"\"2024-05-01 00:00:00\",0,1,2\r\n".as_slice(), &torn, b"\"2024-05-01 00:00:15\",3,1,2\r\n"].concat();
    ingest(&tower, behind_header(content), "header 4 staged 3 rejected 1").expect(1);
    let (reason, raw) = &rejected(&tower)[0];
    assert_eq!(reason, "NUL bytes follow: the rest of the line was lost, as in a power failure");
    assert!(raw.contains("00:00:05") && !raw.contains("00:00:10"), "{raw}");
}

#[test]
fn i1_what_is_before_and_behind_nul_bytes_is_never_one_value() {
    for torn in [
        "\"2024-05-01 00:00:05\",1,1\02.5,2\r\n",
        "\"2024-05-01 00:00:05\",1\0\02,12.5,2\r\n",
        "\"2024-05-01 00:00:05\",1,-\0\05,2\r\n",
        "\"2024-05-01 00:00:05\",1,1,\0\02\r\n",
        "\"2024-05-01 00:00:\005\",1,1,2\r\n",
    ] {
        let tower = Station::new();
        ingest(&tower, behind_header(torn), "header 4 rejected 2").expect(1);
        assert_eq!(tower.rows(TABLE).len(), 0, "{torn:?}");
    }
}

#[test]
fn line_ends_that_were_written_twice_are_no_part_of_the_last_value() {
    let tower = Station::new();
    ingest(&tower, behind_header("\"2024-05-01 00:00:00\",0,1,2\r\r\n"), "header 4 staged 1").expect(0);
    assert_eq!(tower.rows(TABLE)[0].vals, "[1,2]");
}

/// What a value field becomes: JSON and QARTOD digit.
#[test]
fn i8_every_spelling_of_a_value_keeps_its_kind() {
    for (field, json, flag) in [
        ("624.6105", "624.6105", '2'),
        ("-0", "-0", '2'),
        ("7999", "7999", '2'),
        ("6.36E-05", "6.36E-05", '2'),
        ("7.591075E-005", "7.591075E-005", '2'),
        ("4.09545187592563E-312", "4.09545187592563E-312", '2'),
        (".451", "0.451", '2'),
        ("-.077", "-0.077", '2'),
        ("\"NAN\"", "null", '9'),
        ("NAN", "null", '9'),
        ("nan", "null", '9'),
        ("", "null", '9'),
        ("\"INF\"", "\"INF\"", '9'),
        ("-INF", "\"-INF\"", '9'),
        ("\"\"", "\"\"", '9'),
        ("\"64291\"", "\"64291\"", '2'),
        ("\"011.000\"", "\"011.000\"", '2'),
        ("\"11111111\"", "\"11111111\"", '2'),
        ("\"OK, ON POWER UP\"", "\"OK, ON POWER UP\"", '2'),
        ("\"1,4093  \"", "\"1,4093  \"", '2'),
        ("\"say \"\"hi\"\"\"", "\"say \\\"hi\\\"\"", '2'),
        ("\"2024-09-25 16:14:03.000664\"", "\"2024-09-25 16:14:03.000664\"", '2'),
        ("1e400", "\"1e400\"", '2'),
    ] {
        let tower = Station::new();
        ingest(&tower, behind_header(format!("\"2024-05-01 00:00:00\",0,{field},1\r\n")), "header 4 staged 1")
            .expect(0);
        let row = &tower.rows(TABLE)[0];
        assert_eq!(row.vals, format!("[{json},1]"), "{field}");
        assert_eq!(row.flags.chars().next(), Some(flag), "{field}");
    }
}

#[test]
fn a_row_of_another_width_is_kept_as_rejected_and_the_file_goes_on() {
    let tower = Station::new();
    let content = "\"2024-05-01 00:00:00\",0,1\r\n\"2024-05-01 00:00:05\",1,1,2,3\r\n\"2024-05-01 00:00:10\",x,1,2\r\n\"2024-05-01 00:00:15\",3,1,2\r\n";
    ingest(&tower, behind_header(content), "header 4 staged 1 rejected 3").expect(1);
    let reasons: Vec<String> = rejected(&tower).into_iter().map(|line| line.0).collect();
    assert_eq!(
        reasons,
        ["\"x\" is not a record number", "5 fields where the header has 4", "3 fields where the header has 4"]
    );
}
