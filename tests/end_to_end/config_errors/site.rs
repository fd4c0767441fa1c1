//! Every section but those about QC, with every key: a value that is right, and values that are not.
//!
//! A key that the program knows and that stands nowhere here fails a test: `mod.rs` asks the program for its keys.

use super::sections::Kind::{Flag, Group, Groups, Number, NumbersAndTexts, Text, Texts, Whole};
use super::sections::{DURATIONS, Key, MAY_BE_NOTHING, Section, free, given, needed, refused};

const REST: &str = concat!(toml!(files), toml!(met));
const TABLE: &str = toml!(met);

const SOIL: &str = "[[table]]\nname = \"soil\"\nfiles = [\"soil.dat\"]\nbucket = \"ameriflux_soil\"\n";

const PATHS: &[&str] = &["\"\"", "\"C:\\tower.db\""];
const URLS: &[&str] = &[
    "\"influx.example\"",
    "\"https://influx.example/api/v2\"",
    "\"https://influx.example?db=x\"",
    "\"https://me:s3cret@influx.example\"",
    "\"http://influx.example\"",
];
const PEMS: &[&str] = &["\"\"", "\"C:\\tower.pem\"", "\"${FLUXTOWER_TEST_NOT_SET}\""];
const HEADERS: &[&str] = &[
    "{ X-Site = 5 }",
    "{ \"a b\" = \"s3cret\" }",
    "{ Authorization = \"s3cret\" }",
    "{ X-Site = \"\" }",
    "{ X-Site = \"s3cret\\n\" }",
    "{ X-Site = \"${FLUXTOWER_TEST_NOT_SET}\" }",
];
const OFFSET_CHANGE: &str = "[{ from = \"2026-03-01 00:00:00\", utc_offset = \"-06:00\" }]";
const WRONG_CLOCK: &str = "[{ from = \"2026-06-01 00:00:00\", add = \"1h\" }]";
const WRONG_CLOCKS: &[&str] = &[
    "[{}]",
    "[{ from = \"2026-06-01\" }]",
    "[{ from = \"2026-06-01\", until = \"2026-05-01\", add = \"1h\" }]",
    "[{ from = \"2026-06-01\", record_from = 9, record_until = 5, add = \"1h\" }]",
    "[{ from = \"2026-06-01\", add = \"1h\" }, { from = \"2026-07-01\", add = \"2h\" }]",
];
const STAMPS: &[&str] = &["\"\"", "\"06/01/2026\"", "\"2026-06-31 00:00:00\""];
const OFFSET_KEYS: &[Key] = &[
    needed("from", Text, "\"2026-03-01 00:00:00\"", STAMPS),
    needed("utc_offset", Text, "\"-06:00\"", &["\"-6\"", "\"CST\""]),
    free("record_from", Whole, "48213", &["-1"]),
];
const CLOCK_KEYS: &[Key] = &[
    needed("from", Text, "\"2026-06-01 00:00:00\"", STAMPS),
    free("until", Text, "\"2026-07-01 00:00:00\"", &["\"07/01/2026\"", "\"2026-05-01 00:00:00\""]),
    needed("add", Text, "\"-37m\"", &["\"\"", "\"0h\"", "\"1:00\"", "\"3h 1d\""]),
    free("record_from", Whole, "48213", &["-1"]),
    free("record_until", Whole, "48249", &["0"]),
];
/// Keys of every server.
const CONNECTION: &[Key] = &[
    free("allow_http", Flag, "true", &[]),
    free("retention", Text, "\"30d\"", DURATIONS),
    free("timeout", Text, "\"90s\"", DURATIONS),
];
/// Keys of servers with TLS of their own.
const TLS: &[Key] = &[
    free("ca_file", Text, "\"campus.pem\"", PEMS),
    given("client_cert_file", Text, "\"tower.pem\"", PEMS),
    free("client_key_file", Text, "\"tower.key\"", PEMS),
    free("headers", Group, "{ X-Site = \"umbs\" }", HEADERS),
];
/// Keys for every way of notification.
const OF_NOTIFY: &[Key] = &[
    free("ca_file", Text, "\"campus.pem\"", PATHS),
    free("severity", Text, "\"problem\"", &["\"info\"", "\"problems\""]),
    free("again", Text, "\"7d\"", &["\"5m\"", "\"daily\"", "\"\""]),
];
const STATION: &[Key] = &[
    needed("name", Text, "\"US-UMB\"", &["\"\"", "\"${FLUXTOWER_TEST_NOT_SET}\"", "\" US-UMB\"", "'US\\UMB'"]),
    needed("utc_offset", Text, "\"-05:00\"", &["\"-5\"", "\"EST\"", "\"-15:00\""]),
    free("timezone", Text, "\"America/Detroit\"", &["\"America/Detriot\"", "\"Michigan time\""])
        .instead_of(&["utc_offset"]),
    free("offset", Groups, OFFSET_CHANGE, &["[{}]", "[{ from = \"2026-03-01\" }]"]),
    free("clock", Groups, WRONG_CLOCK, WRONG_CLOCKS),
];
const POSITION: &[Key] = &[
    needed("latitude", Number, "45.5598", &["90.1", "-91", "nan"]),
    needed("longitude", Number, "-84.7138", &["180.5", "-181", "inf"]),
];
const TABLE_COMMON: &[Key] = &[
    needed("name", Text, "\"met\"", &["\"\"", "\"46m/par\""]),
    needed("files", Texts, "[\"met.dat\"]", &["[]", "[\"\"]", "[\"data/***.dat\"]", "[\"C:\\temp.dat\"]"]),
    free("logger_table", Text, "\"PARCal\"", &["\"\""]),
    free("measurement", Text, "\"fastdata\"", &["\"_fast\"", "\"#fast\"", "'fast\\data'"]),
    free(
        "tags",
        Group,
        "{ height = \"46m\" }",
        &["{ height = 46 }", "{ height = \"\" }", "{ time = \"x\" }", "{ \"a b\" = true }"],
    ),
    free("bucket", Text, "\"ameriflux_soil\"", &["\"\"", "\"${FLUXTOWER_TEST_NOT_SET}\""]),
    given("utc_offset", Text, "\"-06:00\"", &["\"-6\"", "\"-16:00\""]),
    free("timezone", Text, "\"America/Chicago\"", &["\"Chicago\"", "\"CST9\""]).instead_of(&["utc_offset"]),
    free("offset", Groups, OFFSET_CHANGE, &["[{}]", "[{ from = \"2026-03-01\" }]"]),
    free("clock", Groups, WRONG_CLOCK, WRONG_CLOCKS),
    free("on_conflict", Text, "\"replace\"", &["\"overwrite\""]),
    given("samples_per_stamp", Whole, "10", &["0", "10_001"]),
    free("stamp_interval", Text, "\"500ms\"", &["\"0s\"", "\"7s\"", "\"1h\""]),
    free("last_line_after", Text, "\"0s\"", MAY_BE_NOTHING),
    free("valid_from", Text, "\"2010-06-01\"", &["\"June 2010\"", "\"2010-13-01\""]),
    free("missing", NumbersAndTexts, "[7999]", &["[nan]", "[-inf]"]),
    free("stale_after", Text, "\"30m\"", DURATIONS),
    free("time_gap", Group, "{ suspect = \"12m\" }", &["{}"]),
    free("withhold", Flag, "true", &[]),
    given("height", Text, "\"34m\"", &["\"34\"", "\"0-30cm\""]),
    free("depth", Text, "\"7.5cm\"", &["\"7.5\"", "\"30-0cm\""]).instead_of(&["height"]),
    free("sensor", Text, "\"CNR1\"", &["\"\""]),
    free("columns", Group, "{ A = { suspect = [0, 1] } }", &["{ A = 3 }", "{ time = {} }", "{ RECORD = {} }"]),
];

