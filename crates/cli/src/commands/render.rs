//! `topomotion render`: a script in, pictures out.

use std::io;
use std::path::{Path, PathBuf};

use topomotion_animate::{Legend, Scheme};
use topomotion_layout::neutral::of_scene;
use topomotion_model::Severity;
use topomotion_raster::{Background, Fit};
use topomotion_scene::{Animation, Millis, Scene};
use topomotion_sim::RunOptions;
use topomotion_studio::picture::Repeat;
use topomotion_studio::{self as studio, Dress, Played, Production, Reel};
use topomotion_text::SpareFont;

use crate::args::{Format, Render, Strictness, Told, View};
use crate::failure::Failure;
use crate::input::Script;
use crate::lettering::{self, Otherwise, Text};
use crate::neutral;
use crate::output::Draft;
use crate::picture::{self, Look};
use crate::pipeline::{play, produce, scene};
use crate::progress::Progress;
use crate::report::Report;
use crate::terminal::{Terminal, print_bytes};
use crate::theme::{self, Wish};

/// What stands for a scenario's id in a file name.
const SCENARIO: &str = "{scenario}";

/// What is wanted, once the arguments are known to fit together.
#[derive(Debug)]
struct Wanted {
    script: String,
    target: Target,
    format: Format,
    view: View,
    moment: Moment,
    scenarios: Vec<String>,
    layers: Option<Vec<String>>,
    seed: Option<u64>,
    look: Look,
    padding: f64,
    text: Text,
    font: Option<String>,
    spare: Option<SpareFont>,
    theme: Option<Wish>,
    legend: Legend,
    live: bool,
    strictness: Strictness,
}

/// Where it goes.
#[derive(Debug, PartialEq, Eq)]
enum Target {
    Stdout,
    File(PathBuf),
    /// A file for each scenario; the id takes the place of `{scenario}`.
    Each(String),
}

/// What of the film is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// All of it; for a PNG, its poster.
    Whole,
    /// One moment.
    At(Millis),
    /// Nothing of it: the topology alone, or the whole sequence diagram at once.
    Still,
}

/// Renders.
pub fn run(arguments: Render, terminal: &Terminal) -> Result<(), Failure> {
    let mut wanted = Wanted::new(arguments)?;
    let report = Report::new(terminal, Told::Text, &wanted.strictness);
    let (theme, scheme) = theme::load(wanted.theme.as_ref(), wanted.format, &report)?;
    wanted.look.theme = scheme;
    wanted.spare = wanted.font.as_deref().map(lettering::spare).transpose()?;
    let script = Script::read(&wanted.script)?;
    wanted.spare_the_script(&script)?;
    let layers = wanted.layers.as_deref();
    let mut production = produce(&script, layers, &wanted.strictness, &report)?;
    production.dress = Dress { theme, legend: wanted.legend };
    let stories = wanted.stories(&production, &report)?;
    report.verdict()?;
    let scene = scene(&production, &stories, terminal);
    match &wanted.target {
        Target::Each(pattern) => {
            each(pattern, &wanted, &production, &scene, &stories, terminal)
        }
        Target::Stdout => {
            let reel = wanted.reel(&production, &scene, &stories);
            wanted.tell_unknown([&reel], terminal);
            let mut bytes = Vec::new();
            wanted.draw(&reel, &scene, &mut bytes, &mut Progress::new(terminal, "-"))?;
            print_bytes(&bytes)
        }
        Target::File(path) => {
            let mut draft = Draft::begin(path)?;
            let reel = wanted.reel(&production, &scene, &stories);
            wanted.tell_unknown([&reel], terminal);
            wanted.draft(&reel, &scene, &mut draft, terminal)?;
            draft.commit()?;
            tell_size(path, terminal);
            Ok(())
        }
    }
}

