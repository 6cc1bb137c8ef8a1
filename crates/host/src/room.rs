//! How many connections a broker has at a time: whoever comes beyond that is let go at once, so
//! that those who are there keep their memory and their file handles.

use std::cell::Cell;
use std::rc::Rc;

/// Connections that one broker has at most.
pub(crate) const CONNECTIONS_MAX: usize = 10_000;

/// Places for connections.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    taken: Rc<Cell<usize>>,
    most: usize,
}

/// A place, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place(Rc<Cell<usize>>);

impl Room {
    pub(crate) fn new(most: usize) -> Room {
        Room { taken: Rc::default(), most }
    }

    /// A place, if there is one left.
    pub(crate) fn take(&self) -> Option<Place> {
        let taken = self.taken.get();
        (taken < self.most).then(|| {
            self.taken.set(taken + 1);
            Place(self.taken.clone())
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_goes_leaves_a_place() {
        let room = Room::new(2);
        let (first, second) = (room.take(), room.take());
        assert!(first.is_some() && second.is_some() && room.take().is_none());
        drop(first);
        assert!(room.take().is_some());
    }
}
