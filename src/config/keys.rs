//! The list of the configuration keys: one row per key. There is no other list of them.
//!
//! A row states name, type, default, one line of help and an example. The rows are the source of the types that the
//! TOML file is parsed into, the defaults, the refusal of unknown keys with a suggestion, the examples in messages, the
//! keys in which `${NAME}` is replaced, and the tables of `docs/config.md` (`UPDATE_DOCS=1` writes them, a test
//! compares them). The rows are in the order of the documentation.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;

use super::file::{Given, Numbers, Part, Parts, Place, Sentinel, Text, Texts};
use super::quality_file::{GroupSection, GuardSection, Number, PairSection, QcSection};

mod qc;
mod row;
mod section;

pub use row::{Absent, Key, Kind, Section};
use row::{
    bounds, flag, group, group_of_texts, groups, never, no_more, number, numbers_and_texts, sections_by_name, text,
    texts, whole,
};
use section::{name_of, section};

/// The key `wait` of `[qc]`.
pub(super) const QC_WAIT: Key = qc::WAIT;

impl Parts for Option<Spanned<QcSection>> {}

/// The whole file.
pub static FILE: &Section = &FILE_SECTION;

/// Every section, in the order of the documentation.
pub fn sections() -> Vec<&'static Section> {
    fn add(section: &'static Section, found: &mut Vec<&'static Section>) {
        found.push(section);
        section.keys().filter_map(|key| key.kind.section()).for_each(|inner| add(inner, found));
    }
    let mut found = Vec::new();
    add(FILE, &mut found);
    found
}

/// The row of a key, by the path of names from the top of the file; None if a name in the path is chosen by the user or
/// unknown.
pub(super) fn at<'n>(path: impl IntoIterator<Item = &'n str>) -> Option<&'static Key> {
    let mut section = Some(FILE);
    let mut found = None;
    let mut names = path.into_iter();
    while let Some(name) = names.next() {
        let key = section?.key(name)?;
        section = key.kind.section();
        found = Some(key);
        if matches!(key.kind, Kind::Named(_)) && names.next().is_some() {
            found = None;
        }
    }
    found
}

