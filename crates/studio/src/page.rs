//! What the page's worker calls: bytes in, bytes out.
//!
//! Bytes come in through [`tm_studio_room`]. Answers stand in two places, valid until the next
//! call: what was made, and what is to be said of it (JSON). The worker's half is
//! `web/playground/worker.ts`.

// The names by which the page finds the functions, and the clock that it gives; the only things
// here that the lint means.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::time::Duration;

use serde::Serialize;
use topomotion_script::{ConsoleLine, NoFiles, Options, Source, compile_here, given_up};
use topomotion_viewer::Parts;

use crate::desk::{Desk, Order};
use crate::problem::Problem;

/// What messages call the script: the same as where the command line reads it from a pipe.
const NAME: &str = "<stdin>";
/// The title of a picture whose script gives none; the command line's, too.
const STEM: &str = "topology";

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    /// Microseconds since some instant. The script engine asks for the same.
    fn __rquickjs_host_now_us() -> f64;
}

fn clock() -> Duration {
    // SAFETY: it takes nothing and gives a number.
    let micros = unsafe { __rquickjs_host_now_us() };
    Duration::from_micros(micros as u64)
}

/// All that one instance holds.
#[derive(Debug, Default)]
struct Studio {
    input: Vec<u8>,
    made: Vec<u8>,
    told: Vec<u8>,
    player: Vec<u8>,
    engine: Vec<u8>,
    desk: Desk,
}

/// What is to be said of a script.
#[derive(Debug, Serialize)]
struct Told {
    problems: Vec<Problem>,
    printed: Vec<String>,
}

thread_local! {
    static STUDIO: RefCell<Studio> = RefCell::default();
}

/// Room for `count` bytes; where it is.
#[unsafe(no_mangle)]
pub extern "C" fn tm_studio_room(count: usize) -> *const u8 {
    STUDIO.with_borrow_mut(|studio| {
        studio.input = vec![0; count];
        studio.input.as_ptr()
    })
}

/// Where the file is that was made last.
#[unsafe(no_mangle)]
pub extern "C" fn tm_studio_made() -> *const u8 {
    STUDIO.with_borrow(|studio| studio.made.as_ptr())
}

/// How long it is, bytes.
#[unsafe(no_mangle)]
pub extern "C" fn tm_studio_made_length() -> usize {
    STUDIO.with_borrow(|studio| studio.made.len())
}

/// Where that is which is to be said: JSON.
#[unsafe(no_mangle)]
pub extern "C" fn tm_studio_told() -> *const u8 {
    STUDIO.with_borrow(|studio| studio.told.as_ptr())
}

/// How long it is, bytes.
#[unsafe(no_mangle)]
pub extern "C" fn tm_studio_told_length() -> usize {
    STUDIO.with_borrow(|studio| studio.told.len())
}

/// Takes what is in the room as the player of pages to come.
#[unsafe(no_mangle)]
pub extern "C" fn tm_studio_player() {
    STUDIO.with_borrow_mut(|studio| studio.player = std::mem::take(&mut studio.input));
}

/// Takes what is in the room as the engine of pages to come.
#[unsafe(no_mangle)]
pub extern "C" fn tm_studio_engine() {
    STUDIO.with_borrow_mut(|studio| studio.engine = std::mem::take(&mut studio.input));
}

/// Compiles the script in the room. 1 if files can be made of it.
#[unsafe(no_mangle)]
pub extern "C" fn tm_studio_compile() -> u32 {
    STUDIO.with_borrow_mut(|studio| {
        let script = std::mem::take(&mut studio.input);
        let source = Source::new(NAME, script);
        let compiled = compile_here(clock, &source, &NoFiles, &Options::default());
        let printed = compiled.console.iter().map(line).collect();
        let problems = studio.desk.put(NAME, STEM, compiled);
        let is_well = !problems.iter().any(Problem::is_error);
        studio.tell(problems, printed);
        u32::from(is_well)
    })
}

/// Tells of the script in the room that it hung in a built-in, and had to be ended.
#[unsafe(no_mangle)]
pub extern "C" fn tm_studio_give_up() {
    STUDIO.with_borrow_mut(|studio| {
        let script = std::mem::take(&mut studio.input);
        let source = Source::new(NAME, script);
        let given_up = given_up(&source, &NoFiles, &Options::default());
        let problems = Desk::default().put(NAME, STEM, given_up);
        studio.tell(problems, Vec::new());
    });
}

/// Makes what the room asks for of the script that was compiled last. 1 if it is made.
#[unsafe(no_mangle)]
pub extern "C" fn tm_studio_make() -> u32 {
    STUDIO.with_borrow_mut(|studio| {
        let wish = std::mem::take(&mut studio.input);
        let player = String::from_utf8_lossy(&studio.player);
        let parts = Parts { player: &player, engine: &studio.engine };
        let made = serde_json::from_slice::<Order>(&wish)
            .map_err(|error| vec![Problem::nowhere(error.to_string(), None)])
            .and_then(|order| studio.desk.make(&order, &parts));
        let is_well = u32::from(made.is_ok());
        let (bytes, problems) = made.unwrap_or_else(|problems| (Vec::new(), problems));
        studio.made = bytes;
        studio.tell(problems, Vec::new());
        is_well
    })
}

impl Studio {
    fn tell(&mut self, problems: Vec<Problem>, printed: Vec<String>) {
        // Texts and numbers: there is nothing in them that JSON lacks.
        self.told = serde_json::to_vec(&Told { problems, printed }).unwrap_or_default();
    }
}

fn line(line: &ConsoleLine) -> String {
    line.text.clone()
}
