//! Films as GIF.
//!
//! Every frame after the first stores only the box around what changed, with unchanged
//! pixels transparent; frames in which nothing changed prolong the one before. Frames are
//! written as they are drawn: memory does not grow with the film.

use std::io::Write;

use gif::{DisposalMethod, Encoder, Frame, Repeat};
use topomotion_scene::{Animation, Millis};

use crate::area::Area;
use crate::canvas::Canvas;
use crate::palette::{self, Indexer};
use crate::timing::{Tick, ticks};
use crate::{Error, GifOptions, Loops, histogram, lzw};

/// GIF stores a delay in 16 bits.
const DELAY_MAX: u32 = 65_535;

/// Writes a film to `sink`. After each frame, `progress` is told how many of how many are
/// done.
pub fn gif(
    film: &Animation,
    options: &GifOptions,
    sink: &mut dyn Write,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<(), Error> {
    if !(1..=50).contains(&options.fps) {
        return Err(Error::Speed { fps: options.fps });
    }
    let end = options.to.unwrap_or(film.duration).min(film.duration);
    let from = options.from.min(Millis(end.0.saturating_sub(1)));
    let ticks = ticks(from, end, options.fps);
    let mut canvas = Canvas::new(film, options.theme, options.fit)?;
    let counts = histogram::counts(film, &ticks, &mut canvas);
    let exact = histogram::flat_colors(film, options.theme);
    let indexer = Indexer::new(palette::choose(&exact, &counts));

    let mut film = Film::new(sink, &canvas, indexer, options.loops)?;
    for (number, tick) in ticks.iter().enumerate() {
        canvas.show(tick.at);
        film.add(&canvas, *tick)?;
        progress(number + 1, ticks.len());
    }
    film.finish()
}

/// A GIF being written.
struct Film<'s> {
    encoder: Encoder<&'s mut dyn Write>,
    indexer: Indexer,
    /// What a reader sees so far.
    seen: Vec<u8>,
    stride: usize,
    /// Written once it is known how long it stays.
    waiting: Option<Waiting>,
}

/// A frame that is not yet written.
struct Waiting {
    area: Area,
    indices: Vec<u8>,
    centis: u32,
}

impl<'s> Film<'s> {
    fn new(
        sink: &'s mut dyn Write,
        canvas: &Canvas<'_>,
        indexer: Indexer,
        loops: Loops,
    ) -> Result<Film<'s>, Error> {
        let (width, height) = (canvas.width(), canvas.height());
        // The extent is at most 65 535 on a side.
        let sides = (width as u16, height as u16);
        let mut encoder = Encoder::new(sink, sides.0, sides.1, &indexer.table())?;
        match loops {
            Loops::Forever => encoder.set_repeat(Repeat::Infinite)?,
            // GIF counts how often a film is repeated after the first time.
            Loops::Times(times) => {
                encoder.set_repeat(Repeat::Finite(times.saturating_sub(1)))?;
            }
        }
        let seen = vec![indexer.unchanged(); width as usize * height as usize];
        Ok(Film { encoder, indexer, seen, stride: width as usize, waiting: None })
    }

    /// Adds the canvas as it is, to be seen for the tick's length.
    fn add(&mut self, canvas: &Canvas<'_>, tick: Tick) -> Result<(), Error> {
        let whole = [Area::whole(canvas.width(), canvas.height())];
        let areas = if self.waiting.is_none() { &whole } else { canvas.changed() };
        let before = self.waiting.take();
        let mut frame = self.difference(canvas.pixels(), areas);
        match (before, frame.area.is_empty()) {
            (Some(mut before), true) => {
                before.centis += tick.centis;
                self.waiting = Some(before);
            }
            (before, _) => {
                if let Some(before) = before {
                    self.write(before)?;
                }
                frame.centis = tick.centis;
                self.waiting = Some(frame);
            }
        }
        Ok(())
    }

    /// What of `areas` looks different now, and takes it as seen.
    fn difference(&mut self, pixels: &[u8], areas: &[Area]) -> Waiting {
        let unchanged = self.indexer.unchanged();
        let mut changes: Vec<(usize, u8)> = Vec::new();
        let mut around = Area::NOTHING;
        for area in areas {
            for (y, row) in (area.top..).zip(area.rows(self.stride)) {
                let first = changes.len();
                let colors = pixels[row.start * 4..row.end * 4].chunks_exact(4);
                for (at, pixel) in row.clone().zip(colors) {
                    let index = self.indexer.index(pixel);
                    if self.seen[at] != index {
                        self.seen[at] = index;
                        changes.push((at, index));
                    }
                }
                if let (Some(low), Some(high)) = (changes.get(first), changes.last()) {
                    let x = |change: &(usize, u8)| (change.0 % self.stride) as i32;
                    let line =
                        Area { left: x(low), top: y, right: x(high) + 1, bottom: y + 1 };
                    around = around.around(&line);
                }
            }
        }
        let mut indices = vec![unchanged; around.width() * around.height()];
        for (at, index) in changes {
            let (x, y) = (at % self.stride, at / self.stride);
            let own =
                (y - around.top as usize) * around.width() + x - around.left as usize;
            indices[own] = index;
        }
        Waiting { area: around, indices, centis: 0 }
    }

    fn write(&mut self, frame: Waiting) -> Result<(), Error> {
        let mut left = frame.centis;
        self.write_for(&frame, left.min(DELAY_MAX))?;
        while left > DELAY_MAX {
            left -= DELAY_MAX;
            let area = Area { left: 0, top: 0, right: 1, bottom: 1 };
            let nothing =
                Waiting { area, indices: vec![self.indexer.unchanged()], centis: 0 };
            self.write_for(&nothing, left.min(DELAY_MAX))?;
        }
        Ok(())
    }

    fn write_for(&mut self, frame: &Waiting, centis: u32) -> Result<(), Error> {
        let area = frame.area;
        let unchanged = self.indexer.unchanged();
        let data = lzw::encode(&frame.indices, unchanged, self.indexer.bits());
        self.encoder.write_lzw_pre_encoded_frame(&Frame {
            delay: centis as u16,
            dispose: DisposalMethod::Keep,
            transparent: Some(unchanged),
            top: area.top as u16,
            left: area.left as u16,
            width: area.width() as u16,
            height: area.height() as u16,
            buffer: data.into(),
            ..Frame::default()
        })?;
        Ok(())
    }

    fn finish(mut self) -> Result<(), Error> {
        if let Some(last) = self.waiting.take() {
            self.write(last)?;
        }
        self.encoder.into_inner()?.flush()?;
        Ok(())
    }
}
