//! Gram files: their headers, their metadata, and plans that are made with them.

use gramerge::format::{GramFile, GramLayout, TensorFile, read_header};
use gramerge::plan::Action;
use gramerge::plan::Plan;
use gramerge::recipe::Options;
use pollster::block_on;

use crate::case::Case;
use crate::common::Memory;
use crate::damage;
use crate::drafts;
use crate::hunt::{Target, Verdict};
use crate::json::Node;
use crate::merges::opened;
use crate::planted::Fault;
use crate::random::Random;

pub(crate) const TARGET: Target = Target { name: "grams", make, check, n_runs: 6_000 };

fn make(random: &mut Random) -> Case {
    let mut models = drafts::models(random);
    for _ in 0..random.below(3) {
        drafts::damage(&mut models, random);
    }
    let keys = ["rows", "aliases"];
    for _ in 0..random.below(3) {
        let metadata = &mut random_of(&mut models, random).metadata;
        let key = *random.pick(&keys);
        let mut node = Node::parse(metadata.get(key).map_or("{}", String::as_str));
        node.damage(random);
        metadata.insert(key.into(), node.to_string());
    }
    let mut files = drafts::files(&models);
    for file in files.iter_mut().filter(|file| file.name.contains("gram")) {
        if random.once_in(4) {
            damage::tensor_file(&mut file.bytes, random);
        }
    }
    Case::new("grams", Vec::new(), files)
}

fn random_of<'a, T>(items: &'a mut [T], random: &mut Random) -> &'a mut T {
    &mut items[random.below(items.len())]
}

fn check(case: &Case, fault: Option<Fault>) -> Verdict {
    for file in case.files.iter().filter(|file| file.name.contains("gram")) {
        let memory = Memory::new(&file.name, file.bytes.clone());
        let Ok(header) = block_on(read_header(&memory)) else { continue };
        match GramFile::new(&header) {
            Ok(gram) => understood(&gram, fault)?,
            Err(error) => sentence(&error)?,
        }
    }
    match block_on(opened(case)) {
        Ok(models) => match Plan::make(&models, &Options::default()) {
            Ok(plan) => planned(&plan, &models),
            Err(error) => sentence(&error),
        },
        Err(error) => sentence(&error),
    }
}

/// A refusal is one sentence, about an input or a setting.
pub(crate) fn sentence(error: &gramerge::Error) -> Verdict {
    use gramerge::ErrorKind::{Input, Io, Numeric, Usage};
    let text = error.to_string();
    let is_kind = matches!(error.kind, Input | Io | Numeric | Usage);
    match is_kind && !text.contains(char::is_control) && text.chars().count() < 1000 {
        true => Ok(()),
        false => Err(format!("a bad error, {:?}: {text:?}", error.kind)),
    }
}

fn understood(gram: &GramFile, fault: Option<Fault>) -> Verdict {
    for (name, entry) in &gram.entries {
        if fault == Some(Fault::SingleFeature) && entry.layout == GramLayout::Packed {
            assert!(entry.n > 1, "one feature, as planted");
        }
        let rows_are_sane = entry.rows.is_none_or(|rows| rows.is_finite() && rows >= 0.0);
        if entry.n == 0 || !rows_are_sane {
            return Err(format!("{name:?} has {} inputs and {:?} rows", entry.n, entry.rows));
        }
    }
    match gram.aliases.iter().find(|(_, target)| !gram.entries.contains_key(*target)) {
        None => Ok(()),
        Some(lost) => Err(format!("an alias leads nowhere: {lost:?}")),
    }
}

/// Checks that every regressed weight has a Gram matrix of its size in every model; every other Gram matrix is told.
fn planned(plan: &Plan, models: &gramerge::checkpoint::Models<Memory>) -> Verdict {
    let mut used = vec![Vec::new(); models.list.len()];
    for (index, tensor) in plan.tensors.iter().enumerate() {
        let Action::Regress { group, .. } = tensor.action else { continue };
        let Some(group) = plan.groups.get(group).filter(|group| group.tensors.contains(&index))
        else {
            return Err(format!("`{}` is in no group", tensor.name));
        };
        for (model, key) in group.gram_names.iter().enumerate() {
            used[model].push(key.clone());
            let grams = models.list[model].gram();
            let entry =
                grams.and_then(|gram| gram.entries.values().find(|entry| entry.key == *key));
            if entry.is_none_or(|entry| entry.n != group.n_in || !tensor.shape.contains(&entry.n)) {
                return Err(format!("`{}` has no Gram matrix of its size", tensor.name));
            }
        }
    }
    for (index, model) in models.list.iter().enumerate() {
        for entry in model.gram().into_iter().flat_map(|gram| gram.entries.values()) {
            let is_told =
                plan.unmatched_grams.iter().any(|g| g.model == index && g.name == entry.key);
            let is_refused = plan.counts().refuse > 0;
            // A weight that not all models cover is averaged, one of integers is copied; both say why.
            let is_partly = plan.tensors.iter().any(|tensor| {
                let is_said = match &tensor.action {
                    Action::Combine { .. } => true,
                    Action::Copy { why } => why.contains("Gram matrix"),
                    Action::Regress { .. } | Action::Keep { .. } | Action::Refuse { .. } => false,
                };
                is_said && model.gram_entry(&tensor.name) == Some(entry)
            });
            if !(is_told || is_refused || is_partly || used[index].contains(&entry.key)) {
                return Err(format!("nothing is said of the Gram matrix `{}`", entry.key));
            }
        }
    }
    Ok(())
}

/// Opens a file of a case.
pub(crate) async fn open(name: &str, bytes: &[u8]) -> gramerge::Result<TensorFile<Memory>> {
    TensorFile::open(Memory::new(name, bytes.to_vec())).await
}
