//! The whole road as one object, for a page: a script is put on the desk, and files are made of it.

use serde::Deserialize;
use topomotion_animate::Scheme;
use topomotion_model::{Diagnostic, Severity};
use topomotion_scene::{Animation, Millis};
use topomotion_script::{Compiled, SourceMap};
use topomotion_sim::RunOptions;
use topomotion_viewer::Parts;

use crate::letters::unknown;
use crate::picture::{self, Look};
use crate::problem::{Problem, fresh};
use crate::production::{Dress, Production};
use crate::reel::{Reel, View};
use crate::stories::Played;

/// How many characters a warning names.
const NAMED_MAX: usize = 8;

/// What is to be made of the script.
#[derive(Debug, Clone, Deserialize)]
pub struct Order {
    /// In which form.
    pub form: Form,
    /// Of this scenario alone.
    #[serde(default)]
    pub scenario: Option<String>,
    /// Of this moment of the film, ms.
    #[serde(default)]
    pub at: Option<u32>,
}

/// What can be made of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// What a player loads.
    Bundle,
    /// A moving picture.
    Svg,
    /// A moving picture of dots.
    Gif,
    /// A still of dots.
    Png,
    /// A page with a player.
    Html,
}

/// One script, and the files that are made of it.
#[derive(Debug, Default)]
pub struct Desk {
    production: Option<Production>,
}

impl Desk {
    /// Puts a compiled script on the desk. What is wrong with it; if nothing is, files can be made.
    pub fn put(&mut self, name: &str, stem: &str, compiled: Compiled) -> Vec<Problem> {
        self.production = None;
        let Compiled { topology, diagnostics, sources, .. } = compiled;
        let mut problems = told(&diagnostics, &sources);
        let Some(topology) = topology else {
            if !problems.iter().any(Problem::is_error) {
                let text = format!("{name} describes no topology");
                problems.push(Problem::nowhere(text, None));
            }
            return problems;
        };
        let binding = match topomotion_sim::bind(&topology) {
            Ok(binding) => binding,
            Err(mistakes) => {
                problems.extend(told(&mistakes, &sources));
                return problems;
            }
        };
        problems.extend(told(binding.warnings(), &sources));
        if !problems.iter().any(Problem::is_error) {
            let (name, stem) = (name.to_owned(), stem.to_owned());
            let dress = Dress::default();
            self.production =
                Some(Production { name, stem, sources, topology, binding, dress });
        }
        problems
    }

    /// Makes a file: its bytes, and what its author should read; or why there is none. A page needs
    /// a player and an engine to be made of.
    pub fn make(
        &self,
        order: &Order,
        parts: &Parts<'_>,
    ) -> Result<(Vec<u8>, Vec<Problem>), Vec<Problem>> {
        let nothing = || vec![Problem::nowhere("there is no script that compiles", None)];
        let production = self.production.as_ref().ok_or_else(nothing)?;
        let (stories, mut problems) = played(production, order)?;
        let (scene, _) = production.scene(&stories);
        let film = production.film(&scene, &stories);
        problems.extend(lacking(&film, order.form));
        let look = Look::of(Scheme::Auto);
        let bytes = match order.form {
            Form::Svg => picture::svg(&film, None, &look).into_bytes(),
            Form::Png => {
                let at = order.at.map_or(film.poster, Millis).min(film.duration);
                picture::png(&film, at, &look).map_err(undrawn)?
            }
            Form::Gif => {
                let mut bytes = Vec::new();
                picture::gif(&film, &look, &mut bytes, &mut |_, _| {})
                    .map_err(undrawn)?;
                bytes
            }
            Form::Bundle | Form::Html => {
                let sequence = || production.sequence(&scene, &stories);
                let other = (!stories.is_empty()).then(sequence);
                let live = Some(production.live(&scene, &stories, None));
                let reel = Reel { film, view: View::Topology, other, live };
                match order.form {
                    Form::Html => reel.page(&look, parts).into_bytes(),
                    _ => reel.bundle().json().into_bytes(),
                }
            }
        };
        Ok((bytes, problems))
    }
}

/// What happens in the scenarios that are wanted, and what should be said of it.
fn played(
    production: &Production,
    order: &Order,
) -> Result<(Vec<Played>, Vec<Problem>), Vec<Problem>> {
    let wanted: Vec<String> = order.scenario.clone().into_iter().collect();
    let chosen = production
        .choose(&wanted)
        .map_err(|unknown| vec![Problem::nowhere(unknown.text, unknown.help)])?;
    let (mut stories, mut problems) = (Vec::new(), Vec::new());
    for scenario in chosen {
        let played = production
            .play(scenario, &RunOptions::default())
            .map_err(|mistakes| told(&mistakes, &production.sources))?;
        let complaints = played.complaints(Severity::Warning);
        problems.extend(told(&complaints, &production.sources));
        stories.push(played);
    }
    match problems.iter().any(Problem::is_error) {
        true => Err(problems),
        false => Ok((stories, problems)),
    }
}

fn told(diagnostics: &[Diagnostic], sources: &SourceMap) -> Vec<Problem> {
    fresh(diagnostics).map(|one| Problem::of(one, sources)).collect()
}

/// Names the characters that no font has, once.
fn lacking(film: &Animation, form: Form) -> Option<Problem> {
    let unknown = unknown(film, None);
    if unknown.is_empty() {
        return None;
    }
    let named = unknown.iter().take(NAMED_MAX);
    let named: Vec<String> =
        named.map(|&c| format!("{c} (U+{:04X})", u32::from(c))).collect();
    let more = match unknown.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let named = named.join(", ");
    let message = match form {
        Form::Svg => format!(
            "no bundled font has {named}{more}: whoever looks at the picture needs one"
        ),
        _ => format!(
            "no bundled font has {named}{more}: a box with the code point stands for each"
        ),
    };
    Some(Problem { severity: "warning", code: "font", ..Problem::nowhere(message, None) })
}

fn undrawn(error: topomotion_raster::Error) -> Vec<Problem> {
    vec![Problem::nowhere(error.to_string(), None)]
}
