//! What the legend calls each series: as little as tells them apart.

use super::draw::Member;

/// A label for each, all different.
pub(super) fn labels(members: &[Member<'_>]) -> Vec<String> {
    let parts_vary = vary(members, |member| member.part().to_owned());
    let levels_vary = vary(members, level);
    let tags_vary = vary(members, tags);
    let mut labels: Vec<String> = members
        .iter()
        .map(|member| {
            let mut words = Vec::new();
            if parts_vary {
                words.push(member.part().to_owned());
            }
            if levels_vary || !parts_vary {
                words.push(level(member));
            }
            if tags_vary {
                words.push(tags(member));
            }
            let label = joined(&words);
            if label.is_empty() { sensor(member).unwrap_or_else(|| member.column.field.clone()) } else { label }
        })
        .collect();
    add(members, &mut labels, |member| sensor(member).unwrap_or_default());
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

fn sensor(member: &Member<'_>) -> Option<String> {
    member.column.sensor.clone()
}

pub(super) fn tags(member: &Member<'_>) -> String {
    joined(&member.tags.iter().map(|(_, value)| value.trim().to_owned()).collect::<Vec<_>>())
}

fn joined(words: &[String]) -> String {
    words.iter().filter(|word| !word.is_empty()).cloned().collect::<Vec<_>>().join(" ")
}
