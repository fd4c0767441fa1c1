//! The task against the schema that Microsoft publishes: what another program's reading of it cannot show here.

use super::Place;

/// The elements that Task Scheduler's schema knows below each, as the pages "taskschedulerschema-…-complextype" of Microsoft's
/// documentation print it. The text of an element that is no key here is checked by [`fits`].
const SCHEMA: [(&str, &[&str]); 13] = [
    ("Task", &["RegistrationInfo", "Triggers", "Settings", "Data", "Principals", "Actions"]),
    (
        "RegistrationInfo",
        &["URI", "SecurityDescriptor", "Source", "Date", "Author", "Version", "Description", "Documentation"],
    ),
    ("Triggers", &["BootTrigger", "TimeTrigger"]),
    ("BootTrigger", &["Enabled", "StartBoundary", "EndBoundary", "Repetition", "ExecutionTimeLimit", "Delay"]),
    ("TimeTrigger", &["Enabled", "StartBoundary", "EndBoundary", "Repetition", "ExecutionTimeLimit", "RandomDelay"]),
    ("Repetition", &["Interval", "Duration", "StopAtDurationEnd"]),
    ("Principals", &["Principal"]),
    ("Principal", &["UserId", "LogonType", "GroupId", "DisplayName", "RunLevel"]),
    (
        "Settings",
        &[
            "AllowStartOnDemand",
            "RestartOnFailure",
            "MultipleInstancesPolicy",
            "DisallowStartIfOnBatteries",
            "StopIfGoingOnBatteries",
            "AllowHardTerminate",
            "StartWhenAvailable",
            "NetworkProfileName",
            "RunOnlyIfNetworkAvailable",
            "WakeToRun",
            "Enabled",
            "Hidden",
            "DeleteExpiredTaskAfter",
            "IdleSettings",
            "NetworkSettings",
            "ExecutionTimeLimit",
            "Priority",
            "RunOnlyIfIdle",
        ],
    ),
    ("IdleSettings", &["Duration", "WaitTimeout", "StopOnIdleEnd", "RestartOnIdle"]),
    ("RestartOnFailure", &["Interval", "Count"]),
    ("Actions", &["Exec"]),
    ("Exec", &["Command", "Arguments", "WorkingDirectory"]),
];

/// Whether the schema takes this text in this element.
fn fits(element: &str, text: &str) -> bool {
    match element {
        "Description" | "Arguments" => true,
        "URI" | "UserId" | "Command" | "WorkingDirectory" => !text.is_empty() && text.len() <= 260,
        "StartBoundary" => chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S").is_ok(),
        // From a minute to 31 days.
        "Interval" => {
            let minutes = |text: &str| text.strip_suffix('M').and_then(|text| text.parse::<u32>().ok());
            let hours = |text: &str| text.strip_suffix('H').and_then(|text| text.parse::<u32>().ok());
            text.strip_prefix("PT").is_some_and(|text| minutes(text).or_else(|| hours(text)).is_some_and(|n| n > 0))
        }
        "ExecutionTimeLimit" => text == "PT0S",
        "Count" => text.parse::<u8>().is_ok_and(|count| count > 0),
        "Priority" => text.parse::<u8>().is_ok_and(|priority| priority <= 10),
        "MultipleInstancesPolicy" => ["Parallel", "Queue", "IgnoreNew", "StopExisting"].contains(&text),
        "LogonType" => ["S4U", "Password", "InteractiveToken", "InteractiveTokenOrPassword"].contains(&text),
        "RunLevel" => ["LeastPrivilege", "HighestAvailable"].contains(&text),
        _ => ["true", "false"].contains(&text),
    }
}

#[test]
fn the_windows_tasks_have_only_what_the_schema_of_task_scheduler_takes() {
    let place = Place::new();
    for flags in [&["--every", "1m"][..], &["--every", "6h"], &["--watch"]] {
        for account in ["SYSTEM", "PC\\me"] {
            let text = place.text(&[&["--windows", "--account", account], flags].concat());
            let task = roxmltree::Document::parse(&text).unwrap();
            let root = task.root_element();
            assert_eq!(
                (root.tag_name().name(), root.tag_name().namespace(), root.attribute("version")),
                ("Task", Some("http://schemas.microsoft.com/windows/2004/02/mit/task"), Some("1.2"))
            );
            for element in root.descendants().filter(roxmltree::Node::is_element) {
                let name = element.tag_name().name();
                let children: Vec<_> = element.children().filter(roxmltree::Node::is_element).collect();
                let Some((_, known)) = SCHEMA.iter().find(|(of, _)| *of == name) else {
                    let text = element.text().unwrap_or_default();
                    assert!(children.is_empty() && fits(name, text), "<{name}>{text}</{name}>");
                    continue;
                };
                let names: Vec<_> = children.iter().map(|child| child.tag_name().name()).collect();
                assert!(names.iter().all(|name| known.contains(name)), "{name}: {names:?}");
                let once: std::collections::BTreeSet<_> = names.iter().collect();
                assert_eq!(once.len(), names.len(), "{name}: {names:?}");
            }
        }
    }
}
