//! What is asked for: models and settings as they were typed, or as a recipe says.

use std::path::{Path, PathBuf};

use gramerge::checkpoint::Models;
use gramerge::io::Source;
use gramerge::recipe::{Layers, Options, Recipe, read};
use gramerge::{Error, Result, printable};

use crate::args::{Inputs, Settings};

/// Endings of a recipe's name.
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];
/// Ending of an index of shards, which stands for a model.
const INDEX_SUFFIX: &str = ".index.json";
/// Length that no recipe has, in bytes.
const MAX_BYTES: u64 = 2 << 20;

/// Files and settings of a merge.
pub(crate) struct Asked {
    pub(crate) inputs: Inputs,
    pub(crate) options: Options,
    /// Layers that a recipe's slices cover, where it has slices.
    recipe: Option<Recipe>,
}

impl Asked {
    /// Refuses slices that end before the models do.
    pub(crate) fn check_layers<S: Source>(&self, models: &Models<S>) -> Result<()> {
        let Some(recipe) = &self.recipe else { return Ok(()) };
        let names = models.list.iter().flat_map(gramerge::checkpoint::Model::names);
        recipe.check_layers(Layers::of(names).n)
    }
}

/// Takes a command line's words, or reads the recipe that they name.
pub(crate) fn asked(inputs: &Inputs, settings: &Settings) -> Result<Asked> {
    match &inputs.models[..] {
        [path] if is_recipe(path) => of_recipe(path, inputs, settings),
        models => match models.iter().find(|path| is_recipe(path)) {
            Some(path) => Err(Error::usage("a recipe stands for all models")
                .file(path.display().to_string())
                .advice("give it alone")),
            None => {
                let options = settings.options(inputs)?;
                Ok(Asked { inputs: inputs.clone(), options, recipe: None })
            }
        },
    }
}

fn is_recipe(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let is_index = path.as_os_str().as_encoded_bytes().ends_with(INDEX_SUFFIX.as_bytes());
    ENDINGS.contains(&ending) && !is_index && !path.is_dir()
}

fn of_recipe(path: &Path, inputs: &Inputs, settings: &Settings) -> Result<Asked> {
    let shown = path.display().to_string();
    let beside = settings.beside_recipe().or((!inputs.gram.is_empty()).then_some("--gram"));
    if let Some(word) = beside.or(inputs.base.is_some().then_some("--base")) {
        let what = format!("{word} stands beside a recipe, which says that itself");
        return Err(Error::usage(what).file(&shown).advice("write it into the recipe"));
    }
    let recipe = read(&text(path, &shown)?).map_err(|error| error.file(&shown))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let models: Vec<PathBuf> = recipe.models.iter().map(|own| folder.join(&own.path)).collect();
    let gram = grams(&recipe, folder).map_err(|error| error.file(&shown))?;
    let base = recipe.base.as_ref().map(|base| folder.join(base));
    let options = settings.over_recipe(recipe.options());
    Ok(Asked { inputs: Inputs { models, gram, base }, options, recipe: Some(recipe) })
}

fn text(path: &Path, shown: &str) -> Result<Vec<u8>> {
    let failed = |error: std::io::Error| Error::io(error.to_string()).file(shown);
    let n_bytes = std::fs::metadata(path).map_err(failed)?.len();
    if n_bytes > MAX_BYTES {
        return Err(Error::input("it is too long for a recipe").file(shown));
    }
    std::fs::read(path).map_err(failed)
}

/// Every model's Gram file, or none.
fn grams(recipe: &Recipe, folder: &Path) -> Result<Vec<PathBuf>> {
    let grams = recipe.models.iter().filter_map(|model| model.gram.as_ref());
    let grams: Vec<PathBuf> = grams.map(|gram| folder.join(gram)).collect();
    match recipe.models.iter().find(|model| model.gram.is_none()) {
        Some(model) if !grams.is_empty() => Err(Error::input(format!(
            "`{}` has no `gram`, and other models have one",
            printable(&model.path)
        ))
        .advice("give one for every model, or for none")),
        _ => Ok(grams),
    }
}