/// Sites that show a film limit its size: who made it should see it.
fn tell_size(path: &Path, terminal: &Terminal) {
    let written = std::fs::metadata(path).ok().filter(|_| terminal.is_watched);
    if let Some(bytes) = written.map(|file| file.len()) {
        let size = match bytes {
            0..10_000 => format!("{bytes} bytes"),
            10_000..1_000_000 => format!("{} KB", bytes / 1000),
            _ => format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10),
        };
        terminal.say(&format!("wrote {} ({size})", path.display()));
    }
}

/// One file for each scenario; none appears before all are written.
fn each(
    pattern: &str,
    wanted: &Wanted,
    production: &Production,
    scene: &Scene,
    stories: &[Played],
    terminal: &Terminal,
) -> Result<(), Failure> {
    if stories.is_empty() {
        let name = &production.name;
        return Err(Failure::message(format!(
            "{name} has no scenario to put in {pattern}"
        ))
        .help(format!(
            "`topomotion scenarios {name}` tells why; --still draws it alone"
        )));
    }
    let reels: Vec<Reel> =
        stories.chunks(1).map(|story| wanted.reel(production, scene, story)).collect();
    wanted.tell_unknown(&reels, terminal);
    let mut drafts = Vec::new();
    for (story, reel) in stories.iter().zip(&reels) {
        // An id may hold anything; a file name may not.
        let id = story.scenario.id.as_str().replace(['/', '\\', '\0'], "-");
        let mut draft = Draft::begin(Path::new(&pattern.replace(SCENARIO, &id)))?;
        wanted.draft(reel, scene, &mut draft, terminal)?;
        drafts.push(draft);
    }
    drafts.into_iter().try_for_each(Draft::commit)
}

impl Wanted {
    fn new(arguments: Render) -> Result<Wanted, Failure> {
        let target = target(&arguments.output)?;
        let format = format(&arguments, &target)?;
        let at_once = arguments.view == View::Sequence
            && matches!(format, Format::Png | Format::Pdf);
        let moment = match (arguments.still || at_once, arguments.at) {
            (_, Some(at)) => Moment::At(at),
            (true, None) => Moment::Still,
            (false, None) => Moment::Whole,
        };
        check_options(&arguments, format, moment, &target)?;
        let look = Look {
            theme: Scheme::Auto,
            fit: match arguments.width {
                Some(width) => Fit::Width(width),
                None => Fit::Scale(arguments.scale.unwrap_or(1.0)),
            },
            background: match arguments.transparent {
                true => Background::Transparent,
                false => Background::Opaque,
            },
            fps: arguments.fps.unwrap_or(20),
            repeat: arguments.repeat.unwrap_or(Repeat::Forever),
            from: arguments.from,
            to: arguments.to,
        };
        Ok(Wanted {
            script: arguments.script,
            target,
            format,
            view: arguments.view,
            moment,
            scenarios: arguments.scenarios,
            layers: arguments.layers,
            seed: arguments.seed,
            look,
            theme: arguments.theme,
            legend: match (arguments.legend, arguments.no_legend) {
                (_, true) => Legend::Never,
                (true, false) => Legend::Always,
                (false, false) => Legend::Auto,
            },
            live: arguments.live,
            padding: arguments.padding.unwrap_or(0.0),
            text: arguments.text.unwrap_or_default(),
            font: arguments.font,
            spare: None,
            strictness: arguments.strictness,
        })
    }

    /// The film as it is to be drawn: with room around it, and with shapes where text is not
    /// enough.
    fn finish(&self, film: Animation) -> Animation {
        lettering::shaped(film.padded(self.padding), self.text, self.spare.as_ref())
    }

