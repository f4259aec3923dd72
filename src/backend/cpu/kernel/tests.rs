//! Views refuse elements that lie outside, also where sizes overflow.

use super::*;

/// More elements than can be counted.
const HALF: usize = 1 << (usize::BITS / 2);

#[test]
#[should_panic(expected = "matrix of another size than its shape")]
fn a_size_that_overflows_is_not_zero() {
    dense::<f64>(&[], HALF, HALF);
}

#[test]
#[should_panic(expected = "matrix outside its memory")]
fn a_stride_that_overflows_is_outside() {
    StridedMut::new(&mut [0.0_f64; 2], (1 << (usize::BITS - 1)) + 1, 2, 2);
}

#[test]
#[should_panic(expected = "part outside its matrix")]
fn a_part_that_overflows_is_outside() {
    dense(&[0.0_f64; 4], 2, 2).part(usize::MAX, 0, 2, 2);
}

#[test]
#[should_panic(expected = "part outside its matrix")]
fn a_writable_part_that_overflows_is_outside() {
    StridedMut::new(&mut [0.0_f64; 4], 2, 2, 2).part(0, usize::MAX, 2, 2);
}

#[test]
#[should_panic(expected = "element outside its matrix")]
fn an_element_of_the_next_row_is_outside() {
    dense(&[0.0_f64; 4], 2, 2).at(0, 2);
}

#[test]
#[should_panic(expected = "column outside its matrix")]
fn a_column_of_the_next_row_is_outside() {
    let _ = dense(&[0.0_f64; 4], 2, 2).down(2);
}

#[test]
fn halves_are_written_while_the_other_is_read() {
    let mut values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let [left, mut right] = StridedMut::new(&mut values, 2, 3, 3).split_cols(1);
    for i in 0..2 {
        right.row(i).fill(left.read().at(i, 0));
    }
    let [above, mut below] = right.split_rows(1);
    below.row(0)[1] = above.read().row(0)[1];
    assert_eq!(values, [1.0, 1.0, 1.0, 4.0, 4.0, 1.0]);
}

#[test]
fn empty_parts_have_empty_rows() {
    let mut values = [1.0; 4];
    let mut view = StridedMut::new(&mut values, 2, 2, 2);
    assert!(view.part(1, 2, 1, 0).row(0).is_empty());
    assert!(view.read().part(1, 2, 1, 0).row(0).is_empty());
    assert_eq!(view.part(2, 0, 0, 2).rows(), 0);
}
