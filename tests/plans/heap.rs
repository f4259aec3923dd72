//! Files in memory, and plans of them.

use gramerge::Result;
use gramerge::checkpoint::inventory::{Inventory, SelectedModel};
use gramerge::checkpoint::{Library, Models, Selection};
use gramerge::plan::Action;
use gramerge::plan::Plan;
use gramerge::recipe::Options;
use gramerge::tensor::dtype::{Dtype, encode};
use pollster::block_on;

use crate::common::{Memory, layout};

/// A tensor: name, dtype, shape, and what its values are made of.
pub(crate) type Spec<'a> = (&'a str, Dtype, &'a [u64], f64);

/// A file; values differ by tensor, place and seed.
pub(crate) fn file(path: &str, tensors: &[Spec<'_>], metadata: &[(&str, &str)]) -> Memory {
    let described = tensors.iter().map(|(name, dtype, shape, _)| (*name, *dtype, *shape));
    let described: Vec<_> = described.collect();
    let layout = layout(&described, metadata);
    let mut bytes = layout.header_bytes().to_vec();
    bytes.resize(layout.total_bytes() as usize, 0);
    for (name, dtype, shape, seed) in tensors {
        let n = shape.iter().product::<u64>() as usize;
        let start = layout.offset_bytes(name).unwrap() as usize;
        let values = (0..n).map(|place| (place as f64 * 0.37 + seed).sin());
        encode(*dtype, values, &mut bytes[start..start + n * dtype.size_bytes()]);
    }
    Memory::new(path, bytes)
}

/// A checkpoint with these weights, [2, 3] each.
pub(crate) fn weights(path: &str, names: &[&str], seed: f64) -> Memory {
    let spec = |name| (name, Dtype::F32, &[2, 3][..], seed);
    file(path, &names.iter().copied().map(spec).collect::<Vec<Spec<'_>>>(), &[])
}

/// A Gram file with these matrices, [3, 3] each.
pub(crate) fn grams(path: &str, names: &[&str], metadata: &[(&str, &str)]) -> Memory {
    let spec = |name| (name, Dtype::F32, &[3, 3][..], 0.0);
    let metadata = [&[("gram_format", "1")], metadata].concat();
    file(path, &names.iter().copied().map(spec).collect::<Vec<Spec<'_>>>(), &metadata)
}

/// What is suggested for these files.
pub(crate) fn inventory(files: &[Memory]) -> Inventory {
    block_on(Library::open(files.to_vec())).inventory()
}

/// The plan for models of one file each, every one with its Gram file.
pub(crate) fn plan_with(pairs: &[(Memory, Memory)], options: &Options) -> Result<Plan> {
    let files = pairs.iter().flat_map(|(weights, gram)| [weights.clone(), gram.clone()]).collect();
    let library = block_on(Library::open(files));
    let model = |index: usize| SelectedModel {
        name: pairs[index].0.name.clone(),
        files: vec![2 * index],
        gram: Some(2 * index + 1),
        ..SelectedModel::default()
    };
    let models = (0..pairs.len()).map(model).collect();
    let models = library.models(&Selection { models, ..Selection::default() })?;
    let models = Models::new(models)?;
    block_on(models.sample());
    Plan::make(&models, options)
}

pub(crate) fn plan(pairs: &[(Memory, Memory)]) -> Result<Plan> {
    plan_with(pairs, &Options::default())
}

/// The key of the first model's Gram matrix, or why there is none.
pub(crate) fn gram_of(plan: &Plan, weight: &str) -> Result<String, String> {
    let tensor = plan.tensors.iter().find(|tensor| tensor.name == weight).unwrap();
    match &tensor.action {
        Action::Regress { group, .. } => Ok(plan.groups[*group].gram_names[0].clone()),
        Action::Combine { why, .. } | Action::Refuse { why } | Action::Copy { why } => {
            Err(why.clone())
        }
        Action::Keep { model } => Err(format!("kept from {model}")),
    }
}
