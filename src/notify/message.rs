//! The text of a message, in the form that its receiver accepts.
//!
//! Times are station time with its offset, as everywhere else for users. Several events are combined in one message, so
//! that a site whose tables all stop sends one message and not twenty; only JSON, which is read by programs, has one
//! event per message.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::config::BodyFormat;
use crate::status::{Finding, Kind, Severity};
use crate::store::{Notice, NoticeEvent};
use crate::text::{count, shortened, span, visible};
use crate::time::{StationClock, Timestamp};

/// The most bytes of a message: ntfy accepts 4,096 bytes and makes a file of a longer one.
const MOST_BYTES: usize = 3_500;
/// The most characters of one event, because it may quote a line of a file.
const MOST_CHARS: usize = 800;
/// RFC 5322 requires lines of at most 998 characters; no program shows that much of a subject.
const MOST_CHARS_OF_SUBJECT: usize = 160;
/// Discord's `/slack` accepts 2,000 characters, and refuses a longer message.
const MOST_BYTES_OF_SLACK: usize = 1_800;
/// The most events in one message.
const MOST_EVENTS: usize = 20;

/// The limits of one message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    events: usize,
    bytes: usize,
}

impl Room {
    /// The limits for receivers without stricter ones.
    pub(super) const WIDE: Room = Room { events: MOST_EVENTS, bytes: MOST_BYTES };

    pub(super) fn of(format: BodyFormat) -> Room {
        match format {
            BodyFormat::Json => Room::WIDE.for_one(),
            BodyFormat::Slack => Room { bytes: MOST_BYTES_OF_SLACK, ..Room::WIDE },
            BodyFormat::Text | BodyFormat::Teams => Room::WIDE,
        }
    }

    pub(super) fn for_one(self) -> Room {
        Room { events: 1, ..self }
    }
}

/// A finding in the form in which the store keeps it until it has cleared and every receiver has the message.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub(super) struct Body {
    pub(super) kind: String,
    severity: String,
    pub(super) table: Option<String>,
    /// Nanoseconds since 1970, like all times here.
    since: Option<i64>,
    message: String,
    fix: String,
    pub(super) is_history: bool,
    pub(super) appeared: i64,
    /// How often it came and went before a receiver got a message.
    pub(super) came_and_went: u32,
    /// When it came for the first time.
    pub(super) first: Option<i64>,
    /// Whether it comes and goes so often that it is reported once a day.
    pub(super) comes_and_goes: bool,
}

impl Body {
    pub(super) fn of(finding: &Finding, appeared: Timestamp) -> Body {
        let severity = match finding.severity {
            Severity::Problem => "problem",
            Severity::Warning => "warning",
            Severity::Info => "info",
        };
        Body {
            kind: finding.kind.name().to_owned(),
            severity: severity.to_owned(),
            table: finding.table.clone(),
            since: finding.since.map(Timestamp::nanos),
            message: finding.message.clone(),
            fix: finding.fix.clone(),
            is_history: finding.is_history,
            appeared: appeared.nanos(),
            came_and_went: 0,
            first: None,
            comes_and_goes: false,
        }
    }

    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// None for a kind that another version has written and this one does not know.
    pub(super) fn kind(&self) -> Option<Kind> {
        Kind::ALL.iter().copied().find(|kind| kind.name() == self.kind)
    }

    /// None for a text that another version has written and this one cannot read.
    pub(super) fn read(text: &str) -> Option<Body> {
        serde_json::from_str(text).ok()
    }
}

/// The station of the findings.
#[derive(Debug, Clone, Copy)]
pub(super) struct Station<'a> {
    pub(super) name: &'a str,
    pub(super) clock: &'a StationClock,
}

/// How urgent a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    Good,
    Test,
    Warning,
    Problem,
}

/// A message, ready for every kind of receiver.
#[derive(Debug, Clone)]
pub(super) struct Message {
    /// The ids of the notices in the message.
    pub(super) ids: Vec<i64>,
    /// The station, and the subject.
    pub(super) title: String,
    /// One line for each event.
    pub(super) lines: Vec<String>,
    pub(super) weight: Weight,
    /// The first event, for programs.
    pub(super) json: Value,
    /// The message's name: the same at each attempt, and different if it reports other events, because a mail server
    /// may drop a mail with a known id.
    pub(super) name: String,
}

impl Message {
    pub(super) fn test(station: Station<'_>, now: Timestamp) -> Message {
        let text = format!("this is a test message: findings come here ({})", station.clock.event_time(now));
        let title = format!("{}: test", station.name);
        let json = json!({
            "id": Value::Null,
            "station": station.name,
            "event": "test",
            "time": rfc3339(station.clock, now),
            "text": format!("{title}: {text}"),
        });
        Message {
            ids: Vec::new(),
            title,
            lines: vec![text],
            weight: Weight::Test,
            json,
            name: format!("test.{}", now.nanos()),
        }
    }

