//! CSIXML (docs/file-formats.md#csixml): values by the number in their tag, characters by name and number, quotes of
//! either kind, UTF-16, and a second document in the same file.

use serde_json::Value;

use crate::support::{DAT, Row, Station, TABLE};

fn head(fields: &[[&str; 2]]) -> String {
    let fields: String = fields
        .iter()
        .map(|[name, unit]| format!("<field name=\"{name}\" units=\"{unit}\" type=\"xsd:float\" process=\"Smp\"/>\r\n"))
        .collect();
    format!(
        "<?xml version=\"1.0\" standalone=\"yes\"?>\r\n<csixml version=\"1.0\">\r\n<head>\r\n<environment>\r\n\
         <station-name>46m</station-name>\r\n<table-name>Flux</table-name>\r\n</environment>\r\n<fields>\r\n{fields}</fields>\r\n\
         </head>\r\n<data>\r\n"
    )
}

fn record(minute: u32, values: &str) -> String {
    format!("<r time=\"2024-05-01T00:{minute:02}:00\" no=\"{minute}\">{values}</r>\r\n")
}

const END: &str = "</data>\r\n</csixml>\r\n";
const A_B: [[&str; 2]; 2] = [["A", ""], ["B", ""]];

fn ingest(tower: &Station, content: impl AsRef<[u8]>) -> Value {
    tower.write(DAT, content);
    let ended = tower.run_json(&["ingest"]);
    assert!(ended.code <= 1, "{ended:?}");
    ended.json()["tables"][0].clone()
}

fn values(rows: &[Row]) -> Vec<String> {
    rows.iter().map(|row| row.vals.clone()).collect()
}

#[test]
fn a_value_is_that_of_the_field_whose_number_its_tag_has() {
    let tower = Station::new();
    let file = head(&A_B)
        + &record(0, "<v2>2</v2><v1>1</v1>")
        + &record(1, "<v1>1</v1>")
        + &record(2, "<v1/><v2></v2>")
        + &record(3, "<v1>1</v1><v2>2</v2><v3>3</v3>")
        + &record(4, "<v2x>1</v2x><v1>2</v1>")
        + &record(5, "<v1>1</v1><v1>2</v1>")
        + "<r no='6'  time='2024-05-01T00:06:00' ><v1 >1</v1 ><v2>2</v2></r>\r\n";
    let report = ingest(&tower, file);
    assert_eq!((report["staged"].as_u64(), report["rejected"].as_u64()), (Some(3), Some(4)), "{report}");
    assert_eq!(values(&tower.rows(TABLE)), ["[1,2]", "[null,null]", "[1,2]"]);
    let rejected = tower.run_json(&["rejected"]).expect(0).json().to_string();
    assert!(rejected.contains("<v2x>1</v2x><v1>2</v1>"), "{rejected}");
}

#[test]
fn characters_by_number_and_attributes_in_single_quotes_are_read() {
    let tower = Station::new().table_keys("[table.columns.A]\nvariable = \"TA\"\n");
    let text =
        head(&[["A", "&#176;C"]]).replace('"', "'").replace("<fields>", "<fields><field name='N' type='xsd:string'/>");
    let report = ingest(&tower, text + &record(0, "<v1>M&#252;hle &#x26; &amp;lt;</v1><v2>99</v2>"));
    assert_eq!(report["staged"], 1, "{report}");
    let rows = tower.rows(TABLE);
    assert_eq!(rows[0].vals, "[\"Mühle & &lt;\",99]");
    // The unit is known, so that the range of TA is looked at.
    assert!(!rows[0].flags.contains("[1,1]"), "{}", rows[0].flags);
    let unit = tower.run_json(&["flag", "--list"]).stdout;
    assert!(!unit.contains("#176"), "{unit}");
}

