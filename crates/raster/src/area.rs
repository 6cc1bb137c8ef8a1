//! Rectangles of whole pixels.

/// Pixels from `left` and `top` (included) to `right` and `bottom` (excluded).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Area {
    pub left: i32,
    pub top: i32,
    pub right: i32,
    pub bottom: i32,
}

impl Area {
    /// Nothing; the start of a union.
    pub const NOTHING: Area = Area { left: 0, top: 0, right: 0, bottom: 0 };

    /// A whole picture.
    pub fn whole(width: u32, height: u32) -> Area {
        Area { left: 0, top: 0, right: width as i32, bottom: height as i32 }
    }

    pub fn is_empty(&self) -> bool {
        self.left >= self.right || self.top >= self.bottom
    }

    pub fn width(&self) -> usize {
        (self.right - self.left).max(0) as usize
    }

    pub fn height(&self) -> usize {
        (self.bottom - self.top).max(0) as usize
    }

    /// The pixels that both have.
    pub fn common(&self, other: &Area) -> Area {
        Area {
            left: self.left.max(other.left),
            top: self.top.max(other.top),
            right: self.right.min(other.right),
            bottom: self.bottom.min(other.bottom),
        }
    }

    /// The smallest area around both.
    pub fn around(&self, other: &Area) -> Area {
        if self.is_empty() {
            return *other;
        }
        if other.is_empty() {
            return *self;
        }
        Area {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    /// Moved to the right and down.
    pub fn moved(&self, x: i32, y: i32) -> Area {
        Area {
            left: self.left + x,
            top: self.top + y,
            right: self.right + x,
            bottom: self.bottom + y,
        }
    }

    /// The positions of each row's pixels in a buffer whose rows are `stride` long.
    pub fn rows(self, stride: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
        let width = self.width();
        (self.top..self.bottom).map(move |y| {
            let start = y as usize * stride + self.left as usize;
            start..start + width
        })
    }
}

/// Adds an area to a list in which no two overlap, uniting those that would.
pub(crate) fn add(list: &mut Vec<Area>, area: Area) {
    if area.is_empty() {
        return;
    }
    let mut area = area;
    while let Some(at) = list.iter().position(|other| !other.common(&area).is_empty()) {
        area = area.around(&list.swap_remove(at));
    }
    list.push(area);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(left: i32, top: i32, right: i32, bottom: i32) -> Area {
        Area { left, top, right, bottom }
    }

    #[test]
    fn areas_that_overlap_become_one() {
        let mut list = Vec::new();
        add(&mut list, area(0, 0, 10, 10));
        add(&mut list, area(20, 0, 30, 10));
        assert_eq!(list.len(), 2);
        add(&mut list, area(5, 5, 25, 6));
        assert_eq!(list, [area(0, 0, 30, 10)]);
        add(&mut list, Area::NOTHING);
        assert_eq!(list.len(), 1);
    }

    #[test]
    fn rows_are_where_the_pixels_stand() {
        let rows: Vec<_> = area(1, 2, 3, 4).rows(10).collect();
        assert_eq!(rows, [21..23, 31..33]);
    }
}