    /// Combines the first of these notices, as many as there is room for, and at least one. `dropped` is the number of
    /// earlier notices that were dropped.
    pub(super) fn of(station: Station<'_>, notices: &[Notice], room: Room, dropped: u64) -> Option<Message> {
        let mut events = Vec::new();
        let mut bytes = 0;
        for notice in notices.iter().take(room.events) {
            let event = Event::of(station, notice);
            // The length includes what precedes the text in its line.
            bytes += event.text.len() + event.word.len() + "- : ".len();
            if bytes > room.bytes && !events.is_empty() {
                break;
            }
            events.push(event);
        }
        let (first, last) = (events.first()?, events.last()?);
        let weight = events.iter().map(|event| event.weight).max()?;
        let (title, mut lines) = match events.as_slice() {
            [one] => (format!("{}: {}", station.name, one.word), vec![one.text.clone()]),
            _ => {
                let line = |event: &Event| format!("{}: {}", event.word, event.text);
                (format!("{}: {}", station.name, counted(&events)), events.iter().map(line).collect())
            }
        };
        let mut json = first.json.clone();
        if dropped > 0 {
            json["dropped"] = json!(dropped);
            lines.push(format!(
                "{} before were dropped because too many were pending: `fluxtower status` says what stands",
                count(dropped, "notification")
            ));
        }
        Some(Message {
            ids: events.iter().map(|event| event.id).collect(),
            title,
            weight,
            json,
            name: format!("{}-{}.{}", first.id, last.id, first.at.nanos()),
            lines,
        })
    }

    /// The whole text: one line for one event; a title and one line each for several.
    pub(super) fn text(&self) -> String {
        match self.lines.as_slice() {
            [one] => format!("{}: {one}", self.title),
            lines => format!("{}\n{}", self.title, listed(lines)),
        }
    }

    /// Like [`Message::text`] without the title.
    pub(super) fn text_below_title(&self) -> String {
        match self.lines.as_slice() {
            [one] => one.clone(),
            lines => listed(lines),
        }
    }

    /// The subject of a mail.
    pub(super) fn subject(&self) -> String {
        match self.lines.as_slice() {
            [one] => shortened(&format!("{}: {one}", self.title), MOST_CHARS_OF_SUBJECT),
            _ => self.title.clone(),
        }
    }
}

fn listed(lines: &[String]) -> String {
    lines.iter().map(|line| format!("- {line}")).collect::<Vec<_>>().join("\n")
}

struct Event {
    id: i64,
    word: String,
    text: String,
    weight: Weight,
    json: Value,
    at: Timestamp,
}

impl Event {
    fn of(station: Station<'_>, notice: &Notice) -> Event {
        let clock = station.clock;
        // A notice that another version has written is reported unchanged.
        let body = Body::read(&notice.body).unwrap_or_else(|| Body {
            kind: String::new(),
            severity: "problem".to_owned(),
            table: None,
            since: None,
            message: notice.body.clone(),
            fix: String::new(),
            is_history: false,
            appeared: notice.at.nanos(),
            came_and_went: 0,
            first: None,
            comes_and_goes: false,
        });
        let appeared = Timestamp::from_nanos(body.appeared);
        let (at, from) = (clock.event_time(notice.at), clock.event_time(appeared));
        let message =
            if body.fix.is_empty() { body.message.clone() } else { format!("{}: {}", body.message, body.fix) };
        let message = visible(&shortened(&message, MOST_CHARS)).into_owned();
        let heavy = if body.severity == "problem" { Weight::Problem } else { Weight::Warning };
        let (name, word, text, weight) = match notice.event {
            NoticeEvent::Appeared => {
                let before = body.first.map(|first| {
                    let since = clock.event_time(Timestamp::from_nanos(first));
                    format!("; it came and went {} since {since}", count(u64::from(body.came_and_went), "time"))
                });
                let often = "; it comes and goes, and the next message about it comes in a day";
                let often = if body.comes_and_goes { often } else { "" };
                let text = format!("{message} ({at}{}{often})", before.unwrap_or_default());
                ("appeared", body.severity.clone(), text, heavy)
            }
            NoticeEvent::Stands => {
                ("stands", format!("still a {}", body.severity), format!("{message} (since {from})"), heavy)
            }
            NoticeEvent::Cleared => {
                let message = visible(&shortened(&body.message, MOST_CHARS)).into_owned();
                // Not if the clock was set in between.
                let lasted = notice.at.seconds_since(appeared);
                let lasted = if lasted < 0 { String::new() } else { format!(", {}", span(lasted)) };
                ("cleared", "cleared".to_owned(), format!("{message} (from {from} to {at}{lasted})"), Weight::Good)
            }
        };
        let json = json!({
            "id": notice.id,
            "station": station.name,
            "event": name,
            "time": rfc3339(clock, notice.at),
            "appeared": rfc3339(clock, appeared),
            "kind": body.kind,
            "severity": body.severity,
            "table": body.table,
            "since": body.since.map(|since| rfc3339(clock, Timestamp::from_nanos(since))),
            "message": body.message,
            "fix": body.fix,
            "text": format!("{}: {word}: {text}", station.name),
        });
        Event { id: notice.id, word, text, weight, json, at: notice.at }
    }
}

