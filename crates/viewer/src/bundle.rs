//! What a page loads: the words about a film, and the film.

use miniz_oxide::deflate::compress_to_vec_zlib;
use serde::Serialize;
use topomotion_scene::{Animation, Transcript};

use crate::pack::pack;

/// How hard to compress, 0 to 10.
const EFFORT: u8 = 6;

/// A bundle, as it is written to `.topo.json`; `schema.json` beside this crate describes it.
#[derive(Debug, Serialize)]
pub struct Bundle {
    /// The form's version. A viewer refuses one that it does not know.
    #[serde(rename = "topomotion-bundle")]
    form: u32,
    /// What wrote it.
    generator: String,
    /// Title, for the page and for assistive technology.
    title: String,
    /// What there is to see, in a few sentences.
    description: String,
    /// The scenarios, in the order in which they are played. Times are ms.
    scenarios: Vec<Scenario>,
    /// What happens, line by line.
    transcript: Vec<Transcript>,
    /// The pictures of the same story. The first is shown first.
    views: Vec<View>,
    /// What the engine needs to go on with the runs (`live`): JSON, zlib, base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    live: Option<String>,
}

/// One scenario's stretch of the film.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Scenario {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Where it begins, ms.
    pub start: u32,
    /// Where it ends, ms.
    pub end: u32,
    /// Where its steps begin, ms.
    pub steps: Vec<u32>,
}

/// A picture that moves.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct View {
    /// What kind of picture: `topology` or `sequence`.
    pub view: String,
    /// Extent, px.
    pub width: f64,
    /// Extent, px.
    pub height: f64,
    /// Length, ms; 0 for a still.
    pub duration: u32,
    /// The moment that stands for the whole, ms.
    pub poster: u32,
    /// The packed film (see [`Film`](crate::Film)), zlib, base64.
    pub film: String,
    /// What can be told of it and hidden in it, if anything (see
    /// [`About`](topomotion_scene::About)): JSON, zlib, base64. Read when somebody asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
}

impl Bundle {
    /// The current form.
    pub const FORM: u32 = 1;

    /// A bundle of films of the same stories, each with the name of its view. The words are those
    /// of the first.
    pub fn new(films: &[(&str, &Animation)]) -> Bundle {
        let first = films.first().map(|(_, film)| *film);
        let chapters = first.map_or(&[][..], |film| &film.chapters);
        Bundle {
            form: Bundle::FORM,
            generator: concat!("topomotion ", env!("CARGO_PKG_VERSION")).into(),
            title: first.map_or_else(String::new, |film| film.title.clone()),
            description: first.map_or_else(String::new, |film| film.description.clone()),
            scenarios: chapters
                .iter()
                .map(|chapter| Scenario {
                    id: chapter.id.clone(),
                    title: chapter.title.clone(),
                    start: chapter.start.0,
                    end: chapter.end.0,
                    steps: chapter.steps.iter().map(|at| at.0).collect(),
                })
                .collect(),
            transcript: first.map_or_else(Vec::new, |film| film.transcript.clone()),
            views: films.iter().map(|(name, film)| view(name, film)).collect(),
            live: None,
        }
    }

    /// The same with what the engine in the page needs to go on with its runs.
    #[must_use]
    pub fn with_live(self, json: &[u8]) -> Bundle {
        Bundle { live: Some(base64(&compress_to_vec_zlib(json, EFFORT))), ..self }
    }

    /// Whether its runs can be taken over.
    pub fn is_live(&self) -> bool {
        self.live.is_some()
    }

    /// As JSON, ending in a line feed.
    pub fn json(&self) -> String {
        let mut text = serde_json::to_string(self).expect("plain data is JSON");
        text.push('\n');
        text
    }

    /// Its title.
    pub fn title(&self) -> &str {
        &self.title
    }
}

fn view(name: &str, film: &Animation) -> View {
    View {
        view: name.into(),
        width: film.size.width,
        height: film.size.height,
        duration: film.duration.0,
        poster: film.poster.0,
        film: base64(&compress_to_vec_zlib(&pack(film), EFFORT)),
        about: (!film.about.is_empty()).then(|| {
            let json = serde_json::to_vec(&film.about).expect("plain data is JSON");
            base64(&compress_to_vec_zlib(&json, EFFORT))
        }),
    }
}

pub(crate) fn base64(data: &[u8]) -> String {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in data.chunks(3) {
        let byte = |index: usize| chunk.get(index).map_or(0, |&byte| u32::from(byte));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let index = bits >> (18 - 6 * place) & 63;
            let is_there = place <= chunk.len();
            out.push(if is_there { char::from(letters[index as usize]) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use topomotion_scene::{Chapter, Millis, Size};

    use super::*;

    #[test]
    fn a_bundle_tells_its_form_its_words_and_its_views() {
        let film = Animation {
            size: Size { width: 640.0, height: 360.5 },
            duration: Millis(9000),
            poster: Millis(1200),
            title: "A </script> title".into(),
            chapters: vec![Chapter {
                id: "one".into(),
                title: "One".into(),
                start: Millis(0),
                end: Millis(9000),
                steps: vec![Millis(100), Millis(2500)],
            }],
            ..Animation::default()
        };
        let text = Bundle::new(&[("topology", &film), ("sequence", &film)]).json();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["topomotion-bundle"], 1);
        assert_eq!(json["scenarios"][0]["steps"], serde_json::json!([100, 2500]));
        assert_eq!(json["views"][1]["view"], "sequence");
        assert_eq!(json["views"][0]["height"], 360.5);
        let packed = json["views"][0]["film"].as_str().unwrap();
        // zlib begins with the byte 0x78.
        assert!(packed.starts_with("eJ"), "{packed}");
    }

    #[test]
    fn the_schema_names_what_is_written() {
        let schema: serde_json::Value =
            serde_json::from_str(include_str!("../schema.json")).unwrap();
        let film = Animation {
            size: Size { width: 1.0, height: 1.0 },
            transcript: vec![Transcript {
                at: Millis(0),
                clock: "0 s".into(),
                text: "It begins.".into(),
            }],
            chapters: vec![Chapter {
                id: "one".into(),
                title: "One".into(),
                start: Millis(0),
                end: Millis(1),
                steps: Vec::new(),
            }],
            about: topomotion_scene::About {
                lines: vec!["A line".into()],
                items: vec![(0, vec![0])],
                ..Default::default()
            },
            ..Animation::default()
        };
        let bundle = Bundle::new(&[("topology", &film)]).with_live(b"{}");
        let written = serde_json::to_value(bundle).unwrap();
        let names = |value: &serde_json::Value| -> Vec<String> {
            value.as_object().unwrap().keys().cloned().collect()
        };
        let part = |name: &str| &schema["properties"][name]["items"]["properties"];
        assert_eq!(names(&written), names(&schema["properties"]));
        for name in ["scenarios", "transcript", "views"] {
            assert_eq!(names(&written[name][0]), names(part(name)), "{name}");
        }
        assert_eq!(schema["properties"]["topomotion-bundle"]["const"], Bundle::FORM);
    }

    #[test]
    fn base64_is_the_usual_one() {
        for (data, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v")] {
            assert_eq!(base64(data.as_bytes()), text);
        }
    }
}
