//! The system's file events: a change is read when they come, when they do not, and when one is lost.

use super::agent::{Agent, until};
use crate::support::Site;
use crate::support::server::Server;

/// Nothing is looked at again within the limit of a test, but a file that has just changed.
const HARDLY_EVER: [&str; 5] = ["--watch", "--poll", "1h", "--every", "1h"];

#[test]
fn a_value_arrives_without_waiting_for_the_next_look() {
    let server = Server::start();
    let site = Site::with(&server.url(), &["met", "soil", "wind", "rain"], "", "");
    site.write("met", 0..1);
    let agent = Agent::start(&site, &HARDLY_EVER);
    until("the rows of the first pass", || server.points().len() == 1);
    // A file that is new, one that another program puts in place, and one that is written row by row.
    site.write("soil", 0..2);
    until("the rows of a new file", || server.points().len() == 3);
    std::fs::write(site.path("wind.part"), Site::text("wind", 0..2)).unwrap();
    std::fs::rename(site.path("wind.part"), site.path("wind.dat")).unwrap();
    until("the rows of a file that was put in place", || server.points().len() == 5);
    for row in 0..20 {
        site.write("rain", 0..row + 1);
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    until("the rows of a file that was written again and again", || server.points().len() == 25);
    assert_eq!((server.points().repeated, server.points().changed), (0, 0));
    assert_eq!(agent.stderr(), "");
    agent.end();
}

/// Whether the process has asked for file events.
#[cfg(target_os = "linux")]
fn has_file_events(agent: &Agent) -> bool {
    let open = std::fs::read_dir(format!("/proc/{}/fd", agent.id())).unwrap();
    open.flatten().any(|file| std::fs::read_link(file.path()).is_ok_and(|path| path.ends_with("anon_inode:inotify")))
}

#[test]
fn without_file_events_the_files_are_looked_at_again_and_again() {
    let server = Server::start();
    let site = Site::new(&server.url());
    site.add_to_config("[watch]\nfile_events = false\n");
    site.write("met", 0..1);
    let agent = Agent::start(&site, &["--watch", "--poll", "20ms", "--every", "1h"]);
    until("the rows of the first pass", || server.points().len() == 1);
    #[cfg(target_os = "linux")]
    assert!(!has_file_events(&agent));
    site.write("met", 0..2);
    until("the rows of the second write", || server.points().len() == 2);
    // The key is taken up while the agent stays up.
    #[cfg(target_os = "linux")]
    {
        site.replace_in_config("file_events = false", "file_events = true");
        until("file events", || has_file_events(&agent));
    }
    agent.end();
}

#[test]
fn a_change_whose_event_is_lost_is_found_and_its_folder_is_looked_at_often_from_then_on() {
    let server = Server::start();
    let site = Site::new(&server.url());
    std::fs::create_dir(site.path("elsewhere")).unwrap();
    site.write("met", 0..1);
    // Who writes under this name causes no event in the folder of the other one, as a writer at the other end of a network drive.
    std::fs::hard_link(site.path("met.dat"), site.path("elsewhere/met.dat")).unwrap();
    let agent = Agent::start(&site, &["--watch", "--every", "1h"]);
    let write = |rows: i64| std::fs::write(site.path("elsewhere/met.dat"), Site::text("met", 0..rows)).unwrap();
    until("the rows of the first pass", || server.points().len() == 1);
    write(2);
    until("the rows without an event", || server.points().len() == 2);
    let said = || agent.stderr().matches("the system gave no file event").count();
    until("the message", || said() == 1);
    for rows in 3..6 {
        write(rows);
        until("the rows of a folder that is looked at often", || {
            server.points().len() == usize::try_from(rows).unwrap()
        });
    }
    assert_eq!(said(), 1, "{}", agent.stderr());
    agent.end();
}
