//! How much memory a reader may take for what it keeps, so that no input costs more than somebody is ready to spend.

use std::cell::Cell;

/// Memory that is left to be taken, in bytes.
#[derive(Debug)]
pub struct Room(Cell<usize>);

impl Room {
    /// Room for so many bytes.
    #[must_use]
    pub const fn new(bytes: usize) -> Self {
        Self(Cell::new(bytes))
    }

    /// As much as there is.
    #[must_use]
    pub const fn unlimited() -> Self {
        Self::new(usize::MAX)
    }

    /// What is left, in bytes.
    #[must_use]
    pub const fn left(&self) -> usize {
        self.0.get()
    }

    /// Takes so many bytes, or, when that is more than is left, none; says whether it could.
    #[must_use]
    pub fn take(&self, bytes: usize) -> bool {
        let left = self.0.get().checked_sub(bytes);
        self.0.set(left.unwrap_or(self.0.get()));
        left.is_some()
    }

    /// Gives back what was taken.
    pub fn give_back(&self, bytes: usize) {
        self.0.set(self.0.get().saturating_add(bytes));
    }

    /// Adds `item` to `list`, and takes what the list grows by. While it grows, it is there twice, so there must be room for that too.
    pub(crate) fn push<T>(&self, list: &mut Vec<T>, item: T) -> Option<()> {
        if list.len() == list.capacity() {
            let old = list.capacity();
            let new = (old * 2).max(4);
            if !self.take(new * size_of::<T>()) {
                return None;
            }
            list.reserve_exact(new - old);
            self.give_back(old * size_of::<T>());
        }
        list.push(item);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_takes_nothing() {
        let room = Room::new(10);
        assert!(room.take(4) && !room.take(7) && room.take(6));
        room.give_back(3);
        assert_eq!(room.left(), 3);
    }

    #[test]
    fn a_list_takes_what_it_holds_and_has_room_to_grow() {
        let room = Room::new(4 + 8 + 16);
        let mut list = Vec::new();
        let grown = (0_u8..100).take_while(|byte| room.push(&mut list, *byte).is_some()).count();
        assert_eq!((grown, list.len(), room.left()), (16, 16, 12));
    }
}
