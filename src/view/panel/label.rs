//! What the legend calls each series: as little as tells them apart.

use super::draw::Member;

/// A label for each, all different.
pub(super) fn labels(members: &[Member<'_>]) -> Vec<String> {
    let quantities_vary = vary(members, quantity);
    // Parts tell columns of one quantity apart.
    let parts_vary = members
        .iter()
        .any(|one| members.iter().any(|other| quantity(one) == quantity(other) && one.part() != other.part()));
    let levels_vary = vary(members, level);
    let tags_vary = vary(members, tags);
    let sensors_vary = vary(members, sensor);
    let word = |is_said: bool, word: String| if is_said { word } else { String::new() };
    let mut labels: Vec<String> = members
        .iter()
        .map(|member| {
            let label = joined(&[
                word(quantities_vary, quantity(member)),
                word(parts_vary, member.part().to_owned()),
                word(levels_vary, level(member)),
                word(tags_vary, tags(member)),
            ]);
            // Nothing differs: what is one thing goes by its place, several by what measures them.
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

/// Labels that a person wrote, with the tags of a series where several share one.
pub(super) fn with_tags(members: &[Member<'_>], mut labels: Vec<String>) -> Vec<String> {
    add(members, &mut labels, tags);
    number(&mut labels);
    labels
}

/// Adds a word to the labels that are not alone.
fn add(members: &[Member<'_>], labels: &mut [String], word: impl Fn(&Member<'_>) -> String) {
    let before = labels.to_vec();
    let doubled = |label: &String| before.iter().filter(|other| *other == label).count() > 1;
    for (member, label) in members.iter().zip(labels.iter_mut()) {
        let word = word(member);
        if doubled(label) && !word.is_empty() && *label != word {
            *label = joined(&[label.clone(), word]);
        }
    }
}

/// What is still doubled is counted.
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

fn vary(members: &[Member<'_>], word: impl Fn(&Member<'_>) -> String) -> bool {
    let mut words = members.iter().map(word);
    words.next().is_some_and(|first| words.any(|other| other != first))
}

fn level(member: &Member<'_>) -> String {
    member.column.level.as_ref().map(|level| level.label.clone()).unwrap_or_default()
}

fn sensor(member: &Member<'_>) -> String {
    member.column.sensor.clone().unwrap_or_default()
}

/// What is measured; of a column that does not say it, its name.
fn quantity(member: &Member<'_>) -> String {
    member.column.quantity.clone().unwrap_or_else(|| member.column.field.clone())
}

pub(super) fn tags(member: &Member<'_>) -> String {
    joined(&member.tags.iter().map(|(_, value)| value.trim().to_owned()).collect::<Vec<_>>())
}

fn joined(words: &[String]) -> String {
    words.iter().filter(|word| !word.is_empty()).cloned().collect::<Vec<_>>().join(" ")
}