    /// Names the characters that no font has, once.
    fn tell_unknown<'a>(
        &self,
        reels: impl IntoIterator<Item = &'a Reel>,
        terminal: &Terminal,
    ) {
        let spare = self.spare.as_ref();
        let films = reels.into_iter().map(|reel| &reel.film);
        let unknown = films.flat_map(|film| studio::unknown(film, spare)).collect();
        let is_text = self.format == Format::Svg && self.text == Text::Font;
        if self.format != Format::Layout {
            let otherwise = if is_text { Otherwise::Reader } else { Otherwise::Boxes };
            lettering::tell(&unknown, otherwise, terminal);
        }
    }

    /// Refuses to replace the script by its own picture.
    fn spare_the_script(&self, script: &Script) -> Result<(), Failure> {
        let (Target::File(out), Some(path)) = (&self.target, &script.path) else {
            return Ok(());
        };
        match (out.canonicalize(), path.canonicalize()) {
            (Ok(out), Ok(path)) if out == path => {
                Err(Failure::usage("the output would replace the script itself")
                    .help("give the output another name"))
            }
            _ => Ok(()),
        }
    }

    /// What is drawn of these stories: in both views, if the reader can change between them.
    fn reel(&self, production: &Production, scene: &Scene, stories: &[Played]) -> Reel {
        let film = self.finish(self.film(production, scene, stories));
        let has_both = matches!(self.format, Format::Html | Format::Bundle)
            && self.moment == Moment::Whole
            && !stories.is_empty();
        let other = has_both.then(|| {
            self.finish(match self.view {
                View::Topology => production.sequence(scene, stories),
                View::Sequence => production.film(scene, stories),
            })
        });
        let live = self.live.then(|| production.live(scene, stories, self.seed));
        Reel { film, view: self.view.into(), other, live }
    }

    /// The film of these stories, or the moment of it that is wanted.
    fn film(
        &self,
        production: &Production,
        scene: &Scene,
        stories: &[Played],
    ) -> Animation {
        match (self.view, self.moment) {
            (View::Topology, _) => production.film(scene, stories),
            (View::Sequence, Moment::Still) => production.sequence_still(scene, stories),
            (View::Sequence, _) => production.sequence(scene, stories),
        }
    }

    /// Plays what the picture shows.
    fn stories(
        &self,
        production: &Production,
        report: &Report<'_>,
    ) -> Result<Vec<Played>, Failure> {
        let is_layout = self.format == Format::Layout && self.scenarios.is_empty();
        let is_bare = self.moment == Moment::Still && self.view == View::Topology;
        if is_bare || is_layout {
            return Ok(Vec::new());
        }
        let chosen = production.choose(&self.scenarios)?;
        let shows_one = self.format == Format::Png && self.moment == Moment::Whole;
        if shows_one && chosen.len() > 1 && !matches!(self.target, Target::Each(_)) {
            let ids: Vec<&str> = chosen.iter().map(|one| one.id.as_str()).collect();
            return Err(Failure::usage(format!(
                "a PNG shows one moment, and there are {} scenarios: {}",
                chosen.len(),
                ids.join(", ")
            ))
            .help("say which with --scenario or --at, draw the topology with --still, or write one file each: -o 'name-{scenario}.png'"));
        }
        let options = RunOptions { seed: self.seed, ..RunOptions::default() };
        let mut stories = Vec::new();
        for scenario in chosen {
            let played = play(production, scenario, &options, report)?;
            let complaints = played.complaints(Severity::Warning);
            report.expect_none(&production.name, &production.sources, &complaints)?;
            stories.push(played);
        }
        Ok(stories)
    }

    fn draft(
        &self,
        reel: &Reel,
        scene: &Scene,
        draft: &mut Draft,
        terminal: &Terminal,
    ) -> Result<(), Failure> {
        let place = draft.place().to_path_buf();
        let name = place.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let unwritable = |error: &io::Error| Failure::unwritable(&place, error);
        self.draw(reel, scene, draft, &mut Progress::new(terminal, &name)).map_err(
            |failure| match failure {
                Undrawn::Write(error) => unwritable(&error),
                Undrawn::Other(failure) => failure,
            },
        )?;
        draft.settle().map_err(|error| unwritable(&error))
    }

    fn draw(
        &self,
        reel: &Reel,
        scene: &Scene,
        sink: &mut dyn io::Write,
        progress: &mut Progress,
    ) -> Result<(), Undrawn> {
        let film = &reel.film;
        let at = self.at(film)?;
        match self.format {
            Format::Svg => {
                let svg = picture::svg(film, at, &self.look);
                sink.write_all(svg.as_bytes()).map_err(Undrawn::Write)
            }
            Format::Png => {
                let at = at.unwrap_or(film.poster);
                let png = picture::png(film, at, &self.look)
                    .map_err(|error| Undrawn::Other(picture::undrawn(error)))?;
                sink.write_all(&png).map_err(Undrawn::Write)
            }
            Format::Pdf => {
                let moments = match (self.moment, at) {
                    (Moment::Still, _) => vec![film.poster],
                    (_, Some(at)) => vec![at],
                    (_, None) => picture::pages(film),
                };
                let pdf =
                    picture::pdf(film, &moments, &self.look).map_err(Undrawn::Other)?;
                sink.write_all(&pdf).map_err(Undrawn::Write)
            }
            Format::Gif => picture::gif(film, &self.look, sink, &mut |done, all| {
                progress.at(done, all);
            })
            .map_err(|error| match error {
                topomotion_raster::Error::Write(error) => Undrawn::Write(error),
                other => Undrawn::Other(picture::undrawn(other)),
            }),
            Format::Html => {
                let page = reel.html(&self.look);
                sink.write_all(page.as_bytes()).map_err(Undrawn::Write)
            }
            Format::Bundle => {
                let text = reel.bundle().json();
                sink.write_all(text.as_bytes()).map_err(Undrawn::Write)
            }
            Format::Layout => {
                let text = neutral::write(&of_scene(scene));
                sink.write_all(text.as_bytes()).map_err(Undrawn::Write)
            }
        }
    }

    /// The moment that is wanted, if it is one within the film.
    fn at(&self, film: &Animation) -> Result<Option<Millis>, Undrawn> {
        let moments = [("--from", self.look.from), ("--to", self.look.to)];
        for (option, moment) in moments {
            within(film, option, moment)?;
        }
        let Moment::At(at) = self.moment else { return Ok(None) };
        within(film, "--at", Some(at))?;
        Ok(Some(at))
    }
}

