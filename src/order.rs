//! Sorting, with one copy of its code.
//!
//! The standard library's sort, and so every `collect` into a sorted set or map, is compiled once per
//! type, some 5 kB each. In a page they were a tenth of the engine. So places are sorted, in one
//! function, and sets are filled one by one.

use std::cmp::Ordering;

/// Sorts; items that compare as equal keep their order.
pub(crate) fn sort_by<T>(items: &mut Vec<T>, mut compare: impl FnMut(&T, &T) -> Ordering) {
    let places = sorted_places(items.len(), &mut |a, b| compare(&items[a], &items[b]));
    let mut taken: Vec<Option<T>> = items.drain(..).map(Some).collect();
    items.extend(places.into_iter().filter_map(|place| taken[place].take()));
}

/// Sorts by a key; items of the same key keep their order.
pub(crate) fn sort_by_key<T, K: Ord>(items: &mut Vec<T>, key: impl Fn(&T) -> K) {
    sort_by(items, |a, b| key(a).cmp(&key(b)));
}

/// The places of `len` items, in the items' order.
#[inline(never)]
pub(crate) fn sorted_places(
    len: usize,
    compare: &mut dyn FnMut(usize, usize) -> Ordering,
) -> Vec<usize> {
    let mut places: Vec<usize> = (0..len).collect();
    #[cfg_attr(
        not(test),
        expect(clippy::disallowed_methods, reason = "the one place where it is compiled")
    )]
    places.sort_by(|a, b| compare(*a, *b));
    places
}

/// A set or map of these; of equal ones the last stays.
pub(crate) fn filled<C: Default + Extend<T>, T>(items: impl IntoIterator<Item = T>) -> C {
    let mut all = C::default();
    all.extend(items);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_items_keep_their_order() {
        let mut items: Vec<(u8, usize)> = [3, 1, 2, 1, 3, 1].into_iter().zip(0..).collect();
        sort_by_key(&mut items, |item| item.0);
        assert_eq!(items, [(1, 1), (1, 3), (1, 5), (2, 2), (3, 0), (3, 4)]);
        sort_by(&mut items, |a, b| b.0.cmp(&a.0));
        assert_eq!(items, [(3, 0), (3, 4), (2, 2), (1, 1), (1, 3), (1, 5)]);
    }
}
