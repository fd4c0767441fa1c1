//! Mail, against a server of a few lines of which is known what it offers and refuses.

use super::post_office::{PostOffice, Rules, certificate};
use super::{broken, leaves_no_trace, pauses_are_over, repaired, station};
use crate::support::Station;

const PASSWORD: &str = "T0PS3CRET-mail-word";

fn tower(office: &PostOffice, security: &str, keys: &str) -> Station {
    let mut tower = station(&format!(
        "smtp_host = \"127.0.0.1\"\nsmtp_port = {}\nsmtp_security = \"{security}\"\nsmtp_from = \"tower@example.edu\"\n{keys}",
        office.port
    ));
    tower.set_variable("FLUXTOWER_TEST_SMTP", PASSWORD);
    std::fs::copy(certificate("ca.pem"), tower.path("ca.pem")).unwrap();
    tower
}

const TO_ONE: &str = "smtp_to = [\"anna@example.edu\"]";
const LOGIN: &str = "smtp_user = \"tower\"\nsmtp_password_env = \"FLUXTOWER_TEST_SMTP\"";

#[test]
fn each_receiver_gets_a_mail_when_a_finding_appears_and_when_it_clears() {
    let office = PostOffice::start(Rules { starttls: true, password: Some(PASSWORD), ..Rules::default() });
    let to = "smtp_to = [\"Anna <anna@example.edu>\", \"field@example.edu\"]";
    let tower = tower(&office, "starttls", &format!("{to}\n{LOGIN}\nca_file = \"ca.pem\""));
    broken(&tower);
    for _ in 0..2 {
        let _ = tower.run(&["run"]).expect(1);
    }
    let mails = office.mails();
    let to: Vec<&[String]> = mails.iter().map(|mail| mail.to.as_slice()).collect();
    assert_eq!(to, [["anna@example.edu".to_owned()], ["field@example.edu".to_owned()]]);
    for mail in &mails {
        assert!(mail.is_encrypted && mail.login.as_deref() == Some("tower") && mail.from == "tower@example.edu");
        for header in
            ["Subject: US-UMB: problem: ", "Auto-Submitted: auto-generated", "Message-ID: <fluxtower.", "Date: "]
        {
            assert!(mail.text.contains(header), "{header}: {}", mail.text);
        }
        assert!(mail.text.contains("-05:00"), "{}", mail.text);
    }
    // One login for both: one connection.
    assert_eq!(office.logins(), 1);
    repaired(&tower);
    let _ = tower.run(&["run"]).expect(0);
    let mails = office.mails();
    assert_eq!(mails.len(), 4);
    assert!(mails[3].text.contains("Subject: US-UMB: cleared: "), "{}", mails[3].text);
    leaves_no_trace(tower.folder(), PASSWORD, &[]);
}

#[test]
fn a_server_that_is_encrypted_from_the_first_byte_on_takes_mail() {
    let office = PostOffice::start(Rules { tls: true, ..Rules::default() });
    let tower = tower(&office, "tls", &format!("{TO_ONE}\nca_file = \"ca.pem\""));
    let said = tower.run(&["check", "--notify"]).works().stdout;
    assert!(said.contains("anna@example.edu took a test message"), "{said}");
    assert!(office.mails()[0].is_encrypted && office.mails()[0].text.contains("Subject: US-UMB: test"));
}

/// What `check --notify` and `status` say of a server that gets no mail.
#[track_caller]
fn refused(office: &PostOffice, tower: &Station, expected: &[&str]) {
    broken(tower);
    let run = tower.run(&["-vv", "run"]).expect(1);
    let check = tower.run(&["check", "--notify"]).expect(1).stdout;
    for text in expected {
        assert!(check.contains(text), "{text}: {check}");
        assert!(run.stdout.contains(text), "{text}: {}", run.stdout);
    }
    assert_eq!(office.mails().len(), 0);
    for said in [&check, &run.stdout, &run.stderr] {
        assert!(!said.contains("T0PS3CRET"), "{said}");
    }
    leaves_no_trace(tower.folder(), PASSWORD, &[]);
}

#[test]
fn a_server_without_starttls_gets_neither_password_nor_mail_and_the_message_says_what_to_do() {
    let office = PostOffice::start(Rules { password: Some(PASSWORD), ..Rules::default() });
    let tower = tower(&office, "starttls", &format!("{TO_ONE}\n{LOGIN}"));
    refused(&office, &tower, &["offers no encryption (STARTTLS)", "smtp_security = \"tls\" (port 465)"]);
    assert_eq!(office.logins(), 0);
}

#[test]
fn a_certificate_that_nothing_here_trusts_is_refused_and_the_message_names_ca_file() {
    let office = PostOffice::start(Rules { starttls: true, password: Some(PASSWORD), ..Rules::default() });
    let tower = tower(&office, "starttls", &format!("{TO_ONE}\n{LOGIN}"));
    refused(&office, &tower, &["certificate", "give its authority as ca_file in [notify]"]);
    assert_eq!(office.logins(), 0);
}