pub const SECTIONS: &[Section] = &[
    Section {
        name: "file",
        heading: "The sections",
        before: "",
        group: None,
        after: "",
        keys: &[&[
            needed("station", Group, "{ name = \"US-UMB\", utc_offset = \"-05:00\" }", &["{}"]),
            free("store", Group, "{ path = \"tower.db\" }", &[]),
            needed("destination", Group, "{ kind = \"files\" }", &["{}"]),
            free("sync", Group, "{ batch_rows = 1000 }", &[]),
            free("notify", Group, "{ url_env = \"NTFY_URL\", format = \"text\" }", &["{}"]),
            free("log", Group, "{ file = \"fluxtower.log\" }", &[]),
            free("qc", Group, "{ wait = \"20m\" }", &[]),
            needed("table", Groups, "[{ name = \"met\", files = [\"met.dat\"] }]", &["[{}]"]),
            free(
                "pair",
                Groups,
                "[{ name = \"x\", table = \"met\", column = \"A\", against = \"B\", difference = { suspect = 1 } }]",
                &["[{}]"],
            ),
            refused("bucket", Groups, "[{ name = \"ameriflux_soil\" }]"),
            free("panel", Groups, "[{ title = \"x\", columns = [\"met/A\"] }]", &["[{}]"]),
        ]],
        elsewhere: &[],
    },
    Section {
        name: "file_influxdb",
        heading: "The sections",
        before: "",
        group: None,
        after: "",
        keys: &[&[
            needed("station", Group, "{ name = \"US-UMB\", utc_offset = \"-05:00\" }", &["{}"]),
            needed(
                "destination",
                Group,
                "{ kind = \"influxdb\", api = \"v3\", url = \"https://influx.example\", bucket = \"ameriflux_soil\" }",
                &["{ kind = \"influxdb\" }"],
            ),
            needed("table", Groups, "[{ name = \"met\", files = [\"met.dat\"] }]", &["[{}]"]),
            free(
                "bucket",
                Groups,
                "[{ name = \"ameriflux_soil\", retention = \"30d\" }]",
                &["[{}]", "[{ name = \"ameriflux_soil\" }, { name = \"ameriflux_soil\" }]"],
            ),
        ]],
        elsewhere: &[&[
            free("store", Group, "{}", &[]),
            free("sync", Group, "{}", &[]),
            free("log", Group, "{}", &[]),
            free("notify", Group, "{}", &[]),
            free("qc", Group, "{}", &[]),
            free("pair", Groups, "[]", &[]),
            free("panel", Groups, "[]", &[]),
        ]],
    },
    Section {
        name: "station",
        heading: "[station]",
        before: "[station]\n",
        group: None,
        after: REST,
        keys: &[STATION],
        elsewhere: &[POSITION],
    },
    Section {
        name: "station_position",
        heading: "[station]",
        before: toml!(station),
        group: None,
        after: REST,
        keys: &[POSITION],
        elsewhere: &[STATION],
    },
    Section {
        name: "station_offset",
        heading: "[[station.offset]]",
        before: concat!(toml!(station), "[[station.offset]]\n"),
        group: None,
        after: REST,
        keys: &[OFFSET_KEYS],
        elsewhere: &[],
    },
    Section {
        name: "station_clock",
        heading: "[[station.clock]]",
        before: concat!(toml!(station), "[[station.clock]]\n"),
        group: None,
        after: REST,
        keys: &[CLOCK_KEYS],
        elsewhere: &[],
    },
    Section {
        name: "table_offset",
        heading: "[[table.offset]]",
        before: concat!(toml!(station), toml!(files), toml!(met), "[[table.offset]]\n"),
        group: None,
        after: "",
        keys: &[OFFSET_KEYS],
        elsewhere: &[],
    },
    Section {
        name: "table_clock",
        heading: "[[table.clock]]",
        before: concat!(toml!(station), toml!(files), toml!(met), "[[table.clock]]\n"),
        group: None,
        after: "",
        keys: &[CLOCK_KEYS],
        elsewhere: &[],
    },
    Section {
        name: "store",
        heading: "[store]",
        before: concat!(toml!(station), "[store]\n"),
        group: None,
        after: REST,
        keys: &[&[
            free("path", Text, "\"data/tower.db\"", PATHS),
            free("keep", Text, "\"400d\"", &["\"400\"", "\"12h\"", "\"0s\""]),
        ]],
        elsewhere: &[],
    },
    Section {
        name: "destination_files",
        heading: "[destination]",
        before: concat!(toml!(station), "[destination]\n"),
        group: None,
        after: TABLE,
        keys: &[&[
            needed("kind", Text, "\"files\"", &["\"\"", "\"file\"", "\"influx\""]),
            free("path", Text, "\"lines\"", PATHS),
            refused("url", Text, "\"https://influx.example\""),
            refused("api", Text, "\"v2\""),
            refused("org", Text, "\"umbs\""),
            refused("bucket", Text, "\"ameriflux\""),
            refused("token_env", Text, "\"INFLUX_TOKEN\""),
            refused("token_file", Text, "\"token.txt\""),
            refused("user", Text, "\"tower\""),
            refused("password_env", Text, "\"INFLUX_PASSWORD\""),
            refused("password_file", Text, "\"password.txt\""),
            refused("allow_http", Flag, "true"),
            refused("retention", Text, "\"30d\""),
            refused("timeout", Text, "\"90s\""),
            refused("ca_file", Text, "\"campus.pem\""),
            refused("client_cert_file", Text, "\"tower.pem\""),
            refused("client_key_file", Text, "\"tower.key\""),
            refused("headers", Group, "{ X-Site = \"umbs\" }"),
        ]],
        elsewhere: &[],
    },
    Section {
        name: "destination_v2",
        heading: "[destination]",
        before: concat!(toml!(station), "[destination]\n"),
        group: None,
        after: TABLE,
        keys: &[
            &[
                needed("kind", Text, "\"influxdb\"", &["\"influx\""]),
                free("api", Text, "\"v2\"", &["\"2\"", "\"v4\""]),
                needed("url", Text, "\"https://influx.example\"", URLS),
                needed("org", Text, "\"umbs\"", &["\"\"", "\"${FLUXTOWER_TEST_NOT_SET}\""]),
                needed("bucket", Text, "\"ameriflux\"", &["\"\"", "\"${FLUXTOWER_TEST_NOT_SET}\"", "\"${\""]),
                needed("token_env", Text, "\"INFLUX_TOKEN\"", &["\"\"", "\"s3cret-s3cret==\""]),
                free("token_file", Text, "'C:\\fluxtower\\token.txt'", &["\"\"", "\"s3cret-s3cret==\""])
                    .instead_of(&["token_env"]),
            ],
            CONNECTION,
            TLS,
            &[
                refused("path", Text, "\"outbox\""),
                refused("user", Text, "\"tower\""),
                refused("password_env", Text, "\"INFLUX_PASSWORD\""),
                refused("password_file", Text, "\"password.txt\""),
            ],
        ],
        elsewhere: &[],
    },
    Section {
        name: "destination_v1",
        heading: "[destination]",
        before: concat!(toml!(station), "[destination]\n"),
        group: None,
        after: TABLE,
        keys: &[
            &[
                needed("kind", Text, "\"influxdb\"", &["\"influx\""]),
                needed("api", Text, "\"v1\"", &["\"1\""]),
                needed("url", Text, "\"http://localhost:8086\"", URLS),
                needed("bucket", Text, "\"ameriflux/autogen\"", &["\"\""]),
                needed("user", Text, "\"tower\"", &["\"\""]),
                needed("password_env", Text, "\"INFLUX_PASSWORD\"", &["\"\"", "\"s3cret-s3cret==\""]),
                free("password_file", Text, "\"password.txt\"", &["\"\"", "\"s3cret-s3cret==\""])
                    .instead_of(&["password_env"]),
            ],
            CONNECTION,
            &[
                refused("ca_file", Text, "\"campus.pem\""),
                refused("client_cert_file", Text, "\"tower.pem\""),
                refused("client_key_file", Text, "\"tower.key\""),
                free("headers", Group, "{ X-Site = \"umbs\" }", HEADERS),
                refused("path", Text, "\"outbox\""),
                refused("org", Text, "\"umbs\""),
                refused("token_env", Text, "\"INFLUX_TOKEN\""),
                refused("token_file", Text, "\"token.txt\""),
            ],
        ],
        elsewhere: &[],
    },
    Section {
        name: "destination_v3",
        heading: "[destination]",
        before: concat!(toml!(station), "[destination]\n"),
        group: None,
        after: TABLE,
        keys: &[
            &[
                needed("kind", Text, "\"influxdb\"", &["\"influx\""]),
                needed("api", Text, "\"v3\"", &["\"3\""]),
                needed("url", Text, "\"https://influx.example:8181\"", URLS),
                needed("bucket", Text, "\"ameriflux\"", &["\"\"", "\"${FLUXTOWER_TEST_NOT_SET}\"", "\"${\""]),
                given("token_env", Text, "\"INFLUX_TOKEN\"", &["\"\"", "\"apiv3_s3cret\""]),
                free("token_file", Text, "\"token.txt\"", &["\"\"", "\"apiv3_s3cret\""]).instead_of(&["token_env"]),
            ],
            CONNECTION,
            TLS,
            &[
                refused("path", Text, "\"outbox\""),
                refused("org", Text, "\"umbs\""),
                refused("user", Text, "\"tower\""),
                refused("password_env", Text, "\"INFLUX_PASSWORD\""),
                refused("password_file", Text, "\"password.txt\""),
            ],
        ],
        elsewhere: &[],
    },
    Section {
        name: "bucket_v2",
        heading: "[[bucket]]",
        before: concat!(
            toml!(station),
            "[destination]\nkind = \"influxdb\"\nurl = \"https://influx.example\"\norg = \"umbs\"\nbucket = \"ameriflux\"\ntoken_env = \"INFLUX_TOKEN\"\n[[bucket]]\n"
        ),
        group: None,
        after: SOIL,
        keys: &[&[
            needed("name", Text, "\"ameriflux\"", &["\"\"", "\"amerifluxx\"", "\"${FLUXTOWER_TEST_NOT_SET}\""]),
            free("retention", Text, "\"30d\"", DURATIONS),
            free("org", Text, "\"partners\"", &["\"\"", "\"${FLUXTOWER_TEST_NOT_SET}\""]),
            given("token_env", Text, "\"SOIL_TOKEN\"", &["\"\"", "\"s3cret-s3cret==\""]),
            free("token_file", Text, "\"soil_token.txt\"", &["\"\"", "\"s3cret-s3cret==\""]).instead_of(&["token_env"]),
        ]],
        elsewhere: &[],
    },
    Section {
        name: "bucket_v1",
        heading: "[[bucket]]",
        before: concat!(
            toml!(station),
            "[destination]\nkind = \"influxdb\"\nurl = \"https://influx.example\"\napi = \"v1\"\nbucket = \"ameriflux/autogen\"\n[[bucket]]\n"
        ),
        group: None,
        after: TABLE,
        keys: &[&[
            needed("name", Text, "\"ameriflux/autogen\"", &["\"ameriflux\""]),
            free("retention", Text, "\"30d\"", DURATIONS),
            refused("org", Text, "\"partners\""),
            refused("token_env", Text, "\"SOIL_TOKEN\""),
            refused("token_file", Text, "\"soil_token.txt\""),
        ]],
        elsewhere: &[],
    },
    Section {
        name: "sync",
        heading: "[sync]",
        before: concat!(toml!(station), "[sync]\n"),
        group: None,
        after: REST,
        keys: &[&[
            free("batch_rows", Whole, "1000", &["0", "5001", "-1"]),
            free("batch_bytes", Whole, "500_000", &["999", "2_000_000"]),
            free("requests", Whole, "4", &["0", "17"]),
            free("budget_bytes", Whole, "4_000_000", &["999", "-1"]),
            free("deadline", Text, "\"3m\"", DURATIONS),
            free("health", Flag, "false", &[]),
            free(
                "heartbeat_url",
                Text,
                "\"https://alive.example/ping\"",
                &["\"alive.example\"", "\"ftp://s3cret.example\""],
            ),
        ]],
        elsewhere: &[],
    },
    Section {
        name: "notify_webhook",
        heading: "[notify]",
        before: concat!(toml!(station), "[notify]\n"),
        group: None,
        after: REST,
        keys: &[
            &[
                needed(
                    "url",
                    Text,
                    "\"https://ntfy.sh/us-umb\"",
                    &["\"ntfy.sh/s3cret\"", "\"http://ntfy.example/s3cret\"", "\"ftp://s3cret.example\""],
                ),
                free("url_env", Text, "\"NTFY_URL\"", &["\"s3cret==\"", "\"\""]).instead_of(&["url"]),
                free("url_file", Text, "\"webhook.txt\"", PATHS).instead_of(&["url"]),
                free("format", Text, "\"text\"", &["\"ntfy\"", "\"\""]),
                free("token_env", Text, "\"NTFY_TOKEN\"", &["\"s3cret==\""]),
                free("token_file", Text, "\"ntfy_token.txt\"", PATHS),
                free("allow_http", Flag, "true", &[]),
                refused("smtp_port", Whole, "465"),
                refused("smtp_security", Text, "\"tls\""),
                refused("smtp_user", Text, "\"tower\""),
                refused("smtp_password_env", Text, "\"SMTP_PASSWORD\""),
                refused("smtp_password_file", Text, "\"smtp_password.txt\""),
                refused("smtp_from", Text, "\"tower@example.edu\""),
                refused("smtp_to", Texts, "[\"anna@example.edu\"]"),
            ],
            OF_NOTIFY,
        ],
        elsewhere: &[&[free("smtp_host", Text, "\"smtp.example.edu\"", &[])]],
    },
    Section {
        name: "notify_mail",
        heading: "[notify]",
        before: concat!(toml!(station), "[notify]\n"),
        group: None,
        after: REST,
        keys: &[
            &[
                needed(
                    "smtp_host",
                    Text,
                    "\"smtp.example.edu\"",
                    &["\"\"", "\"smtp.example.edu:587\"", "\"smtp://x\""],
                ),
                free("smtp_security", Text, "\"tls\"", &["\"ssl\"", "\"STARTTLS\"", "\"none\""]),
                free("smtp_port", Whole, "465", &["0", "65536", "-1"]),
                needed("smtp_user", Text, "\"tower@example.edu\"", &["\"\""]),
                needed("smtp_password_env", Text, "\"SMTP_PASSWORD\"", &["\"s3cret==\""]),
                free("smtp_password_file", Text, "\"smtp_password.txt\"", PATHS).instead_of(&["smtp_password_env"]),
                needed("smtp_from", Text, "\"tower@example.edu\"", &["\"tower\"", "\"\""]),
                needed(
                    "smtp_to",
                    Texts,
                    "[\"anna@example.edu\"]",
                    &["[]", "[\"anna\"]", "[\"a@example.edu\", \"a@example.edu\"]"],
                ),
                refused("format", Text, "\"text\""),
                refused("token_env", Text, "\"NTFY_TOKEN\""),
                refused("token_file", Text, "\"ntfy_token.txt\""),
                refused("allow_http", Flag, "true"),
            ],
            OF_NOTIFY,
        ],
        elsewhere: &[&[
            free("url", Text, "\"https://ntfy.sh/us-umb\"", &[]),
            free("url_env", Text, "\"NTFY_URL\"", &[]),
            free("url_file", Text, "\"webhook.txt\"", &[]),
        ]],
    },
    Section {
        name: "log",
        heading: "[log]",
        before: concat!(toml!(station), "[log]\n"),
        group: None,
        after: REST,
        keys: &[&[
            free("file", Text, "\"logs/fluxtower.log\"", PATHS),
            free("max_bytes", Whole, "1_000_000", &["9_999", "-1"]),
            free("keep", Whole, "9", &["0", "101"]),
        ]],
        elsewhere: &[],
    },
    Section {
        name: "qc",
        heading: "[qc]",
        before: concat!(toml!(station), "[qc]\n"),
        group: None,
        after: REST,
        keys: &[&[free("wait", Text, "\"20m\"", MAY_BE_NOTHING)]],
        elsewhere: &[],
    },
    Section {
        name: "table_toa5",
        heading: "[[table]]",
        before: concat!(toml!(station), toml!(files), "[[table]]\n"),
        group: None,
        after: "",
        keys: &[TABLE_COMMON],
        elsewhere: &[&[
            free("format", Text, "\"toa5\"", &[]),
            refused("names", Texts, "[]"),
            refused("time_column", Text, "\"\""),
            refused("time_format", Text, "\"\""),
            refused("record_column", Text, "\"\""),
        ]],
    },
    Section {
        name: "table_toa5_with_csv_keys",
        heading: "[[table]]",
        before: concat!(toml!(station), toml!(files), toml!(met)),
        group: None,
        after: "",
        keys: &[&[
            free("format", Text, "\"toa5\"", &["\"toa\"", "\"tob1\"", "\"\""]),
            refused("names", Texts, "[\"Time\", \"Temp\"]"),
            refused("time_column", Text, "\"Time\""),
            refused("time_format", Text, "\"%Y-%m-%d %H:%M\""),
            refused("record_column", Text, "\"No\""),
        ]],
        elsewhere: &[TABLE_COMMON],
    },
    Section {
        name: "table_csv",
        heading: "[[table]]",
        before: concat!(toml!(station), toml!(files), "[[table]]\nname = \"plots\"\nfiles = [\"plots.tst\"]\n"),
        group: None,
        after: "",
        keys: &[&[
            needed("format", Text, "\"csv\"", &["\"cvs\""]),
            needed(
                "names",
                Texts,
                "[\"Time\", \"No\", \"Temp\"]",
                &["[]", "[\"Time\", \"Temp\", \"Temp\"]", "[\"Time\", \"\"]", "[\"Time\"]"],
            ),
            needed("time_column", Text, "\"Time\"", &["\"time\"", "\"\""]),
            free("time_format", Text, "\"%m/%d/%Y %H:%M\"", &["\"%H:%M\"", "\"%Q\"", "\"YYYY-MM-DD hh:mm\""]),
            free("record_column", Text, "\"No\"", &["\"Time\"", "\"Nr\""]),
        ]],
        elsewhere: &[TABLE_COMMON],
    },
];
