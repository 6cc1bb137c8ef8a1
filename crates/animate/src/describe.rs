//! The picture in words, for those who cannot see it.

use std::collections::BTreeMap;

use topomotion_scene::Scene;

use crate::stage::Stage;
use crate::{Kind, Options, Story};

/// The film's title.
pub(crate) fn title(stories: &[Story<'_>], options: &Options) -> String {
    if !options.title.is_empty() {
        return options.title.clone();
    }
    stories.first().map(|story| story.title.to_owned()).unwrap_or_default()
}

/// What there is to see in a film.
pub(crate) fn film(stage: &Stage, stories: &[Story<'_>], options: &Options) -> String {
    let mut text = scene(&stage.scene, options);
    for story in stories {
        let kind = match story.kind {
            Kind::Executed => "executed by the engine",
            Kind::Scripted => "scripted",
        };
        text.push_str(&format!(" Scenario: {} ({kind}).", story.title));
        if !story.description.is_empty() {
            text.push(' ');
            text.push_str(story.description);
        }
    }
    text
}

/// What there is to see in a scene.
pub(crate) fn scene(scene: &Scene, options: &Options) -> String {
    if !options.description.is_empty() {
        return options.description.clone();
    }
    let mut roles: BTreeMap<&str, usize> = BTreeMap::new();
    for node in &scene.nodes {
        *roles.entry(&node.role).or_default() += 1;
    }
    let roles: Vec<String> = roles.iter().map(|(role, n)| counted(*n, role)).collect();
    let mut text = format!(
        "Diagram of {} and {}",
        counted(scene.nodes.len(), "process"),
        counted(scene.routes.len(), "connection"),
    );
    if !roles.is_empty() {
        text.push_str(": ");
        text.push_str(&roles.join(", "));
    }
    text.push('.');
    let titles: Vec<&str> =
        scene.groups.iter().map(|group| group.label.as_str()).collect();
    if !titles.is_empty() {
        text.push_str(" Groups: ");
        text.push_str(&titles.join(", "));
        text.push('.');
    }
    text
}

fn counted(n: usize, noun: &str) -> String {
    let ending = match (n, noun.ends_with('s'), noun.ends_with("registry")) {
        (1, ..) => "",
        (_, true, _) => "es",
        (_, _, true) => return format!("{n} {}ies", noun.trim_end_matches('y')),
        _ => "s",
    };
    format!("{n} {noun}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn a_scene_is_described_by_what_stands_in_it() {
        assert_eq!(
            scene(&fixture::scene(), &Options::default()),
            "Diagram of 6 processes and 5 connections: 3 brokers, 1 consumer, 1 controller, \
             1 producer. Groups: Kafka Cluster (3 Brokers)."
        );
    }
}