#[test]
fn a_port_of_the_other_kind_of_encryption_is_said() {
    let office = PostOffice::start(Rules { starttls: true, ..Rules::default() });
    let tower = tower(&office, "tls", &format!("{TO_ONE}\nca_file = \"ca.pem\""));
    refused(&office, &tower, &["smtp_security and smtp_port do not fit each other"]);
}

#[test]
fn a_wrong_password_is_permanent_is_said_without_it_and_is_tried_once() {
    let office = PostOffice::start(Rules { starttls: true, password: Some("another"), ..Rules::default() });
    let to = "smtp_to = [\"anna@example.edu\", \"field@example.edu\"]";
    let tower = tower(&office, "starttls", &format!("{to}\n{LOGIN}\nca_file = \"ca.pem\""));
    broken(&tower);
    let said = tower.run(&["run"]).expect(1).stdout;
    let expected = "535 5.7.8 Username and Password not accepted; it does not take user tower with the password in the environment \
                    variable FLUXTOWER_TEST_SMTP";
    assert!(said.contains(expected), "{said}");
    for _ in 0..2 {
        let _ = tower.run(&["run"]).expect(1);
    }
    // Of two receivers and three runs, one attempt: no account is locked.
    assert_eq!(office.logins(), 1);
    office.rules.lock().unwrap().password = Some(PASSWORD);
    let said = tower.run(&["check", "--notify"]).expect(1).stdout;
    assert!(said.contains("anna@example.edu took a test message"), "{said}");
    // What was pending goes with the next pass.
    let _ = tower.run(&["run"]).expect(1);
    assert_eq!(office.mails().iter().filter(|mail| mail.text.contains("problem")).count(), 2);
}

#[test]
fn an_address_that_the_server_does_not_know_keeps_no_mail_from_the_others() {
    let office = PostOffice::start(Rules { refuses: vec!["gone@example.edu"], ..Rules::default() });
    let to = "smtp_to = [\"gone@example.edu\", \"anna@example.edu\"]";
    let tower = tower(&office, "none", to);
    broken(&tower);
    let said = tower.run(&["run"]).expect(1).stdout;
    assert!(said.contains("1 notification to gone@example.edu is pending") && said.contains("user unknown"), "{said}");
    let mails = office.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].to, ["anna@example.edu"]);
}

#[test]
fn what_is_pending_for_a_wrong_address_goes_to_the_one_that_is_written_in_its_place() {
    let office = PostOffice::start(Rules { refuses: vec!["gone@example.edu"], ..Rules::default() });
    for checks_first in [false, true] {
        let tower = tower(&office, "none", "smtp_to = [\"gone@example.edu\"]");
        broken(&tower);
        let _ = tower.run(&["run"]).expect(1);
        tower.replace_in_config("gone@", "anna@");
        let before = office.mails().len();
        if checks_first {
            let _ = tower.run(&["check", "--notify"]).works();
        }
        for _ in 0..2 {
            let _ = tower.run(&["run"]).expect(1);
        }
        let mails = office.mails().split_off(before);
        assert_eq!(
            mails.iter().filter(|mail| mail.text.contains("Subject: US-UMB: problem: ")).count(),
            1,
            "{mails:?}"
        );
        assert_eq!(tower.count("SELECT count(*) FROM notice_pending"), 0);
        assert_eq!(tower.count("SELECT count(*) FROM receiver"), 1);
    }
}

#[test]
fn what_is_pending_for_an_address_that_is_taken_out_is_not_sent_a_second_time_to_the_others() {
    let office = PostOffice::start(Rules { refuses: vec!["gone@example.edu"], ..Rules::default() });
    let tower = tower(&office, "none", "smtp_to = [\"anna@example.edu\", \"gone@example.edu\"]");
    broken(&tower);
    let _ = tower.run(&["run"]).expect(1);
    tower.replace_in_config(", \"gone@example.edu\"", "");
    let _ = tower.run(&["run"]).expect(1);
    assert_eq!(office.mails().len(), 1);
    assert_eq!(tower.count("SELECT count(*) FROM notice"), 0);
}

#[test]
fn a_server_that_is_busy_gets_the_mail_later() {
    let office = PostOffice::start(Rules { is_busy: true, ..Rules::default() });
    let tower = tower(&office, "none", TO_ONE);
    broken(&tower);
    let said = tower.run(&["run"]).expect(1).stdout;
    assert!(!said.contains("notification"), "{said}");
    office.rules.lock().unwrap().is_busy = false;
    let _ = tower.run(&["run"]).expect(1);
    assert_eq!(office.mails().len(), 0);
    pauses_are_over(&tower);
    let _ = tower.run(&["run"]).expect(1);
    assert_eq!(office.mails().len(), 1);
}

#[test]
fn a_server_that_wants_a_user_says_so() {
    let office = PostOffice::start(Rules { password: Some(PASSWORD), ..Rules::default() });
    let tower = tower(&office, "none", TO_ONE);
    refused(&office, &tower, &["530 5.7.0 Authentication required", "write smtp_user and smtp_password_env"]);
}
