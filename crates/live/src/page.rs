//! What the page calls: bytes in, JSON out.
//!
//! One instance of the module holds one film. Bytes come in through [`tm_live_room`]; the answer
//! stands in one place, valid until the next call. The page's half is `web/src/live.ts`.

// The names by which the page finds the functions; the only thing here that the lint means.
#![allow(unsafe_code)]

use std::cell::RefCell;

use serde::Deserialize;

use crate::{Branch, Live};

/// All that one instance holds.
#[derive(Debug, Default)]
struct Studio {
    input: Vec<u8>,
    answer: Vec<u8>,
    live: Option<Live>,
}

/// What is asked for.
#[derive(Debug, Deserialize)]
struct Wish {
    story: String,
    branch: Option<Branch>,
}

thread_local! {
    static STUDIO: RefCell<Studio> = RefCell::default();
}

/// Room for `count` bytes; where it is.
#[unsafe(no_mangle)]
pub extern "C" fn tm_live_room(count: usize) -> *const u8 {
    STUDIO.with_borrow_mut(|studio| {
        studio.input = vec![0; count];
        studio.input.as_ptr()
    })
}

/// Where the answer of the last call is: JSON, or why there is none.
#[unsafe(no_mangle)]
pub extern "C" fn tm_live_answer() -> *const u8 {
    STUDIO.with_borrow(|studio| studio.answer.as_ptr())
}

/// How long that answer is, bytes.
#[unsafe(no_mangle)]
pub extern "C" fn tm_live_length() -> usize {
    STUDIO.with_borrow(|studio| studio.answer.len())
}

/// Takes what is in the room. 1 if it is one; 0 if not, and the answer says why.
#[unsafe(no_mangle)]
pub extern "C" fn tm_live_open() -> u32 {
    answer(|studio, input| {
        studio.live = Some(Live::read(&input)?);
        Ok(Vec::new())
    })
}

/// Plays what the room asks for: a story, and what was done in it. 1 if the answer is a
/// [`Take`](crate::Take); 0 if it says why there is none.
#[unsafe(no_mangle)]
pub extern "C" fn tm_live_play() -> u32 {
    answer(|studio, input| {
        let wish: Wish =
            serde_json::from_slice(&input).map_err(|error| error.to_string())?;
        let live = studio.live.as_mut().ok_or("no film was opened")?;
        let take = live
            .play(&wish.story, wish.branch.as_ref())
            .ok_or_else(|| format!("the engine ran no scenario called {}", wish.story))?;
        serde_json::to_vec(&take).map_err(|error| error.to_string())
    })
}

fn answer(act: impl FnOnce(&mut Studio, Vec<u8>) -> Result<Vec<u8>, String>) -> u32 {
    STUDIO.with_borrow_mut(|studio| {
        let input = std::mem::take(&mut studio.input);
        let done = act(studio, input);
        let well = u32::from(done.is_ok());
        studio.answer = done.unwrap_or_else(String::into_bytes);
        well
    })
}