/// Refuses a moment beyond the film's end.
fn within(film: &Animation, option: &str, at: Option<Millis>) -> Result<(), Undrawn> {
    let Some(at) = at.filter(|at| *at > film.duration) else { return Ok(()) };
    let seconds = |at: Millis| format!("{} s", f64::from(at.0) / 1000.0);
    let (asked, end) = (seconds(at), seconds(film.duration));
    Err(Undrawn::Other(
        Failure::usage(format!("{option} {asked}: the film ends at {end}"))
            .help("choose an earlier moment"),
    ))
}

/// Why a picture is not there.
enum Undrawn {
    /// Its place did not take it.
    Write(io::Error),
    /// Anything else.
    Other(Failure),
}

impl From<Undrawn> for Failure {
    fn from(undrawn: Undrawn) -> Failure {
        match undrawn {
            Undrawn::Write(error) => Failure::message(format!("cannot write: {error}")),
            Undrawn::Other(failure) => failure,
        }
    }
}

fn target(output: &str) -> Result<Target, Failure> {
    if let Some((_, rest)) = output.replace(SCENARIO, "").split_once('{')
        && let Some((name, _)) = rest.split_once('}')
    {
        return Err(Failure::usage(format!("a file's name knows no {{{name}}}"))
            .help("{scenario} stands for the id of each scenario"));
    }
    Ok(match output {
        "-" => Target::Stdout,
        _ if output.contains(SCENARIO) => Target::Each(output.to_owned()),
        _ => Target::File(PathBuf::from(output)),
    })
}

