//! What the page calls: plain numbers in, plain numbers out.
//!
//! One instance of the module plays one film. Bytes come in through [`tm_room`]; lists and texts
//! go out through one place each, and are valid until the next call. The page's half is
//! `web/src/film.ts`. (No binding generator stands between: a dozen functions need none, and the
//! page saves its glue.)

// The names by which the page finds the functions; the only thing here that the lint means.
#![allow(unsafe_code)]

use std::cell::RefCell;

use topomotion_scene::{Millis, Point, Rgb};

use crate::canvas::Moment;
use crate::film::Film;

/// All that one instance holds.
#[derive(Debug, Default)]
struct Player {
    input: Vec<u8>,
    film: Film,
    moment: Moment,
    numbers: Vec<f32>,
    text: String,
}

thread_local! {
    static PLAYER: RefCell<Player> = RefCell::default();
}

fn with<T>(act: impl FnOnce(&mut Player) -> T) -> T {
    PLAYER.with_borrow_mut(act)
}

fn millis(at: f64) -> Millis {
    Millis(at as u32)
}

/// Room for `count` bytes of a packed film; where it is.
#[unsafe(no_mangle)]
pub extern "C" fn tm_room(count: usize) -> *const u8 {
    with(|player| {
        player.input = vec![0; count];
        player.input.as_ptr()
    })
}

/// Takes the film in the room apart. 1 if it is one; 0 if not, and the text says why.
#[unsafe(no_mangle)]
pub extern "C" fn tm_open() -> u32 {
    with(|player| {
        let bytes = std::mem::take(&mut player.input);
        match Film::unpack(&bytes) {
            Ok(film) => {
                player.film = film;
                1
            }
            Err(broken) => {
                player.text = broken.to_string();
                0
            }
        }
    })
}

/// Where the numbers are that the last call gave.
#[unsafe(no_mangle)]
pub extern "C" fn tm_numbers() -> *const f32 {
    with(|player| player.numbers.as_ptr())
}

/// Where the text is that the last call gave.
#[unsafe(no_mangle)]
pub extern "C" fn tm_text() -> *const u8 {
    with(|player| player.text.as_ptr())
}

/// How long that text is, bytes of UTF-8.
#[unsafe(no_mangle)]
pub extern "C" fn tm_text_length() -> usize {
    with(|player| player.text.len())
}

/// Width, height, duration, poster, then red, green and blue of each swatch, light and dark.
#[unsafe(no_mangle)]
pub extern "C" fn tm_about() -> usize {
    with(|player| {
        let film = &player.film.animation;
        let out = &mut player.numbers;
        out.clear();
        out.extend([film.size.width as f32, film.size.height as f32]);
        out.extend([film.duration.0 as f32, film.poster.0 as f32]);
        for swatch in &film.palette.swatches {
            for Rgb(red, green, blue) in [swatch.light, swatch.dark] {
                out.extend([f32::from(red), f32::from(green), f32::from(blue)]);
            }
        }
        out.len()
    })
}

/// The looks of the backdrop.
#[unsafe(no_mangle)]
pub extern "C" fn tm_backdrop() -> usize {
    with(|player| {
        player.numbers.clear();
        player.numbers.extend(player.film.backdrop().map(|look| look as f32));
        player.numbers.len()
    })
}

/// The calls that draw a look.
#[unsafe(no_mangle)]
pub extern "C" fn tm_calls(look: usize) -> usize {
    with(|player| {
        player.film.calls(look, &mut player.numbers);
        player.numbers.len()
    })
}

/// How many items are under everything that moves, how many follow up to the last that moves,
/// then look, x and y of each.
#[unsafe(no_mangle)]
pub extern "C" fn tm_moment(at: f64) -> usize {
    with(|player| {
        let Player { film, moment, numbers, .. } = player;
        film.moment(millis(at), moment);
        numbers.clear();
        numbers.extend([moment.under as f32, moment.between as f32]);
        numbers.extend(&moment.placed);
        numbers.len()
    })
}

/// Which item is topmost there then, counted from 1: of the backdrop, then of the sprites; with
/// `nodes` other than 0, which process is. 0 if nothing with a name is there, and nothing that
/// moves.
#[unsafe(no_mangle)]
pub extern "C" fn tm_hit(at: f64, x: f64, y: f64, nodes: u32) -> usize {
    with(|player| {
        let (at, place) = (millis(at), Point::new(x, y));
        let hit = match nodes {
            0 => player.film.hit(at, place),
            _ => player.film.hit_node(place),
        };
        hit.map_or(0, |index| index + 1)
    })
}

/// The text is the class, the id and the name of an item (counted from 0), a line each; 0 if
/// there is none.
#[unsafe(no_mangle)]
pub extern "C" fn tm_item(index: usize) -> u32 {
    with(|player| {
        let Some(item) = player.film.item(index) else { return 0 };
        let id = item.id.as_deref().unwrap_or_default();
        let name = item.name.as_deref().unwrap_or_default();
        player.text = [&*item.class, "\n", id, "\n", name].concat();
        1
    })
}

/// Left, top, width and height of an item (counted from 0) that stands still; nothing if there
/// is none.
#[unsafe(no_mangle)]
pub extern "C" fn tm_box(index: usize) -> usize {
    with(|player| {
        player.numbers.clear();
        if let Some(around) = player.film.bounds(index) {
            let all = [around.x, around.y, around.width, around.height];
            player.numbers.extend(all.map(|length| length as f32));
        }
        player.numbers.len()
    })
}

/// The items (counted from 0) that are under way then.
#[unsafe(no_mangle)]
pub extern "C" fn tm_air(at: f64) -> usize {
    with(|player| {
        player.numbers.clear();
        player.numbers.extend(player.film.air(millis(at)).map(|item| item as f32));
        player.numbers.len()
    })
}

/// Hides the items for which the room holds another byte than 0, by place, and shows all others.
#[unsafe(no_mangle)]
pub extern "C" fn tm_hide() {
    with(|player| {
        let bytes = std::mem::take(&mut player.input);
        player.film.hide(bytes.into_iter().map(|byte| byte != 0).collect());
    });
}
