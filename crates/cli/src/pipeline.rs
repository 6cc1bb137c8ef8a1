//! The main road: script to topology, to cluster, to stories, to scene, to film.
//!
//! Each step is one call into one crate; here they only stand in their order, and what they
//! find wrong is told.

use std::collections::BTreeMap;

use topomotion_animate::{Hideable, Story};
use topomotion_layout::graph::Effort;
use topomotion_model::{ProcessId, Topology};
use topomotion_scene::{Animation, Scene};
use topomotion_script::{ConsoleLevel, ConsoleLine, SourceMap, compile};
use topomotion_sim::{Binding, NodeRole};

use crate::args::Strictness;
use crate::failure::Failure;
use crate::input::Script;
use crate::report::Report;
use crate::stories::Played;
use crate::terminal::{Terminal, visible};
use crate::watchdog::Watchdog;

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
    pub theme: topomotion_animate::Theme,
    /// Whether the marks are explained.
    pub legend: topomotion_animate::Legend,
}

impl Production {
    /// Compiles (which lints, too) and binds a script. Every mistake has been told when this fails.
    pub fn new(
        script: &Script,
        layers: Option<&[String]>,
        strictness: &Strictness,
        report: &Report<'_>,
    ) -> Result<Production, Failure> {
        let name = script.source.name.clone();
        let (sources, whole) = compiled(script, strictness, report)?;
        let topology = match layers {
            None => whole,
            Some(layers) => {
                let layers: Vec<&str> = layers.iter().map(String::as_str).collect();
                report.expect_none(&name, &sources, &whole.check_layers(&layers))?;
                whole.with_layers(&layers)
            }
        };
        let binding = topomotion_sim::bind(&topology).map_err(|mistakes| {
            report.tell(&name, &sources, &mistakes);
            Failure::Told
        })?;
        report.tell(&name, &sources, binding.warnings());
        let (stem, dress) = (script.stem(), Dress::default());
        Ok(Production { name, stem, sources, topology, binding, dress })
    }

    /// Where everything stands, with room for what the stories show.
    pub fn scene(&self, stories: &[Played], terminal: &Terminal) -> Scene {
        let stories: Vec<_> = stories.iter().map(Played::story).collect();
        let panels = topomotion_animate::panels(&stories);
        let panels = panels.into_iter().map(|(id, size)| (ProcessId::from(id), size));
        let options = topomotion_layout::Options {
            panels: panels.collect(),
            roles: self.roles(),
            ..topomotion_layout::Options::default()
        };
        let (scene, effort) =
            topomotion_layout::layout_with_effort(&self.topology, &options);
        tell_effort(effort, terminal);
        scene
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

fn compiled(
    script: &Script,
    strictness: &Strictness,
    report: &Report<'_>,
) -> Result<(SourceMap, Topology), Failure> {
    let options = topomotion_script::Options {
        time_limit: strictness.script_timeout,
        memory_limit: strictness.script_memory,
    };
    let name = &script.source.name;
    let watchdog =
        Watchdog::start(strictness.script_timeout, hangs(script, &options, report));
    let compiled = compile(&script.source, script.files.as_ref(), &options);
    drop(watchdog);
    for line in &compiled.console {
        report.terminal().say(&printed(name, &compiled.sources, line));
    }
    report.expect_none(name, &compiled.sources, &compiled.diagnostics)?;
    let topology = compiled
        .topology
        .ok_or_else(|| Failure::message(format!("{name} describes no topology")))?;
    Ok((compiled.sources, topology))
}

/// What is said of a script that nothing can interrupt. It is put together beforehand: when
/// it is needed, this thread is the one that hangs.
fn hangs(
    script: &Script,
    options: &topomotion_script::Options,
    report: &Report<'_>,
) -> impl FnOnce() + Send + 'static {
    use topomotion_model::Diagnostic;
    let seconds = options.time_limit.as_secs_f64();
    let diagnostic = Diagnostic::error(
        "script-timeout",
        format!("the script ran longer than {seconds} s, inside one built-in call"),
        None,
    )
    .help("look for sort, join, fill or a regular expression on something huge; --script-timeout gives more time");
    let (name, terminal, told) =
        (script.source.name.clone(), *report.terminal(), report.told());
    move || Report::last_word(&terminal, told, &name, &diagnostic)
}

/// `kafka.ts:12: what it printed`
fn printed(name: &str, sources: &SourceMap, line: &ConsoleLine) -> String {
    let located = line.span.and_then(|span| {
        let at = sources.location(span)?;
        Some(format!("{}:{}", sources.file(span.file)?.name, at.line))
    });
    let place = located.unwrap_or_else(|| name.to_owned());
    let level = match line.level {
        ConsoleLevel::Log => "",
        ConsoleLevel::Warning => "warning: ",
        ConsoleLevel::Error => "error: ",
    };
    visible(&format!("{place}: {level}{}", line.text))
}

/// Says that a picture could be better, if that is so.
pub fn tell_effort(effort: Effort, terminal: &Terminal) {
    if effort == Effort::CutShort {
        terminal.warning(
            "so large a picture is laid out in haste: it has more crossings and detours than it \
             need have",
            Some("show a part of it: layers, or several smaller scripts"),
        );
    }
}
