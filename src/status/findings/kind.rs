//! The kinds of findings.

/// How much a finding asks of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// To be known. Nothing is to be done now.
    Info,
    /// Something is to be looked at.
    Warning,
    /// Data does not come in or does not go out.
    Problem,
}

/// Writes the enum, its names and its documentation from one table.
macro_rules! kinds {
    ($($(#[doc = $line:literal])+ $kind:ident, $name:literal, $severity:ident;)+) => {
        /// What a finding is about. `docs/operations.md` has a section for each, which a test compares.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Kind {
            $($(#[doc = $line])+ $kind,)+
        }

        impl Kind {
            /// All kinds, the most pressing first.
            pub const ALL: &'static [Kind] = &[$(Kind::$kind,)+];

            /// Its name in JSON and in the documentation.
            pub fn name(self) -> &'static str {
                match self { $(Kind::$kind => $name,)+ }
            }

            /// How much it asks of a user.
            pub fn severity(self) -> Severity {
                match self { $(Kind::$kind => Severity::$severity,)+ }
            }

            /// What it means, in one sentence.
            pub fn meaning(self) -> &'static str {
                match self { $(Kind::$kind => concat!($($line,)+).trim_ascii(),)+ }
            }
        }
    };
}

kinds! {
    /// The store cannot be read.
    StoreUnreadable, "store_unreadable", Problem;
    /// A configured table was never read.
    NeverRead, "never_read", Warning;
    /// A table has had no new row for longer than `stale_after`, or than its usual interval allows.
    Stale, "stale", Problem;
    /// Rows are pending and nothing was acknowledged for a day.
    NotAcknowledged, "not_acknowledged", Problem;
    /// The last ingest or sync ended before its work was done.
    RunFailed, "run_failed", Problem;
    /// The configuration was changed and is wrong, so that `run --watch` goes on with the one before.
    ConfigurationRefused, "configuration_refused", Problem;
    /// Rows are pending for more than half of the time that their bucket keeps rows.
    Expiring, "expiring", Problem;
    /// Little room is left on the disk of the database.
    DiskNearlyFull, "disk_nearly_full", Warning;
    /// A file that the configuration names cannot be read as what it is.
    UnreadableFile, "unreadable_file", Problem;
    /// A pattern of `files` matched a file before and matches none now.
    NoFile, "no_file", Warning;
    /// A table without new rows has newer files beside its own that no pattern matches.
    UnmatchedFiles, "unmatched_files", Warning;
    /// A folder on a network share is read by a scheduled task, which may not see it.
    NetworkShare, "network_share", Warning;
    /// The destination refused rows.
    RefusedRows, "refused_rows", Warning;
    /// Records are missing by their numbers.
    MissingRecords, "missing_records", Warning;
    /// Rows did not come at the usual interval of a table without record numbers that count.
    MissingTimeSteps, "missing_time_steps", Warning;
    /// A series of a table with tag columns has ended, while others that had rows at the same times go on.
    SeriesEnded, "series_ended", Warning;
    /// Lines of files are no rows.
    RejectedLines, "rejected_lines", Warning;
    /// Lines lie more than a day in the future and are held.
    HeldLines, "held_lines", Warning;
    /// Lines share their time stamp with others, and their place among them is not known.
    HeldSamples, "held_samples", Warning;
    /// The same time came with two contents.
    Conflicts, "conflicts", Warning;
    /// Two loggers write into one table in turn, so that its rows are of two places.
    TwoLoggers, "two_loggers", Warning;
    /// This computer's clock, the server's and those of the files disagree by more than ten minutes.
    ClocksDisagree, "clocks_disagree", Problem;
    /// The offset from UTC in the configuration is another one than that of a table's rows, and `rekey` has not moved them.
    OffsetUnconfirmed, "offset_unconfirmed", Warning;
    /// Rows and the files that they came in are apart by the same whole number of half hours, collection after collection.
    OffsetOfHours, "offset_of_hours", Warning;
    /// Noon by the longitude of the station and noon by its offset from UTC are too far apart for one place.
    PositionUnfit, "position_unfit", Warning;
    /// Light comes at another time than the sun's, day after day: the clock or `utc_offset` is wrong.
    SunLate, "sun_late", Warning;
    /// A radiometer gives no light by day.
    DarkByDay, "dark_by_day", Warning;
    /// A radiometer gives light at night.
    LightAtNight, "light_at_night", Warning;
    /// A logger's clock went back by more than ten minutes within the last day.
    LoggerClock, "logger_clock", Warning;
    /// A clock entry without an end was ended, because RECORD started again, and whether the clock is right since is not known.
    ClockEntryEnded, "clock_entry_ended", Warning;
    /// The newest row of a table lies in the future.
    RowsAhead, "rows_ahead", Warning;
    /// Runs or receipts are dated in the future.
    FutureTimes, "future_times", Warning;
    /// The last ingest or sync reported something that no other finding says.
    Reported, "reported", Warning;
    /// A receiver of notifications does not take them.
    NotifyFailed, "notify_failed", Warning;
    /// Values of the last day mostly failed their tests or are missing.
    WrongValues, "wrong_values", Warning;
    /// The unit in a file's header does not fit the AmeriFlux variable of its column, so that the variable's range is not applied.
    UnitUnfit, "unit_unfit", Warning;
    /// The unit of a column in the newest header is another one than before, so that one field holds values in two units.
    UnitChanged, "unit_changed", Warning;
    /// The rows of a table do not divide the windows of its `aggregate`, whose values are missing therefore.
    WindowsUnfit, "windows_unfit", Warning;
    /// Rain that the logger sampled is averaged by `aggregate`, because nothing says whether its values are totals.
    RainUnclear, "rain_unclear", Warning;
    /// The `field` of a column is the name of another column, which is sent under it.
    NameTaken, "name_taken", Warning;
    /// A configured column stood in an earlier header of its table and does not stand in the newest one.
    ColumnGone, "column_gone", Warning;
    /// The header of a file and the configuration disagree on what kind of quantity a column is; the configuration holds.
    KindDisagrees, "kind_disagrees", Info;
    /// A clock is configured by a zone of POSIX, whose sign is the opposite of the usual one.
    PosixZone, "posix_zone", Info;
    /// RECORD of a table does not count, so that it does not tell which records are missing.
    RecordDoesNotCount, "record_does_not_count", Info;
    /// Points in a bucket hold what their rows no longer have, and syncs cannot remove them.
    PointsLeft, "points_left", Info;
    /// Rows became older than their bucket keeps rows before they were sent.
    ExpiredRows, "expired_rows", Info;
    /// Rows are pending, and the destination has never acknowledged any.
    NoAnswerYet, "no_answer_yet", Info;
    /// Rows are pending for longer than two usual syncs take.
    Pending, "pending", Info;
    /// Points in a bucket hold what their rows no longer have until a sync has removed them.
    StalePoints, "stale_points", Info;
    /// A table has too few rows to tell whether it is late.
    TooFewRows, "too_few_rows", Info;
}

impl Kind {
    /// Whether it is about what loggers wrote or did not write, and not about what became of it here.
    pub fn is_of_what_loggers_wrote(self) -> bool {
        matches!(
            self,
            Kind::MissingRecords
                | Kind::MissingTimeSteps
                | Kind::SeriesEnded
                | Kind::LoggerClock
                | Kind::SunLate
                | Kind::DarkByDay
                | Kind::LightAtNight
        )
    }

    /// Whether it is unknown, where this is found, if the other one has cleared: `other` is found no more, and this says that
    /// too little is known to call it well.
    pub fn leaves_open(self, other: Kind) -> bool {
        match self {
            Kind::NeverRead | Kind::TooFewRows => matches!(other, Kind::Stale | Kind::RowsAhead | Kind::UnmatchedFiles),
            Kind::NoAnswerYet | Kind::Pending => matches!(other, Kind::NotAcknowledged | Kind::Expiring),
            // A folder that is gone has neither files that cannot be read nor files that no pattern matches.
            Kind::NoFile => matches!(other, Kind::UnreadableFile | Kind::UnmatchedFiles),
            _ => false,
        }
    }

    /// Whether it says that something is not known, which is neither good nor bad.
    pub fn is_unknown(self) -> bool {
        matches!(self, Kind::NeverRead | Kind::NoAnswerYet | Kind::Pending | Kind::StalePoints | Kind::TooFewRows)
    }
}