/// A summary such as `2 problems, 1 warning, 1 cleared`.
fn counted(events: &[Event]) -> String {
    let mut counts: Vec<(&str, u64)> = Vec::new();
    for event in events {
        match counts.iter_mut().find(|(word, _)| *word == event.word) {
            Some((_, number)) => *number += 1,
            None => counts.push((&event.word, 1)),
        }
    }
    let of = |(word, number): &(&str, u64)| match *word {
        "problem" | "warning" => count(*number, word),
        "still a problem" => format!("{} that stands", count(*number, "problem")),
        "still a warning" => format!("{} that stands", count(*number, "warning")),
        word => format!("{number} {word}"),
    };
    counts.iter().map(of).collect::<Vec<_>>().join(", ")
}

/// Station time with its offset, in the form for programs.
fn rfc3339(clock: &StationClock, at: Timestamp) -> String {
    clock.event_time(at).replacen(' ', "T", 1).replacen(' ', "", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOCK: StationClock = StationClock::Fixed(chrono::FixedOffset::west_opt(5 * 3_600).unwrap());

    fn station() -> Station<'static> {
        Station { name: "US-UMB", clock: &CLOCK }
    }

    fn notices(count: i64, message: &str, event: NoticeEvent) -> Vec<Notice> {
        let body = |id: i64| {
            json!({
                "kind": "stale", "severity": "problem", "table": "met", "since": null, "message": format!("{message} {id}"),
                "fix": "", "is_history": false, "appeared": 1_780_272_000_000_000_000_i64, "came_and_went": 0, "first": null,
                "comes_and_goes": false
            })
        };
        let at = Timestamp::from_seconds(1_780_272_000 + 3_720);
        (1..=count).map(|id| Notice { id, key: String::new(), event, at, body: body(id).to_string() }).collect()
    }

    #[test]
    fn one_event_is_one_line_with_station_time() {
        let one = notices(1, "table \"met\" has had no new row", NoticeEvent::Cleared);
        let message = Message::of(station(), &one, Room::WIDE, 0).unwrap();
        let text = "US-UMB: cleared: table \"met\" has had no new row 1 (from 2026-05-31 19:00:00 -05:00 to 2026-05-31 20:02:00 \
                    -05:00, 62 min)";
        assert_eq!(message.text(), text);
        assert_eq!(message.json["time"], "2026-05-31T20:02:00-05:00");
        assert!(chrono::DateTime::parse_from_rfc3339(message.json["appeared"].as_str().unwrap()).is_ok());
    }

    #[test]
    fn a_message_holds_as_many_events_as_ntfy_takes_and_none_is_left_out() {
        for (length, most) in [(10, MOST_EVENTS), (500, 7), (50_000, 4)] {
            let all = notices(50, &"x".repeat(length), NoticeEvent::Appeared);
            let (mut left, mut ids) = (all.as_slice(), Vec::new());
            while let Some(message) = Message::of(station(), left, Room::WIDE, 0) {
                assert!(message.ids.len() <= most && message.text().len() < 4_096, "{length}: {}", message.ids.len());
                left = &left[message.ids.len()..];
                ids.extend(message.ids);
            }
            assert_eq!(ids, (1..=50).collect::<Vec<i64>>());
        }
    }

    #[test]
    fn a_message_with_other_events_has_another_name() {
        let all = notices(3, "x", NoticeEvent::Appeared);
        let name = |notices: &[Notice]| Message::of(station(), notices, Room::WIDE, 0).unwrap().name;
        assert_eq!(name(&all), name(&all));
        assert!(name(&all[..1]) != name(&all[..2]) && name(&all[..2]) != name(&all));
    }

    #[test]
    fn a_message_for_slack_is_short_enough_for_discord() {
        let all = notices(50, &"x".repeat(70), NoticeEvent::Appeared);
        let message = Message::of(station(), &all, Room::of(BodyFormat::Slack), 0).unwrap();
        assert!(message.ids.len() > 5 && message.text().chars().count() < 2_000, "{}", message.ids.len());
    }

    #[test]
    fn what_another_version_has_written_is_sent_as_it_is() {
        let stranger = Notice {
            id: 1,
            key: String::new(),
            event: NoticeEvent::Appeared,
            at: Timestamp::from_seconds(0),
            body: "{}".into(),
        };
        assert!(Message::of(station(), &[stranger], Room::WIDE, 0).unwrap().text().contains("problem: {}"));
    }
}
