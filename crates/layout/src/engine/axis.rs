//! The two axes, so that one piece of code serves both.

use topomotion_scene::{Point, Rect, Size};

/// An axis of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Axis {
    /// To the right.
    X,
    /// Downwards.
    Y,
}

impl Axis {
    /// The other one.
    pub fn cross(self) -> Axis {
        match self {
            Axis::X => Axis::Y,
            Axis::Y => Axis::X,
        }
    }

    /// A point's coordinate.
    pub fn of(self, point: Point) -> f64 {
        match self {
            Axis::X => point.x,
            Axis::Y => point.y,
        }
    }

    /// A size's extent.
    pub fn extent(self, size: Size) -> f64 {
        match self {
            Axis::X => size.width,
            Axis::Y => size.height,
        }
    }

    /// A rectangle's lower border.
    pub fn lo(self, rect: &Rect) -> f64 {
        match self {
            Axis::X => rect.x,
            Axis::Y => rect.y,
        }
    }

    /// A rectangle's upper border.
    pub fn hi(self, rect: &Rect) -> f64 {
        match self {
            Axis::X => rect.right(),
            Axis::Y => rect.bottom(),
        }
    }

    /// A rectangle's middle.
    pub fn mid(self, rect: &Rect) -> f64 {
        (self.lo(rect) + self.hi(rect)) / 2.0
    }

    /// The point with these coordinates along this axis and across it.
    pub fn point(self, along: f64, across: f64) -> Point {
        match self {
            Axis::X => Point::new(along, across),
            Axis::Y => Point::new(across, along),
        }
    }

    /// The size with these extents along this axis and across it.
    pub fn size(self, along: f64, across: f64) -> Size {
        match self {
            Axis::X => Size { width: along, height: across },
            Axis::Y => Size { width: across, height: along },
        }
    }

    /// Sets a point's coordinate.
    pub fn set(self, point: &mut Point, value: f64) {
        match self {
            Axis::X => point.x = value,
            Axis::Y => point.y = value,
        }
    }

    /// Sets a rectangle's borders.
    pub fn span(self, rect: &mut Rect, lo: f64, hi: f64) {
        match self {
            Axis::X => (rect.x, rect.width) = (lo, hi - lo),
            Axis::Y => (rect.y, rect.height) = (lo, hi - lo),
        }
    }
}

/// A side of a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Towards smaller x.
    Left,
    /// Towards larger x.
    Right,
    /// Towards smaller y.
    Top,
    /// Towards larger y.
    Bottom,
}

impl Side {
    /// All four.
    pub const ALL: [Side; 4] = [Side::Left, Side::Right, Side::Top, Side::Bottom];

    /// The axis on which a line leaves through this side.
    pub fn axis(self) -> Axis {
        match self {
            Side::Left | Side::Right => Axis::X,
            Side::Top | Side::Bottom => Axis::Y,
        }
    }

    /// Whether the side faces towards larger coordinates.
    pub fn is_far(self) -> bool {
        matches!(self, Side::Right | Side::Bottom)
    }

    /// The side across.
    pub fn opposite(self) -> Side {
        match self {
            Side::Left => Side::Right,
            Side::Right => Side::Left,
            Side::Top => Side::Bottom,
            Side::Bottom => Side::Top,
        }
    }

    /// Its place in [`Side::ALL`].
    pub fn index(self) -> usize {
        match self {
            Side::Left => 0,
            Side::Right => 1,
            Side::Top => 2,
            Side::Bottom => 3,
        }
    }

    /// Where this side of a rectangle is.
    pub fn border(self, rect: &Rect) -> f64 {
        if self.is_far() { self.axis().hi(rect) } else { self.axis().lo(rect) }
    }
}
