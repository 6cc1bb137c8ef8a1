//! A script that compiles, and what is drawn of it.

use std::collections::BTreeMap;

use topomotion_animate::{Hideable, Legend, Story, Theme};
use topomotion_layout::graph::Effort;
use topomotion_model::{ProcessId, Topology};
use topomotion_scene::{Animation, Scene};
use topomotion_script::SourceMap;
use topomotion_sim::{Binding, NodeRole};

use crate::stories::Played;

/// What makes a picture of a scene and its stories.
type Director = fn(&Scene, &[Story<'_>], &topomotion_animate::Options) -> Animation;

/// A script that compiles, and the cluster that it shows.
#[derive(Debug)]
pub struct Production {
    /// What messages call the script.
    pub name: String,
    /// A title where the script gives none.
    pub stem: String,
    /// Its text, for messages.
    pub sources: SourceMap,
    /// What it describes.
    pub topology: Topology,
    /// Its cluster, if it has one.
    pub binding: Binding,
    /// How its pictures look.
    pub dress: Dress,
}

/// How pictures look, whatever they show.
#[derive(Debug, Clone, Default)]
pub struct Dress {
    /// The colours.
    pub theme: Theme,
    /// Whether the marks are explained.
    pub legend: Legend,
}

impl Production {
    /// Where everything stands, with room for what the stories show; and whether it could be laid
    /// out with all care.
    pub fn scene(&self, stories: &[Played]) -> (Scene, Effort) {
        let stories: Vec<_> = stories.iter().map(Played::story).collect();
        let panels = topomotion_animate::panels(&stories);
        let panels = panels.into_iter().map(|(id, size)| (ProcessId::from(id), size));
        let options = topomotion_layout::Options {
            panels: panels.collect(),
            roles: self.roles(),
            ..topomotion_layout::Options::default()
        };
        topomotion_layout::layout_with_effort(&self.topology, &options)
    }

    /// The film of these stories, or the still picture if there are none.
    pub fn film(&self, scene: &Scene, stories: &[Played]) -> Animation {
        self.draw(scene, stories, topomotion_animate::direct)
    }

    /// The film of these stories as a sequence diagram.
    pub fn sequence(&self, scene: &Scene, stories: &[Played]) -> Animation {
        self.draw(scene, stories, topomotion_animate::sequence::direct)
    }

    /// The whole sequence diagram of these stories as one still picture.
    pub fn sequence_still(&self, scene: &Scene, stories: &[Played]) -> Animation {
        self.draw(scene, stories, topomotion_animate::sequence::still)
    }

    fn draw(&self, scene: &Scene, stories: &[Played], direct: Director) -> Animation {
        let options = topomotion_animate::Options {
            title: self.topology.title.clone().unwrap_or_default(),
            description: self.topology.description.clone().unwrap_or_default(),
            theme: self.dress.theme.clone(),
            legend: self.dress.legend,
            layers: self.layers(),
            ..topomotion_animate::Options::default()
        };
        let stories: Vec<_> = stories.iter().map(Played::story).collect();
        let mut film = direct(scene, &stories, &options);
        // Not drawn, but read out: a picture must have a name.
        if film.title.is_empty() {
            film.title.clone_from(&self.stem);
        }
        film
    }

    /// What readers of a picture that can be asked may hide.
    fn layers(&self) -> Vec<Hideable> {
        let topology = &self.topology;
        let names = topology.layers().into_iter();
        names
            .map(|name| {
                let (groups, processes, edges) = topology.gone_without(name);
                Hideable {
                    name: name.to_owned(),
                    groups: groups.iter().map(ToString::to_string).collect(),
                    processes: processes.iter().map(ToString::to_string).collect(),
                    edges: edges.into_iter().collect(),
                }
            })
            .collect()
    }

    /// What the binding found out about processes.
    fn roles(&self) -> BTreeMap<ProcessId, String> {
        let Some(cluster) = self.binding.cluster() else { return BTreeMap::new() };
        let nodes = cluster.nodes.iter().map(|node| match node.role {
            NodeRole::Controller => (&node.process, "controller"),
            NodeRole::Broker | NodeRole::Combined => (&node.process, "broker"),
        });
        nodes.map(|(process, role)| (process.clone(), role.to_owned())).collect()
    }
}
