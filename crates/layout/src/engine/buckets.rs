//! Things by place: a plain grid of cells, so that neighbours are found without looking at
//! everything.

use topomotion_scene::Rect;

/// Side of a cell, px.
const CELL: f64 = 120.0;
/// Most cells along one axis.
const MOST: f64 = 512.0;

/// Things in a grid of cells.
#[derive(Debug, Clone)]
pub struct Buckets<T> {
    bounds: Rect,
    cell: f64,
    columns: usize,
    rows: usize,
    cells: Vec<Vec<u32>>,
    things: Vec<T>,
}

impl<T> Buckets<T> {
    /// A grid over an area; what lies outside counts to the nearest cell.
    pub fn new(area: &Rect) -> Buckets<T> {
        let bounds = area.grown(60.0);
        let cell = CELL.max(bounds.width / MOST).max(bounds.height / MOST);
        let columns = (bounds.width / cell) as usize + 1;
        let rows = (bounds.height / cell) as usize + 1;
        let cells = vec![Vec::new(); columns * rows];
        Buckets { bounds, cell, columns, rows, cells, things: Vec::new() }
    }

    /// Adds a thing that covers a rectangle.
    pub fn add(&mut self, rect: &Rect, thing: T) {
        let index = self.things.len() as u32;
        self.things.push(thing);
        let (x, y) = self.cells_of(rect);
        for row in y.0..=y.1 {
            for column in x.0..=x.1 {
                self.cells[row * self.columns + column].push(index);
            }
        }
    }

    /// Visits everything near a rectangle, each thing once, in the order of adding.
    pub fn visit(&self, rect: &Rect, mut visit: impl FnMut(&T)) {
        let (x, y) = self.cells_of(rect);
        let mut found: Vec<u32> = Vec::new();
        for row in y.0..=y.1 {
            for column in x.0..=x.1 {
                found.extend(&self.cells[row * self.columns + column]);
            }
        }
        found.sort_unstable();
        found.dedup();
        for index in found {
            visit(&self.things[index as usize]);
        }
    }

    fn cells_of(&self, rect: &Rect) -> ((usize, usize), (usize, usize)) {
        let cell =
            |at: f64, count: usize| ((at / self.cell).max(0.0) as usize).min(count - 1);
        let (x, y) = (rect.x - self.bounds.x, rect.y - self.bounds.y);
        (
            (cell(x, self.columns), cell(x + rect.width, self.columns)),
            (cell(y, self.rows), cell(y + rect.height, self.rows)),
        )
    }
}
