//! Sets of supporter numbers as bytes: Roaring bitmaps in the format that all its implementations share, one for each
//! block of 65,536 numbers. Pure.

use std::collections::BTreeMap;

use roaring::RoaringBitmap;

/// Bits of a number below its block.
const BLOCK_BITS: u32 = 16;

/// The block that holds `number`.
pub(super) const fn block(number: i64) -> i64 {
    number >> BLOCK_BITS
}

/// What is left of `number` within its block.
fn within(number: i64) -> u32 {
    u32::try_from(number & ((1 << BLOCK_BITS) - 1)).unwrap_or(0)
}

/// `numbers`, in any order, as one set for each block.
pub(super) fn pack(numbers: &[i64]) -> std::io::Result<Vec<(i64, Vec<u8>)>> {
    let mut sets: BTreeMap<i64, RoaringBitmap> = BTreeMap::new();
    // Numbers come in order as a rule, so that one block follows the other.
    for run in numbers.chunk_by(|a, b| block(*a) == block(*b)) {
        let Some(first) = run.first() else { continue };
        sets.entry(block(*first)).or_default().extend(run.iter().map(|number| within(*number)));
    }
    let bytes = |(block, mut set): (i64, RoaringBitmap)| {
        set.optimize();
        let mut bytes = Vec::with_capacity(set.serialized_size());
        set.serialize_into(&mut bytes)?;
        Ok((block, bytes))
    };
    sets.into_iter().map(bytes).collect()
}

/// Whether `number` is in the set of its block.
pub(super) fn contains(set: &[u8], number: i64) -> std::io::Result<bool> {
    Ok(RoaringBitmap::deserialize_from(set)?.contains(within(number)))
}

/// The highest number of a block.
pub(super) const fn last_of(block: i64) -> i64 {
    (block << BLOCK_BITS) + (1 << BLOCK_BITS) - 1
}

/// Numbers above `after` that are in any of these sets of one block, lowest first, at most `most`.
pub(super) fn above(block: i64, sets: &[Vec<u8>], after: i64, most: usize) -> std::io::Result<Vec<i64>> {
    let mut all = RoaringBitmap::new();
    for set in sets {
        all |= RoaringBitmap::deserialize_from(set.as_slice())?;
    }
    let first = block << BLOCK_BITS;
    let numbers = all.iter().map(|within| first + i64::from(within)).filter(|number| *number > after);
    Ok(numbers.take(most).collect())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_set_holds_the_numbers_it_was_given_and_no_others(
            numbers in proptest::collection::vec(prop_oneof![1..200_000_i64, 4_294_900_000..4_295_100_000_i64], 0..300),
            others in proptest::collection::vec(1..200_000_i64, 0..50),
        ) {
            let packed: BTreeMap<i64, Vec<u8>> = pack(&numbers).unwrap().into_iter().collect();
            let given: BTreeSet<i64> = numbers.iter().copied().collect();
            for number in numbers.iter().chain(&others) {
                let found = packed.get(&block(*number)).is_some_and(|set| contains(set, *number).unwrap());
                prop_assert_eq!(found, given.contains(number), "{}", number);
            }
        }
    }

    proptest! {
        #[test]
        fn a_block_is_read_on_in_pieces_without_a_gap(
            numbers in proptest::collection::btree_set(65_536..131_072_i64, 1..200),
            most in 1..50_usize,
        ) {
            let numbers: Vec<i64> = numbers.into_iter().collect();
            let half = numbers.len() / 2;
            let one = |part: &[i64]| pack(part).unwrap().into_iter().map(|(_, set)| set);
            let sets: Vec<Vec<u8>> = one(&numbers[..half]).chain(one(&numbers)).collect();
            let (mut read, mut after) = (Vec::new(), 0);
            loop {
                let piece = above(1, &sets, after, most).unwrap();
                prop_assert!(piece.len() <= most);
                let Some(last) = piece.last() else { break };
                after = *last;
                read.extend(piece);
            }
            prop_assert_eq!(read, numbers);
            prop_assert_eq!(last_of(1), 131_071);
        }
    }

    #[test]
    fn a_full_block_is_a_few_bytes() {
        let packed = pack(&(65_536..131_072).collect::<Vec<_>>()).unwrap();
        assert_eq!(packed.len(), 1);
        assert!(packed[0].1.len() < 100, "{}", packed[0].1.len());
    }

    #[test]
    fn bytes_that_are_no_set_are_an_error() {
        assert!(contains(b"not a set", 1).is_err());
    }
}