section! {
    /// The whole file.
    File, FILE_SECTION, "The sections";
    station: Option<Spanned<StationSection>> = group(
        &STATION,
        "the station that this agent runs on",
        r#"{ name = "US-UMB", utc_offset = "-05:00" }"#,
    ).required();
    store: Option<Spanned<StoreSection>> = group(&STORE, "the database", r#"{ path = "fluxtower.db" }"#);
    destination: Option<Spanned<DestinationSection>> =
        group(&DESTINATION, "where rows go", r#"{ kind = "files" }"#).required();
    bucket: Vec<Spanned<BucketSection>> = groups(
        &BUCKET,
        "what is special about single buckets: [bucket](#bucket)",
        r#"[{ name = "ameriflux_soil", retention = "30d" }]"#,
    );
    sync: Option<Spanned<SyncSection>> = group(&SYNC, "how they go", "{ budget_bytes = 4_000_000 }");
    notify: Option<Spanned<NotifySection>> = group(
        &NOTIFY,
        "who is notified of findings: [notify](#notify)",
        r#"{ url_env = "NTFY_URL", format = "text" }"#,
    );
    watch: Option<Spanned<WatchSection>> =
        group(&WATCH, "how `run --watch` notices that a file has changed: [watch](#watch)", "{ file_events = false }");
    log: Option<Spanned<LogSection>> = group(&LOG, "the log file", r#"{ file = "fluxtower.log" }"#);
    qc: Option<Spanned<QcSection>> = group(&qc::QC, "what holds for all tests", r#"{ wait = "20m" }"#);
    table: Vec<Spanned<TableSection>> = groups(
        &TABLE,
        "one for each table that LoggerNet writes",
        r#"[{ name = "met", files = ["met.dat"] }]"#,
    ).required();
    pair: Vec<Spanned<PairSection>> = groups(
        &qc::PAIR,
        "columns that should agree",
        r#"[{ name = "x", table = "met", column = "A", against = "B", difference = { suspect = 1 } }]"#,
    );
    panel: Vec<Spanned<PanelSection>> = groups(
        &PANEL,
        "what the dashboard and the page of `serve` show in another way: [panel](#panel)",
        r#"[{ title = "x", columns = ["met/A"] }]"#,
    );
}

section! {
    /// `[station]`.
    StationSection, STATION, "[station]";
    name: Text = text(
        "",
        "sent as the tag `station` with each row, unless a table's `tags` say otherwise",
        r#""US-UMB""#,
    ).required().with_variables();
    utc_offset: Text = text(
        "`±hh:mm`",
        "how far the loggers' clocks are from UTC. AmeriFlux loggers stay on standard time all year",
        r#""-05:00""#,
    ).required_in("(or `timezone`)").with_variables();
    timezone: Text = text(
        "a name of the IANA list",
        "in place of `utc_offset`, only for loggers that change to summer time. In the hour that comes twice in autumn, \
         the rows before a row decide which one it means",
        r#""America/Detroit""#,
    ).with_variables();
    offset: Vec<Spanned<OffsetSection>> = groups(
        &STATION_OFFSET,
        "later offsets from UTC: [offset](#stationoffset)",
        r#"[{ from = "2026-03-01 00:00:00", utc_offset = "-06:00" }]"#,
    );
    clock: Vec<Spanned<ClockSection>> = groups(
        &STATION_CLOCK,
        "periods in which the clocks of all loggers were wrong: [clock](#stationclock)",
        r#"[{ from = "2000-01-01 00:00:00", until = "2000-01-01 03:00:00", add = "9642d 3h 20m" }]"#,
    );
    latitude: Number = number(
        "degrees north of the equator, -90 to 90 (WGS84): with `longitude`, where the sun stands, for the test `sun`, for \
         `SW_IN_POT` and for the findings about radiometers and clocks",
        "45.5598",
    ).required_in("beside `longitude`");
    longitude: Number = number("degrees east of Greenwich, -180 to 180; west is negative", "-84.7138")
        .required_in("beside `latitude`");
}

section! {
    /// `[[station.offset]]` and `[[table.offset]]`.
    OffsetSection, STATION_OFFSET, "[[station.offset]]";
    from: Text = text(
        "a stamp",
        "the first stamp by this offset, as the logger wrote it",
        r#""2026-03-01 00:00:00""#,
    ).required();
    utc_offset: Text = text("`±hh:mm`", "the offset from UTC from then on", r#""-06:00""#).required();
    record_from: Option<Spanned<i64>> = whole(
        1,
        u64::MAX,
        "the first RECORD by this offset, where the clock was put back: for the stamps that came twice it tells which of \
         the two a row means",
        "48213",
    );
}

static TABLE_OFFSET: Section = Section {
    heading: "[[table.offset]]",
    rows: &[OffsetSection::from, OffsetSection::utc_offset, OffsetSection::record_from],
    more: no_more,
};

section! {
    /// `[[station.clock]]` and `[[table.clock]]`.
    ClockSection, STATION_CLOCK, "[[station.clock]]";
    from: Text = text(
        "a stamp",
        "the first wrong stamp, as the logger wrote it",
        r#""2026-06-01 00:00:00""#,
    ).required();
    until: Text = text(
        "a stamp",
        "the first stamp behind the period, by the same wrong clock; without it, the clock is still wrong",
        r#""2026-07-01 00:00:00""#,
    );
    add: Text = text(
        "a time with a sign or none",
        "what the stamps lack; with a minus for a clock that was ahead",
        r#""1h""#,
    ).required();
    record_from: Option<Spanned<i64>> = whole(
        1,
        u64::MAX,
        "the first RECORD of the period, where its stamps came twice",
        "48213",
    );
    record_until: Option<Spanned<i64>> = whole(1, u64::MAX, "the first RECORD behind the period", "48249");
}

static TABLE_CLOCK: Section = Section {
    heading: "[[table.clock]]",
    rows: &[
        ClockSection::from,
        ClockSection::until,
        ClockSection::add,
        ClockSection::record_from,
        ClockSection::record_until,
    ],
    more: no_more,
};

section! {
    /// `[store]`.
    StoreSection, STORE, "[store]";
    path: Text = text(
        "a path",
        "the database. On a disk of this computer, not on a network share",
        r"'D:\fluxtower\fluxtower.db'",
    ).or(r#""fluxtower.db""#);
    keep: Text = text(
        "a duration of a day or more",
        "once a day, `run` deletes rows that were sent, are counted in the bucket and are older; without it nothing is \
         ever deleted",
        r#""400d""#,
    );
}

section! {
    /// `[destination]`.
    DestinationSection, DESTINATION, "[destination]";
    kind: Text = text("", r#"`"files"` or `"influxdb"`"#, r#""influxdb""#).required().with_variables();
    path: Text = text("a path", "files: the folder, made when it is first needed", r#""outbox""#)
        .or(r#""outbox""#).with_variables();
    url: Text = text(
        "",
        "scheme, host and port of the server, nothing behind",
        r#""https://us-east-1-1.aws.cloud2.influxdata.com""#,
    ).required_in("for influxdb").with_variables();
    api: Text = text(
        "",
        r#"`"v2"` for Cloud 2.0 and OSS 2.x, `"v1"` for 1.x, `"v3"` for InfluxDB 3"#,
        r#""v2""#,
    ).or(r#""v2""#).with_variables();
    org: Text = text("", "v2: the organisation", r#""umbs""#).required_in("for v2").with_variables();
    bucket: Text = text(
        "",
        "v2: the bucket; v1: `database` or `database/retention_policy`; v3: the database",
        r#""ameriflux_atmospheric""#,
    ).required_in("for influxdb").with_variables();
    token_env: Text = text("", "v2, v3: name of the environment variable that holds the token", r#""INFLUX_TOKEN""#)
        .required_in("for v2 (or `token_file`)");
    token_file: Text = text(
        "a path",
        "v2, v3, in place of `token_env`: a file with the token alone on one line",
        r"'C:\fluxtower\token.txt'",
    );
    user: Text = text("", "v1: the user", r#""tower""#).required_in("for v1 with a password").with_variables();
    password_env: Text = text(
        "",
        "v1: name of the environment variable that holds the password",
        r#""INFLUX_PASSWORD""#,
    ).required_in("for v1 with a user (or `password_file`)");
    password_file: Text = text(
        "a path",
        "v1, in place of `password_env`: a file with the password alone on one line",
        r#""password.txt""#,
    );
    allow_http: Option<Spanned<bool>> = flag(
        "allows `http://` to another computer, where other computers on the way can read the token",
        "true",
    ).or("false");
    retention: Text = text(
        "a duration",
        "how long the bucket keeps rows, only used where the server does not say it",
        r#""30d""#,
    ).with_variables();
    timeout: Text = text("a duration", "total time allowed for one request", r#""90s""#)
        .or(r#""60s""#).with_variables();
    ca_file: Text = text(
        "a path",
        "certificates in PEM that are trusted beside the system's, for a server whose certificate your own network signs",
        r#""campus.pem""#,
    ).with_variables();
    client_cert_file: Text = text(
        "a path",
        "our certificate in PEM, for a server that asks for one; the key may stand in the same file",
        r#""tower.pem""#,
    ).with_variables();
    client_key_file: Text = text("a path", "the key to `client_cert_file`, in PEM", r#""tower.key""#).with_variables();
    headers: Option<Spanned<BTreeMap<String, Spanned<String>>>> = group_of_texts(
        "headers of every request, for a gateway that asks for them. Their values are never printed; take a secret one \
         from the environment",
        r#"{ X-Site = "umbs" }"#,
    ).with_variables();
    token: Option<Spanned<IgnoredAny>> = never();
    password: Option<Spanned<IgnoredAny>> = never();
}

section! {
    /// `[[bucket]]`.
    BucketSection, BUCKET, "[[bucket]]";
    name: Text = text("", "the `bucket` of `[destination]` or of a `[[table]]`", r#""ameriflux_soil""#)
        .required().with_variables();
    retention: Text = text(
        "a duration",
        "how long this bucket keeps rows, only used where the server does not say it",
        r#""30d""#,
    ).or_what("the destination's").with_variables();
    org: Text = text("", "v2: its organisation", r#""partners""#).or_what("the destination's").with_variables();
    token_env: Text = text("", "v2, v3: name of the environment variable that holds its token", r#""SOIL_TOKEN""#)
        .or_what("the destination's");
    token_file: Text = text(
        "a path",
        "v2, v3, in place of `token_env`: a file with the token alone on one line",
        r#""soil_token.txt""#,
    );
    token: Option<Spanned<IgnoredAny>> = never();
    password: Option<Spanned<IgnoredAny>> = never();
}

section! {
    /// `[sync]`. On the limits of a batch: InfluxData recommends batches of 5,000 lines for its free plan and its 2.x
    /// servers, and about one megabyte; the free plan accepts five megabytes in five minutes. A larger request is not
    /// faster and costs more when it must be sent again or split (InfluxDB docs, "Optimize writes"). Below 1,000 bytes
    /// a request might not hold one row of an ordinary table.
    SyncSection, SYNC, "[sync]";
    batch_rows: Option<Spanned<i64>> = whole(1, 5000, "most rows in one request", "1000").or("5000");
    batch_bytes: Option<Spanned<i64>> = whole(
        1000,
        1_048_576,
        "most bytes of line protocol in one request, before compression",
        "500_000",
    ).or("1_000_000");
    requests: Option<Spanned<i64>> = whole(
        1,
        16,
        "most requests in flight at once, where the network to the server is slow; after a failure they go one at a time. \
         Receipts stand in the order of planning",
        "1",
    ).or("6");
    budget_bytes: Option<Spanned<i64>> = whole(
        1000,
        u64::MAX,
        "most bytes of line protocol in five minutes, counted across runs. The free plan of InfluxDB Cloud takes 5 MB",
        "4_000_000",
    );
    deadline: Text = text(
        "a duration",
        "no new request begins after this; the next sync goes on. The schedule is what `schedule` writes into the task \
         (`run --scheduled 5m`); without it, `4m`",
        r#""3m""#,
    ).or_what("four fifths of the schedule, at most `4m`");
    health: Option<Spanned<bool>> = flag(
        "sends the agent's own health with each sync, as `fluxtower_agent`, and every half hour the bands of \
         climatologies, as `fluxtower_expected`",
        "false",
    ).or("true");
    heartbeat_url: Text = text(
        "",
        "called with GET after a sync that left nothing to send, for a service that mails you when it stays silent",
        r#""https://alive.example/ping/us-umb""#,
    );
}

section! {
    /// `[notify]`.
    NotifySection, NOTIFY, "[notify]";
    url: Text = text(
        "",
        "the webhook that a finding is posted to when it appears and when it clears",
        r#""https://ntfy.sh/us-umb-4f7c1e""#,
    ).required_in("(or `url_env`, `url_file` or `smtp_host`)").with_variables();
    url_env: Text = text(
        "",
        "in place of `url`: name of the environment variable that holds it. The address of Slack or Teams is a secret",
        r#""SLACK_URL""#,
    );
    url_file: Text = text(
        "a path",
        "in place of `url`: a file with the address alone on one line",
        r#""webhook.txt""#,
    );
    format: Text = text(
        "",
        r#"what is posted: `"json"`, `"text"` (ntfy), `"slack"` (also Mattermost, Rocket.Chat and Discord's `/slack`) or `"teams"`"#,
        r#""text""#,
    ).or(r#""json""#);
    token_env: Text = text(
        "",
        "name of the environment variable that holds a token, sent as `Authorization: Bearer`",
        r#""NTFY_TOKEN""#,
    );
    token_file: Text = text(
        "a path",
        "in place of `token_env`: a file with the token alone on one line",
        r#""ntfy_token.txt""#,
    );
    allow_http: Option<Spanned<bool>> = flag(
        "allows `http://` to another computer, where other computers on the way can read what is posted",
        "true",
    ).or("false");
    event_log: Option<Spanned<bool>> = flag(
        "writes findings to the event log of Windows too (source `fluxtower` in \"Application\"); needs no webhook and no mail",
        "true",
    ).or("false");
    smtp_host: Text = text("", "the mail server that takes mail about findings", r#""smtp.example.edu""#)
        .required_in("without a webhook").with_variables();
    smtp_security: Text = text(
        "",
        r#"`"starttls"`, `"tls"` (encrypted from the first byte) or `"none"`"#,
        r#""tls""#,
    ).or(r#""starttls""#);
    smtp_port: Option<Spanned<i64>> = whole(1, 65_535, "its port", "465")
        .or_what("587 for starttls, 465 for tls, 25 for none");
    smtp_user: Text = text("", "the user, where the server asks for one", r#""tower@example.edu""#)
        .required_in("with a password").with_variables();
    smtp_password_env: Text = text(
        "",
        "name of the environment variable that holds the password",
        r#""SMTP_PASSWORD""#,
    ).required_in("with a user (or `smtp_password_file`)");
    smtp_password_file: Text = text(
        "a path",
        "in place of `smtp_password_env`: a file with the password alone on one line",
        r#""smtp_password.txt""#,
    );
    smtp_from: Text = text("", "the address that mail comes from", r#""tower@example.edu""#)
        .required_in("with `smtp_host`").with_variables();
    smtp_to: Texts = texts(
        "addresses",
        "who gets the mail; each gets a mail of their own",
        r#"["anna@example.edu", "field@example.edu"]"#,
    ).required_in("with `smtp_host`");
    ca_file: Text = text(
        "a path",
        "certificates in PEM that are trusted beside the system's, for the webhook and the mail server",
        r#""campus.pem""#,
    );
    severity: Text = text(
        "",
        r#"from which weight on a finding is reported: `"warning"` or `"problem"`"#,
        r#""problem""#,
    ).or(r#""warning""#);
    again: Text = text(
        "a duration of an hour or more, or `off`",
        "a finding that stands is reported again each time this has passed",
        r#""7d""#,
    ).or(r#""24h""#);
    token: Option<Spanned<IgnoredAny>> = never();
    smtp_password: Option<Spanned<IgnoredAny>> = never();
}

section! {
    /// `[watch]`.
    WatchSection, WATCH, "[watch]";
    file_events: Option<Spanned<bool>> = flag(
        "a file is looked at when the system says that it changes; with `false`, every 250 ms, or as `--poll` says",
        "false",
    ).or("true");
}

section! {
    /// `[log]`.
    LogSection, LOG, "[log]";
    file: Text = text(
        "a path",
        "the log, added to and never overwritten; without it, messages go to stderr only",
        r#""fluxtower.log""#,
    );
    max_bytes: Option<Spanned<i64>> = whole(
        10_000,
        u64::MAX,
        "a log that reaches it is set aside as `.1`, `.2` …",
        "1_000_000",
    ).or("5_000_000");
    keep: Option<Spanned<i64>> = whole(1, 100, "how many of these are kept", "9").or("5");
    format: Text = text(
        "",
        r#"how a message stands in the file: `"text"`, or `"json"`, one object on a line"#,
        r#""json""#,
    ).or(r#""text""#);
}

section! {
    /// `[table.csv]`.
    CsvSection, CSV, "[table.csv]";
    separator: Text = text(
        "one sign, `tab` or `blanks`",
        "what stands between fields. `blanks`: any number of blanks and tabs",
        r#"";""#,
    ).or(r#"",""#);
    decimal: Text = text(
        "`.` or `,`",
        "what stands before the fraction of a number. Between commas such numbers stand in quotes, and `separator` is written",
        r#"".""#,
    ).or(r#"".""#);
    thousands: Text = text(
        "one sign",
        "what stands between the thousands of a number. A blank is also one that does not break the line (U+00A0, U+202F, U+2009), and `'` also ’",
        r#""'""#,
    );
    quote: Text = text("one sign, or `none`", "what stands around a field that holds a separator", r#""'""#)
        .or(r#""\"""#);
    names_line: Option<Spanned<i64>> = whole(
        1,
        1000,
        "which line of the file has the names of the columns, in place of `names`. Names that stand twice get `_2`",
        "1",
    ).required_in("(or `names` in `[[table]]`)");
    units_line: Option<Spanned<i64>> = whole(1, 1000, "which line of the file has their units", "2");
    skip_lines: Option<Spanned<i64>> = whole(
        1,
        1000,
        "how many lines at the top of the file are no rows, the lines of names and units among them",
        "3",
    ).or_what("up to the line of names or units");
    sensor_column: Text = text(
        "",
        "which column names the sensor, in a table with one value a line (time, sensor, value). Each sensor is a column of the rows: [long tables](file-formats.md#long-tables)",
        r#""Sensor""#,
    ).required_in("for a table with one value a line");
    value_column: Text = text("", "which column has its value", r#""Value""#)
        .required_in("for a table with one value a line");
    comment: Texts = texts(
        "",
        "lines that begin with one of these texts are no rows: comments, and lines at the end of the file",
        r##"["#", "Total"]"##,
    );
    array: Option<Spanned<i64>> = whole(
        1,
        511,
        "only lines whose first field is this number: an array of a CR10X, CR23X or 21X. Each array is a table of its own: \
         [arrays](file-formats.md#arrays)",
        "30",
    );
    year: Option<Spanned<i64>> = whole(
        1980,
        2261,
        "the year of the table's first row, where stamps have none, as in arrays with day of year and hhmm alone; later years follow by \
         themselves ([arrays](file-formats.md#arrays)). `time_format` is then `%j %H%M`, or says it without the year",
        "2004",
    );
    time_columns: Texts = texts(
        "",
        "in place of `time_column`: the columns that are the time together. `time_format` reads them with a blank between",
        r#"["Date", "Time"]"#,
    ).required_in("(or `time_column` in `[[table]]`)");
    time_formats: Texts = texts(
        "",
        "more formats of time in the same file, tried in their order where `time_format` does not fit",
        r#"["%Y-%m-%d"]"#,
    );
    midnight: Text = text(
        "`start` or `end`",
        "which end of its date 0:00 is. `end`: the file writes the end of 31 May as 31 May 0:00. 24:00 needs no key",
        r#""end""#,
    ).or(r#""start""#);
}

section! {
    /// `[[table]]`.
    TableSection, TABLE, "[[table]]";
    name: Text = text(
        "",
        "under which the program keeps the table: letters A to Z, digits, `-`, `_`, `.` and blanks",
        r#""46m_par""#,
    ).required();
    files: Texts = texts(
        "paths",
        "its files; `*` and `?` match several, `/**/` any folders",
        r"['C:\Campbellsci\LoggerNet\46m_PARCal*.dat']",
    ).required();
    format: Text = text(
        "",
        r#"the format of its files: `"csv"` for any table of text that no logger wrote, by the keys below; `"toa5"`, `"tob1"`, `"tob2"`, `"tob3"`, `"toaci1"` or `"csixml"` takes no other, and a file of another format is not read and named"#,
        r#""csv""#,
    ).or_what("what LoggerNet writes, each file as its first bytes say");
    logger_table: Text = text(
        "",
        "takes only files with this table name in line 1; without it, the first file read decides, and another name is taken as a rename where the rows under the one before have ended",
        r#""PARCal""#,
    );
    measurement: Text = text("", "the measurement in InfluxDB", r#""fastdata""#).or_what("the table's `name`");
    tags: BTreeMap<String, Spanned<String>> =
        group_of_texts("tags of every row, beside `station`", r#"{ height = "46m" }"#);
    bucket: Text = text("", "the bucket of this table", r#""ameriflux_soil""#)
        .or_what("the destination's").with_variables();
    utc_offset: Text = text("`±hh:mm`", "the clock of this table's logger", r#""-06:00""#).or_what("the station's");
    timezone: Text = text(
        "a name of the IANA list",
        "in place of `utc_offset`, for a logger that changes to summer time",
        r#""America/Chicago""#,
    );
    offset: Vec<Spanned<OffsetSection>> = groups(
        &TABLE_OFFSET,
        "later offsets from UTC of this table's logger, in place of the station's: [offset](#tableoffset)",
        r#"[{ from = "2026-03-01 00:00:00", utc_offset = "-06:00" }]"#,
    );
    clock: Vec<Spanned<ClockSection>> = groups(
        &TABLE_CLOCK,
        "periods in which this logger's clock was wrong: [clock](#tableclock); they come before the station's",
        r#"[{ from = "2026-06-01 00:00:00", until = "2026-07-01 00:00:00", add = "1h" }]"#,
    );
    on_conflict: Text = text(
        "",
        r#"when a time comes again with other content: `"keep"` the first, or `"replace"` it by the newer. The other is kept beside either way"#,
        r#""replace""#,
    ).or(r#""keep""#);
    // Two collections at the usual interval of five minutes: a file that did not change for this time is not being
    // written.
    last_line_after: Text = text(
        "a duration",
        "a last line without a line end is taken when the file has stood still so long",
        r#""0s""#,
    ).or(r#""10m""#);
    samples_per_stamp: Option<Spanned<i64>> = whole(
        1,
        10_000,
        "how many rows share each time stamp, where a table of 10 Hz is stamped in whole seconds. RECORD tells the rows of a \
         stamp apart, and they are spread evenly over `stamp_interval`; rows whose place is not proven are held. \
         1: no two rows share a stamp: [several rows of one stamp](file-formats.md#several-rows-of-one-stamp)",
        "10",
    ).or_what("as the rows show, where every whole second has as many");
    stamp_interval: Text = text(
        "a duration that divides a minute",
        "with `samples_per_stamp`: from one time stamp to the next within a burst. Without it, rows of a stamp that stands alone, \
         such as a minute from the next, are held, and the reason says what to write",
        r#""500ms""#,
    ).or_what("a second");
    events: Option<Spanned<bool>> = flag(
        "the logger writes the rows on events, such as tips of a rain gauge or a door: rows with another RECORD and the same \
         stamp are all kept and sent, the second a microsecond behind the first: \
         [several rows of one stamp](file-formats.md#several-rows-of-one-stamp). No row is expected at any time, so such a table is \
         stale only where `stale_after` says so",
        "true",
    );
    after: Text = text(
        "",
        r#"what becomes of a file that its logger closed, such as the file of a day, once every line of it is read: `"keep"`, `"move:FOLDER"`, `"gzip:FOLDER"` or `"delete"`. The newest file of each pattern stays: [closed files](file-formats.md#closed-files)"#,
        r#"'gzip:D:\archive'"#,
    ).or(r#""keep""#);
    closed_after: Text = text(
        "a duration",
        "with `after`: a file is taken to be closed when it was not changed for so long",
        r#""2h""#,
    ).or(r#""1d""#);
    // A logger that lost its clock restarts at 00:00 of these days, so the first day of 2000 is not trusted either.
    valid_from: Text = text(
        "a date",
        "in station time; rows before it come from a logger that lost its clock (it restarts at 1980-01-01, 1990-01-01 or \
         2000-01-01) and are rejected; a change judges the rejected lines again",
        r#""2010-06-01""#,
    ).or(r#""2000-01-02""#);
    missing: Sentinel = numbers_and_texts(
        r#"values that mean "missing" in every column, beside NAN, INF, an empty field and the [usual texts](qc.md#what-is-missing)"#,
        r#"[7999, -9999, "ERR"]"#,
    ).or("[]");
    stale_after: Text = text("a duration", "`status` reports it when the newest row is older", r#""30m""#);
    aggregate: Text = text(
        "`5m`, `10m`, `15m`, `20m`, `30m` or `1h`",
        "makes a second table of the rows, one row for each such time, named `NAME_30m`: [half hours](half-hours.md)",
        r#""30m""#,
    ).or_what("none; half hours with `turbulence`");
    aggregate_bucket: Text = text("", "with `aggregate`: the bucket of the table that is made", r#""half_hours""#)
        .or_what("the table's").with_variables();
    aggregate_suspects: Option<Spanned<bool>> = flag(
        "with `aggregate`: suspect values count; values that fail never do",
        "false",
    ).or("true");
    turbulence: Texts = texts(
        "columns",
        "the sonic's two horizontal components, its vertical one and its temperature in °C, and densities of gases, \
         for [a quick look at turbulence](half-hours.md#a-quick-look-at-turbulence) in half hours, or as `aggregate` says",
        r#"["Ux", "Uy", "Uz", "Ts", "CO2"]"#,
    );
    turbulence_pressure: Number = number(
        "with `turbulence`: the usual air pressure in kPa, without which there is no H and no TAU",
        "98.0",
    );
    withhold: Option<Spanned<bool>> = flag(
        "values that fail stay in the database and are not sent; their flags are",
        "true",
    ).or("false");
    height: Text = text(
        "",
        "how high above ground its sensors are, for columns that say neither height nor depth; a tag `height` or `depth` \
         that is a length counts too",
        r#""46m""#,
    );
    depth: Text = text("", "in place of `height`: how deep below ground", r#""7.5cm""#);
    sensor: Text = text("", "what measures the columns that do not say it", r#""CNR1""#);
    columns: BTreeMap<String, Spanned<ColumnSection>> = sections_by_name(
        &COLUMN,
        "what is special about columns: [columns](#tablecolumnsname). One that is not named is a float field under its own name",
        r#"{ PPFD = { field = "PPFD_46m" } }"#,
    );
    names: Texts = texts("", "csv: the names of all columns, in the order of the file", r#"["Time", "No", "Temp"]"#)
        .required_in("for csv (or `names_line` in `[table.csv]`)");
    time_column: Text = text("", "csv: which of them is the time", r#""Time""#)
        .required_in("for csv (or `time_columns` in `[table.csv]`)");
    time_format: Text = text(
        "",
        "csv: how the time is written: strftime letters, `unix`, `unix ms`, `excel`, `matlab`, or units since an instant: [csv](#tablecsv)",
        r#""%m/%d/%Y %H:%M""#,
    ).or_what("`YYYY-MM-DD hh:mm:ss[.f]`");
    record_column: Text = text("", "csv: which of them is the record number", r#""No""#);
    csv: Option<Spanned<CsvSection>> = group(
        &CSV,
        "csv: how the lines are written, where it is not as in a TOA5 file: [csv](#tablecsv)",
        r#"{ separator = ";", decimal = "," }"#,
    );
    [groups of qc::tests_of_rows: tests]
}

section! {
    /// `[table.columns.NAME]`.
    ColumnSection, COLUMN, "[table.columns.NAME]";
    column_use as "use": Text = text(
        "",
        r#"`"field"`: sent as a float, or as `type` says; `"tag"`: sent as a tag, and part of what tells rows of one time apart; `"ignore"`: stored, not sent"#,
        r#""field""#,
    ).or(r#""field""#);
    value_type as "type": Text = text(
        "",
        r#"the type that its values are sent as, for a bucket that already holds the field so: `"float"`, `"integer"`, `"text"` or `"boolean"` (0, 1, -1, true, false). A value that the type cannot express is not sent; `sync` counts it and says so, and the store keeps it. Flags stay numbers"#,
        r#""integer""#,
    ).or(r#""float""#);
    field: Text = text("", "the name it is sent under", r#""PPFD_46m""#).or_what("the column's name");
    variable: Text = text(
        "",
        "its AmeriFlux variable, which brings its physical range; `check` compares the unit",
        r#""PPFD_IN_1_1_1""#,
    );
    suspect: Numbers = bounds("suspect outside", "[11.5, 15]");
    fail: Numbers = bounds("fails outside", "[9.6, 18]");
    missing: Sentinel = numbers_and_texts(
        r#"values that mean "missing" here; `[]` for no more than the usual ones"#,
        "[7999]",
    ).or_what("the table's");
    withhold: Option<Spanned<bool>> = flag("a value that fails is not sent, only its flag", "true")
        .or_what("the table's");
    kind: Text = text(
        "",
        r#"what kind of quantity it is, where variable, process and unit of the file do not say it: `"linear"`, `"direction"`, `"total"` (over the row's interval), `"counter"` (since a reset), `"maximum"`, `"minimum"`, `"deviation"`, `"covariance"` or `"code"`. Averages, differences and drawings follow from it"#,
        r#""direction""#,
    ).or_what("by variable, process, unit and name");
    quantity: Text = text(
        "",
        "what is measured, where `variable` does not say it: columns of one quantity share a panel",
        r#""Vertical wind speed""#,
    );
    height: Text = text("", "how high above ground the sensor is, in m or cm", r#""0.5 m""#).or_what("the table's");
    depth: Text = text(
        "",
        "in place of `height`: how deep below ground, or the ends of a layer",
        r#""0-30cm""#,
    ).or_what("the table's");
    sensor: Text = text("", "what measures it; also which of several stations", r#""CSAT3""#).or_what("the table's");
    formula: Text = text(
        "",
        "the column is not in the file: its value from columns of the same row, and from `SW_IN_POT` and `SUN_ELEVATION`",
        r#""TA * 1.8 + 32""#,
    ).required_in("for a derived column");
    interval: Text = text(
        "a duration",
        "how long before each row `SW_IN_POT` is averaged: the time from row to row",
        r#""30m""#,
    ).required_in("beside a formula with `SW_IN_POT`");
    unit: Text = text("", "the unit of a derived column", r#""hPa""#);
    diagnostic: Text = text(
        "",
        r#"this column is the diagnostic word of a `"csat3"`, `"csat3a"`, `"csat3b"`, `"ec150"`, `"li7500"`, `"li7200"` or `"li7700"`"#,
        r#""csat3""#,
    ).required_in("beside `governs`");
    governs: Texts = texts(
        "",
        "columns of the table that fail when it reports a fault",
        r#"["Ux", "Uy", "Uz", "Ts"]"#,
    ).required_in("beside `diagnostic`");
    guards: Vec<Spanned<GuardSection>> = groups(
        &qc::GUARDS,
        "which numbers of this column vouch for other columns: [guards](#guards)",
        r#"[{ fail = [0.7, inf], governs = ["CO2", "FC"] }]"#,
    );
    [groups of qc::tests_of_columns: tests]
}

section! {
    /// `[[panel]]`.
    PanelSection, PANEL, "[[panel]]";
    title: Text = text("", "what stands above it", r#""CO2 against vertical wind, 46 m""#).required();
    row: Text = text(
        "",
        "the row that it stands in, made if there is none; without it, that of its first column",
        r#""IRGA 46 m""#,
    );
    kind: Text = text(
        "",
        r#"`"lines"`: over time; `"scatter"`: the second column against the first; `"profile"`: over height or depth; `"latest"`: the newest value"#,
        r#""latest""#,
    ).or(r#""lines""#);
    columns: Texts = texts("", "what it shows", r#"["met/CO2", "met/H2O"]"#).required();
    right: Texts = texts("", "columns on an axis of their own, at the right", r#"["met/Uz"]"#);
    labels: Texts = texts(
        "",
        "what the legend calls each of `columns`, then each of `right`; without it, by what tells them apart",
        r#"["sonic"]"#,
    );
    unit: Text = text("", "of the left axis; without it, that of the columns", r#""ppm""#);
    bounds: Numbers = bounds("fixed ends of the left axis", "[375, 425]");
    right_bounds: Numbers = bounds("fixed ends of the right axis", "[-2, 2]");
    mean: Text = text("a duration", "means over this time", r#""10m""#);
    description: Text = text(
        "",
        "shown where a reader asks what this is",
        r#""Drawn in rotation, one height at a time.""#,
    );
    hide: Option<Spanned<bool>> = flag("in place of `columns`: the panel of this title is left out", "true");
}
