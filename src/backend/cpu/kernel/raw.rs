//! Addresses of what views see, for products that are made elsewhere: native builds alone have them.

use super::{Strided, StridedMut};

impl<T: Copy> Strided<'_, T> {
    /// Address of the first element; of no element where there is none.
    pub(in crate::backend::cpu) fn start(self) -> *const T {
        self.start
    }
}

impl<T: Copy> StridedMut<'_, T> {
    /// Address of the first element; of no element where there is none.
    pub(in crate::backend::cpu) fn start(&mut self) -> *mut T {
        self.start
    }

    /// Elements from one row to the next.
    pub(in crate::backend::cpu) fn row_stride(&self) -> usize {
        self.row_stride
    }
}
