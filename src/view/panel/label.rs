//! Makes the series' names in the legend: as short as possible, and all different.

use super::draw::Member;

/// A label for each member, all different.
pub(super) fn labels(members: &[Member<'_>]) -> Vec<String> {
    let quantities_vary = vary(members, quantity);
    // Parts distinguish columns of one quantity.
    let parts_vary = members
        .iter()
        .any(|one| members.iter().any(|other| quantity(one) == quantity(other) && one.part() != other.part()));
    let levels_vary = vary(members, level);
    let tags_vary = vary(members, tags);
    let sensors_vary = vary(members, sensor);
    let part = |varies: bool, text: String| if varies { text } else { String::new() };
    let mut labels: Vec<String> = members
        .iter()
        .map(|member| {
            let label = joined(&[
                part(quantities_vary, quantity(member)),
                part(parts_vary, member.part().to_owned()),
                part(levels_vary, level(member)),
                part(tags_vary, tags(member)),
            ]);
            // Nothing varies: a single series is named by its level, several by their sensors.
            let alone = if sensors_vary { sensor(member) } else { level(member) };
            let names = [label, alone, sensor(member), member.column.field.clone()];
            names.into_iter().find(|name| !name.is_empty()).unwrap_or_default()
        })
        .collect();
    add(members, &mut labels, sensor);
    add(members, &mut labels, |member| member.column.field.clone());
    add(members, &mut labels, |member| member.column.table.0.clone());
    number(&mut labels);
    labels
}

/// The configured labels; if several series share a label, their tags are added.
pub(super) fn with_tags(members: &[Member<'_>], mut labels: Vec<String>) -> Vec<String> {
    add(members, &mut labels, tags);
    number(&mut labels);
    labels
}

/// Adds a text to labels that occur more than once.
fn add(members: &[Member<'_>], labels: &mut [String], text: impl Fn(&Member<'_>) -> String) {
    let before = labels.to_vec();
    let doubled = |label: &String| before.iter().filter(|other| *other == label).count() > 1;
    for (member, label) in members.iter().zip(labels.iter_mut()) {
        let text = text(member);
        if doubled(label) && !text.is_empty() && *label != text {
            *label = joined(&[label.clone(), text]);
        }
    }
}

/// Numbers the labels that still occur more than once.
fn number(labels: &mut [String]) {
    for at in 0..labels.len() {
        let wanted = labels[at].clone();
        let mut count = 1_u32;
        while labels[..at].contains(&labels[at]) {
            count += 1;
            labels[at] = format!("{wanted} ({count})");
        }
    }
}

fn vary(members: &[Member<'_>], text: impl Fn(&Member<'_>) -> String) -> bool {
    let mut texts = members.iter().map(text);
    texts.next().is_some_and(|first| texts.any(|other| other != first))
}

fn level(member: &Member<'_>) -> String {
    member.column.level.as_ref().map(|level| level.label.clone()).unwrap_or_default()
}

fn sensor(member: &Member<'_>) -> String {
    member.column.sensor.clone().unwrap_or_default()
}

/// The quantity; the field name of a column without one.
fn quantity(member: &Member<'_>) -> String {
    member.column.quantity.clone().unwrap_or_else(|| member.column.field.clone())
}

pub(super) fn tags(member: &Member<'_>) -> String {
    joined(&member.tags.iter().map(|(_, value)| value.trim().to_owned()).collect::<Vec<_>>())
}

fn joined(texts: &[String]) -> String {
    texts.iter().filter(|text| !text.is_empty()).cloned().collect::<Vec<_>>().join(" ")
}
