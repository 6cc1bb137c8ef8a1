//! Extents by place along one axis: strips, so that what lies at a coordinate is found without
//! looking at everything.

/// Width of a strip, px.
const WIDTH: f64 = 48.0;
/// Most strips.
const MOST: f64 = 4096.0;

/// Extents in strips.
#[derive(Debug, Clone)]
pub struct Strips {
    start: f64,
    width: f64,
    strips: Vec<Vec<u32>>,
}

impl Strips {
    /// Sorts extents, given as (low, high), into strips.
    pub fn new(extents: impl Iterator<Item = (f64, f64)> + Clone) -> Strips {
        let start = extents.clone().map(|extent| extent.0).fold(f64::MAX, f64::min);
        let end = extents.clone().map(|extent| extent.1).fold(f64::MIN, f64::max);
        let length = (end - start).max(0.0);
        let width = WIDTH.max(length / MOST);
        let mut strips = Strips { start, width, strips: Vec::new() };
        strips.strips.resize((length / width) as usize + 1, Vec::new());
        for (index, (lo, hi)) in extents.enumerate() {
            for strip in strips.index(lo)..=strips.index(hi) {
                strips.strips[strip].push(index as u32);
            }
        }
        strips
    }

    /// Indices of extents that may hold a coordinate, in order.
    pub fn at(&self, at: f64) -> impl Iterator<Item = usize> + '_ {
        self.strips[self.index(at)].iter().map(|&index| index as usize)
    }

    fn index(&self, at: f64) -> usize {
        (((at - self.start) / self.width).max(0.0) as usize).min(self.strips.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_a_coordinate_is_found() {
        let strips =
            Strips::new([(0.0, 400.0), (100.0, 120.0), (390.0, 500.0)].into_iter());
        let at = |at: f64| strips.at(at).collect::<Vec<_>>();
        assert_eq!(at(110.0), [0, 1]);
        assert_eq!(at(395.0), [0, 2]);
        assert_eq!(at(9999.0), [2]);
    }

    #[test]
    fn nothing_is_nowhere() {
        assert_eq!(Strips::new(std::iter::empty()).at(3.0).count(), 0);
    }
}
