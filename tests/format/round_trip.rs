//! What the writer lays out is what the crate would write, and what the reader gets back.

use std::collections::{BTreeMap, HashMap};

use gramerge::format::{Layout, TensorFile};
use gramerge::tensor::dtype::Dtype;
use pollster::block_on;
use proptest::prelude::*;
use safetensors::tensor::TensorView;

use crate::common::{Memory, layout, metadata};
use crate::differential::{Draft, draft};

fn lay_out(draft: &Draft) -> Layout {
    Layout::new(draft.tensors.clone(), &draft.metadata).unwrap()
}

/// The file that a layout describes, each tensor filled with bytes of its own.
fn written(layout: &Layout) -> Vec<u8> {
    let mut bytes = layout.header_bytes().to_vec();
    for tensor in layout.tensors() {
        assert_eq!(layout.offset_bytes(&tensor.name), Some(bytes.len() as u64));
        bytes.extend(content(&tensor.name, tensor.len_bytes()));
    }
    assert_eq!(bytes.len() as u64, layout.total_bytes());
    bytes
}

fn content(name: &str, len_bytes: u64) -> Vec<u8> {
    let seed = name.bytes().fold(7_u8, |seed, b| seed.wrapping_mul(31).wrapping_add(b));
    (0..len_bytes).map(|i| (i as u8).wrapping_mul(17) ^ seed).collect()
}

fn written_by_crate(draft: &Draft) -> Vec<u8> {
    let data: Vec<_> = draft
        .tensors
        .iter()
        .map(|(name, dtype, shape)| {
            let len_bytes = shape.iter().product::<u64>() * dtype.bits() / 8;
            content(name, len_bytes)
        })
        .collect();
    let views = draft.tensors.iter().zip(&data).map(|((name, dtype, shape), data)| {
        let dtype = serde_json::from_str(&format!("{:?}", dtype.name())).unwrap();
        let shape = shape.iter().map(|n| *n as usize).collect();
        (name.clone(), TensorView::new(dtype, shape, data).unwrap())
    });
    let free: HashMap<_, _> = draft.metadata.clone().into_iter().collect();
    let free = if free.is_empty() { None } else { Some(free) };
    safetensors::serialize(views, free).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..Default::default() })]

    #[test]
    fn files_are_those_of_the_crate(mut draft in draft()) {
        // The crate writes metadata in a random order.
        while draft.metadata.len() > 1 {
            draft.metadata.pop_last();
        }
        let ours = written(&lay_out(&draft));
        prop_assert_eq!(&ours, &written_by_crate(&draft));
        // Planted error: one more tensor has to show.
        draft.tensors.push(("planted".into(), Dtype::U8, vec![1]));
        prop_assert_ne!(&ours, &written_by_crate(&draft));
    }

    #[test]
    fn what_is_written_is_read_back(draft in draft(), piece in 1_usize..9) {
        let layout = lay_out(&draft);
        let file = block_on(TensorFile::open(Memory::new("f", written(&layout)))).unwrap();
        prop_assert_eq!(&*file.header, layout.header());
        for tensor in &file.header.tensors {
            let whole = block_on(file.read(tensor)).unwrap();
            prop_assert_eq!(&whole, &content(&tensor.name, tensor.len_bytes()));
            let mut pieced = vec![0xee; whole.len()];
            for (i, piece_of) in pieced.chunks_mut(piece).enumerate() {
                block_on(file.read_part(tensor, (i * piece) as u64, piece_of)).unwrap();
            }
            prop_assert_eq!(whole, pieced);
        }
    }

    #[test]
    fn elements_are_aligned_and_order_of_input_is_irrelevant(draft in draft()) {
        let layout = lay_out(&draft);
        for tensor in layout.tensors().iter().filter(|t| t.dtype.bits() >= 8) {
            let offset_bytes = layout.offset_bytes(&tensor.name).unwrap();
            prop_assert_eq!(offset_bytes % (tensor.dtype.bits() / 8), 0);
        }
        let mut reversed = draft.clone();
        reversed.tensors.reverse();
        prop_assert_eq!(layout, lay_out(&reversed));
    }
}

#[test]
fn lookup_by_name_finds_every_tensor_and_no_other() {
    let layout = layout(
        &[("b", Dtype::F32, &[2]), ("a", Dtype::F16, &[1]), ("", Dtype::F64, &[])],
        &[("format", "pt")],
    );
    for tensor in layout.tensors() {
        assert_eq!(layout.header().get(&tensor.name), Some(tensor));
    }
    assert_eq!(layout.header().get("c"), None);
    assert_eq!(layout.offset_bytes("c"), None);
    let names: Vec<_> = layout.header().tensors_by_name().map(|t| t.name.as_str()).collect();
    assert_eq!(names, ["", "a", "b"]);
    assert_eq!(layout.header().n_parameters(), 4);
    assert_eq!(layout.header().metadata, metadata(&[("format", "pt")]));
}

#[test]
fn layouts_that_no_reader_would_accept_are_refused() {
    type Tensors = Vec<(String, Dtype, Vec<u64>)>;
    let one = |name: &str, dtype, shape: &[u64]| (name.to_owned(), dtype, shape.to_vec());
    let cases: [(Tensors, &str); 6] = [
        (vec![one("a", Dtype::U8, &[1]), one("a", Dtype::F32, &[1])], "twice"),
        (vec![one("__metadata__", Dtype::U8, &[1])], "keeps this name"),
        (vec![one("a", Dtype::F4, &[1])], "whole bytes"),
        (vec![one("a", Dtype::F32, &[1 << 40, 1 << 40])], "too large"),
        ((0..9).map(|i| one(&i.to_string(), Dtype::U8, &[1 << 53, 255])).collect(), "larger"),
        (vec![one(&"n".repeat(5000), Dtype::U8, &[1])], "longer than"),
    ];
    for (tensors, reason) in cases {
        let error = Layout::new(tensors, &BTreeMap::new()).unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn reads_outside_a_tensor_are_refused_by_name() {
    let layout = layout(&[("a", Dtype::U8, &[4]), ("b", Dtype::U8, &[4])], &[]);
    let file = block_on(TensorFile::open(Memory::new("f.safetensors", written(&layout)))).unwrap();
    let a = file.header.get("a").unwrap();
    for (offset_bytes, len) in [(1, 4), (4, 1), (0, 8), (u64::MAX, 1), (5, 0)] {
        let error = block_on(file.read_part(a, offset_bytes, &mut vec![0; len])).unwrap_err();
        assert!(error.to_string().starts_with("`f.safetensors`: tensor `a`: "), "{error}");
    }
    block_on(file.read_part(a, 4, &mut [])).unwrap();
}
