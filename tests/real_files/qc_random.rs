//! Thousands of random series with the flags of ioos_qc, which `tests/qc/reference.py` makes where ioos_qc can be installed.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::qc_vectors::{Case, case_flags};

#[test]
#[ignore = "needs FLUXTOWER_QC_RANDOM, a file that tests/qc/reference.py wrote; .ci/run makes it"]
fn random_series_have_the_flags_of_ioos_qc() {
    let path = std::env::var("FLUXTOWER_QC_RANDOM").expect("FLUXTOWER_QC_RANDOM names the file of random series");
    let file: Json = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut counted: BTreeMap<&str, (usize, usize, usize)> = BTreeMap::new();
    let mut wrong = Vec::new();
    for case in file["unit"].as_array().unwrap() {
        let test = case["test"].as_str().unwrap();
        let ours = case_flags(test, &case["config"], Case { times: &case["times"], values: &case["values"] });
        let theirs = case["flags"].as_array().unwrap();
        assert_eq!(ours.len(), theirs.len(), "{}", case["id"]);
        let (series, values, raised) = counted.entry(test).or_default();
        *series += 1;
        for (at, (ours, theirs)) in ours.bytes().zip(theirs).enumerate() {
            // What the two flag otherwise on purpose is not there.
            let Some(theirs) = theirs.as_u64() else { continue };
            *values += 1;
            *raised += usize::from(theirs == 3 || theirs == 4);
            if u64::from(ours - b'0') != theirs && wrong.len() < 20 {
                wrong.push(format!("{} at {at}: ours {}, ioos_qc {theirs}: {case}", case["id"], char::from(ours)));
            }
        }
    }
    for (test, (series, values, raised)) in &counted {
        println!("{test}: {series} series, {values} flags compared, {raised} of them 3 or 4");
        assert!(values > series && *raised > series / 10, "{test}: too little is compared");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(counted.len(), 7);
}