/// The form that was asked for, or that the file's name tells.
fn format(arguments: &Render, target: &Target) -> Result<Format, Failure> {
    if let Some(format) = arguments.format {
        return Ok(format);
    }
    let name = arguments.output.to_ascii_lowercase();
    if *target == Target::Stdout {
        return Err(Failure::usage("standard output has no name that tells the form")
            .help("add --format svg, gif, png, pdf, html, bundle or layout"));
    }
    let endings = [
        (".layout.json", Format::Layout),
        (".topo.json", Format::Bundle),
        (".html", Format::Html),
        (".svg", Format::Svg),
        (".gif", Format::Gif),
        (".png", Format::Png),
        (".pdf", Format::Pdf),
    ];
    let told = endings.iter().find(|(ending, _)| name.ends_with(ending));
    told.map(|(_, format)| *format).ok_or_else(|| {
        Failure::usage(format!("`{}` does not tell the form", arguments.output))
            .help("end it in .svg, .gif, .png, .pdf, .html, .topo.json or .layout.json, or add --format")
    })
}

/// An option that has no meaning for the form that is wanted is a mistake, not a wish to be
/// ignored.
fn check_options(
    arguments: &Render,
    format: Format,
    moment: Moment,
    target: &Target,
) -> Result<(), Failure> {
    let is_page = matches!(format, Format::Html | Format::Bundle);
    let is_picture = format != Format::Layout;
    // A player fits its picture into the room that the page gives it.
    let has_size = is_picture && !is_page;
    let moves = matches!(format, Format::Gif | Format::Svg) && moment == Moment::Whole;
    let is_each = matches!(target, Target::Each(_));
    let is_sequence = arguments.view == View::Sequence;
    let still = "an SVG, a PNG or a PDF";
    let is_cut = arguments.from.is_some() || arguments.to.is_some();
    if let (Some(from), Some(to)) = (arguments.from, arguments.to)
        && from >= to
    {
        return Err(Failure::usage("--from is not before --to")
            .help("the film is played from the one to the other"));
    }
    let misplaced = [
        (is_sequence && format == Format::Layout, "--view", "a picture"),
        (is_sequence && arguments.legend, "--legend", "the view of the topology"),
        (
            arguments.still && !is_sequence && !arguments.scenarios.is_empty(),
            "--scenario",
            "a film or a moment of it, not --still",
        ),
        (arguments.at.is_some() && format == Format::Gif, "--at", still),
        (arguments.at.is_some() && (is_page || !is_picture), "--at", still),
        (arguments.scale.is_some() && !has_size, "--scale", "a picture"),
        (arguments.width.is_some() && !has_size, "--width", "a picture"),
        (arguments.padding.is_some() && !is_picture, "--padding", "a picture"),
        (
            arguments.live && (!is_page || moment != Moment::Whole),
            "--live",
            "a film on a page",
        ),
        (arguments.font.is_some() && !is_picture, "--font", "a picture"),
        // A GIF's pixels are there or not: soft edges on an unknown page would be wrong.
        (arguments.transparent && format == Format::Gif, "--transparent", still),
        (arguments.transparent && !has_size, "--transparent", still),
        (arguments.text.is_some() && format != Format::Svg, "--text", "an SVG"),
        (is_cut && format != Format::Gif, "--from, --to", "a GIF"),
        (arguments.fps.is_some() && format != Format::Gif, "--fps", "a GIF"),
        (arguments.repeat.is_some() && !moves, "--loop", "a film (SVG or GIF)"),
        (
            is_each && moment == Moment::Still && !is_sequence,
            SCENARIO,
            "a film or a moment of it, not --still",
        ),
    ];
    match misplaced.iter().find(|(is_misplaced, _, _)| *is_misplaced) {
        Some((_, option, place)) => {
            Err(Failure::usage(format!("{option} is for {place}"))
                .help(format!("leave {option} out, or choose another output")))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Arguments, Command};

    fn wanted(line: &str) -> Result<Wanted, String> {
        let words = ["topomotion", "render"].into_iter().chain(line.split_whitespace());
        let arguments =
            Arguments::try_parse_from(words).map_err(|error| error.to_string())?;
        let Command::Render(render) = arguments.command else { panic!("render") };
        Wanted::new(render).map_err(|failure| match failure {
            Failure::Usage { text, .. } => text,
            other => panic!("wrong usage is told as such, not {other:?}"),
        })
    }

    #[test]
    fn the_files_name_tells_the_form() {
        for (name, format) in [
            ("a.svg", Format::Svg),
            ("A.GIF", Format::Gif),
            ("a.b.png", Format::Png),
            ("a.pdf", Format::Pdf),
            ("a.layout.json", Format::Layout),
            ("a.html", Format::Html),
            ("a.topo.json", Format::Bundle),
        ] {
            assert_eq!(wanted(&format!("x.ts -o {name}")).unwrap().format, format);
        }
        assert!(wanted("x.ts -o a.json").unwrap_err().contains("does not tell the form"));
        assert_eq!(wanted("x.ts -o a --format gif").unwrap().format, Format::Gif);
    }

    #[test]
    fn standard_output_needs_a_form() {
        assert!(wanted("x.ts -o -").unwrap_err().contains("standard output"));
        let wanted = wanted("- -o - --format svg").unwrap();
        assert_eq!((wanted.target, wanted.script.as_str()), (Target::Stdout, "-"));
    }

    #[test]
    fn options_without_a_meaning_are_refused() {
        for line in [
            "x.ts -o a.gif --at 1s",
            "x.ts -o a.layout.json --scale 2",
            "x.ts -o a.html --width 800",
            "x.ts -o a.topo.json --at 1s",
            "x.ts -o a.html --transparent",
            "x.ts -o a.layout.json --padding 8",
            "x.ts -o a.png --text outlines",
            "x.ts -o a.png --from 1s",
            "x.ts -o a.gif --from 2s --to 1s",
            "x.ts -o a.pdf --loop once",
            "x.ts -o a.png --padding -1",
            "x.ts -o a.png --width 0",
            "x.ts -o a.svg --fps 20",
            "x.ts -o a.png --loop once",
            "x.ts -o a.svg --still --loop once",
            "x.ts -o a.gif --transparent",
            "x.ts -o a-{scenario}.svg --still",
            "x.ts -o a-{scenaro}.svg",
            "x.ts -o a.svg --still --scenario b",
            "x.ts -o a.layout.json --view sequence",
            "x.ts -o a.svg --view sequence --legend",
            "x.ts -o a.gif --fps 60",
            "x.ts -o a.png --scale 2 --width 100",
            "x.ts -o a.png --still --at 1s",
        ] {
            assert!(wanted(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_sequence_diagram_is_seen_whole_where_nothing_moves() {
        for (line, moment) in [
            ("x.ts -o a.png --view sequence", Moment::Still),
            ("x.ts -o a.svg --view sequence --still --scenario b", Moment::Still),
            ("x.ts -o a-{scenario}.png --view sequence", Moment::Still),
            ("x.ts -o a.png --view sequence --at 2s", Moment::At(Millis(2000))),
            ("x.ts -o a.svg --view sequence", Moment::Whole),
        ] {
            let wanted = wanted(line).unwrap();
            assert_eq!((wanted.view, wanted.moment), (View::Sequence, moment), "{line}");
        }
    }

    #[test]
    fn what_was_typed_becomes_what_it_means() {
        let one =
            wanted("x.ts -o k-{scenario}.png --width 800 --layer a,b --at 3.2s").unwrap();
        assert_eq!(one.target, Target::Each("k-{scenario}.png".into()));
        assert_eq!(one.moment, Moment::At(Millis(3200)));
        assert_eq!(one.look.fit, Fit::Width(800));
        assert_eq!(one.layers.unwrap(), ["a", "b"]);
    }
}