#[test]
fn i3_a_file_in_utf_16_is_read_grows_and_may_hold_a_second_document() {
    for is_big in [false, true] {
        let encode = |text: &str| -> Vec<u8> {
            let units =
                std::iter::once('\u{FEFF}').chain(text.chars()).flat_map(|c| c.encode_utf16(&mut [0; 2]).to_vec());
            units.flat_map(|unit: u16| if is_big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
        };
        let tower = Station::new();
        let text = head(&[["Ä", "°C"], ["B", ""]]);
        let rows = |minutes: std::ops::Range<u32>| -> String {
            minutes.map(|minute| record(minute, &format!("<v1>{minute}</v1><v2>𝄞 ü</v2>"))).collect()
        };
        let text = text.replace("name=\"B\" units=\"\" type=\"xsd:float\"", "name=\"B\" type=\"xsd:string\"");
        let report = ingest(&tower, encode(&(text.clone() + &rows(0..3))));
        assert_eq!(report["staged"], 3, "{report}");
        let report = ingest(&tower, encode(&(text.clone() + &rows(0..5))));
        assert_eq!((report["staged"].as_u64(), report["duplicates"].as_u64()), (Some(2), Some(0)), "{report}");
        let swapped = head(&[["C", ""], ["Ä", "°C"]]);
        let second = |minutes: std::ops::Range<u32>| -> String {
            minutes.map(|minute| record(minute, &format!("<v1>7</v1><v2>{minute}</v2>"))).collect()
        };
        for end in [6, 8] {
            let joined =
                [encode(&(text.clone() + &rows(0..5) + END)), encode(&(swapped.clone() + &second(5..end)))].concat();
            let report = ingest(&tower, joined);
            assert_eq!((report["duplicates"].as_u64(), report["rejected"].as_u64()), (Some(0), Some(0)), "{report}");
        }
        let rows = tower.rows(TABLE);
        assert_eq!((rows.len(), rows[4].vals.as_str()), (8, "[4,\"𝄞 ü\"]"));
        assert_eq!((rows[5].vals.as_str(), rows[7].vals.as_str()), ("[5,null,7]", "[7,null,7]"));
        assert!(tower.run(&["check"]).stdout.contains("newest record 2024-05-01 00:07:00"));
    }
}

#[test]
fn a_second_document_in_the_file_says_what_its_values_are() {
    let swapped = [["B", ""], ["A", ""]];
    let tower = Station::new();
    let first = head(&A_B) + &record(0, "<v1>1</v1><v2>2</v2>") + &record(1, "<v1>1</v1><v2>2</v2>") + END;
    let second = |end: u32| -> String {
        head(&swapped) + &(2..end).map(|minute| record(minute, "<v1>2</v1><v2>1</v2>")).collect::<String>()
    };
    assert_eq!(ingest(&tower, &first)["staged"], 2);
    // The head of the second one, and no record.
    let report = ingest(&tower, first.clone() + &second(2));
    assert_eq!((report["staged"].as_u64(), report["rejected"].as_u64()), (Some(0), Some(0)), "{report}");
    for end in [3, 4, 6] {
        let report = ingest(&tower, first.clone() + &second(end));
        assert_eq!((report["duplicates"].as_u64(), report["rejected"].as_u64()), (Some(0), Some(0)), "{report}");
    }
    assert_eq!(values(&tower.rows(TABLE)), ["[1,2]"; 6]);
    // A record is cut by the document behind it; a head alone begins anew, too.
    let tower = Station::new();
    let cut = head(&A_B) + &record(0, "<v1>1</v1><v2>2</v2>") + "<r time=\"2024-05-01T00:01:00\" no=\"1\"><v1>1";
    let alone = second(4).split_once("<head>").map(|(_, rest)| format!("<head>{rest}")).unwrap();
    for (place, joined) in [cut.clone() + &second(4), cut + &alone].into_iter().enumerate() {
        let report = ingest(&tower, joined);
        assert_eq!(report["rejected"], 1, "{place}: {report}");
        assert_eq!(values(&tower.rows(TABLE)), ["[1,2]"; 3], "{place}");
    }
}

#[test]
fn records_behind_a_head_that_cannot_be_read_are_rejected() {
    let tower = Station::new();
    let nameless = head(&[["B", ""], ["A", ""]]).replace("name=\"A\" ", "");
    let file = head(&A_B) + &record(0, "<v1>1</v1><v2>2</v2>") + &nameless + &record(1, "<v1>2</v1><v2>1</v2>");
    let report = ingest(&tower, &file);
    assert_eq!(report["staged"], 1, "{report}");
    let report =
        ingest(&tower, file + &record(2, "<v1>2</v1><v2>1</v2>") + &head(&A_B) + &record(3, "<v1>1</v1><v2>2</v2>"));
    assert!(report["rejected"].as_u64() >= Some(2), "{report}");
    assert_eq!(values(&tower.rows(TABLE)), ["[1,2]"; 2]);
}
