//! What may be typed.

use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use gramerge::methods::{self, Base, Spec, regmean};
use gramerge::recipe::{Device, Keep, Options, Precision};
use gramerge::tensor::Dtype;
use gramerge::{Error, printable};

/// Merge fine-tuned checkpoints by RegMean, without their training data.
#[derive(Debug, Parser)]
#[command(
    version,
    about,
    after_help = "Exit codes: 0 done, 1 refused input, 2 usage, 128 + n ended by signal n."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// A PATH is a .safetensors file, a *.safetensors.index.json, or a folder of either.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Say what is in files, from their headers alone
    Inspect(Inspect),
    /// Say what a merge would do to every tensor, from headers alone
    Plan(Plan),
    /// Merge two or more models into one
    Merge(Merge),
    /// Check a merged file against its inputs; exit 1 if a tensor is out of bound
    Verify(Verify),
    /// Say which methods there are, or all about one of them
    Methods(Methods),
    /// Print a script that completes commands and options in a shell
    Completions(Completions),
}

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// Files and folders
    #[arg(required = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,
    /// List every tensor on a line of its own, rather than numbered ones together
    #[arg(long)]
    pub(crate) all: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Plan {
    #[command(flatten)]
    pub(crate) inputs: Inputs,
    #[command(flatten)]
    pub(crate) settings: Settings,
    /// List every tensor on a line of its own, rather than numbered ones together
    #[arg(long)]
    pub(crate) all: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Merge {
    #[command(flatten)]
    pub(crate) inputs: Inputs,
    /// The merged file; or a folder (existing and empty, or written with a slash behind it) for the
    /// model with its configuration and tokenizer
    #[arg(short = 'o', long = "output", value_name = "OUT", value_hint = ValueHint::AnyPath)]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) settings: Settings,
    /// Write shards of at most so much, with an index, into the folder OUT
    #[arg(long, value_name = "5GB")]
    pub(crate) shard_size: Option<String>,
    /// Pass configuration and tokenizer files through from model N; 0 for none
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) files_from: usize,
    /// Write a report of every tensor
    #[arg(long, value_name = "FILE.json", value_hint = ValueHint::FilePath)]
    pub(crate) report: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Overwrite the output and the report if they exist and are regular files
    #[arg(long)]
    pub(crate) force: bool,
    /// Threads; each needs the memory that `plan` states
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<std::num::NonZeroUsize>,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The merged file
    #[arg(value_name = "OUT", value_hint = ValueHint::AnyPath)]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
    #[command(flatten)]
    pub(crate) settings: Settings,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Methods {
    /// One method
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Print all of it as Markdown
    #[arg(long, conflicts_with_all = ["json", "name"])]
    pub(crate) markdown: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// Shell that is to read the script
    pub(crate) shell: Shell,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Inputs {
    /// Models, in order; or one recipe (.yaml, .json), which names models and settings
    #[arg(required = true, value_name = "MODEL", value_hint = ValueHint::AnyPath)]
    pub(crate) models: Vec<PathBuf>,
    /// Gram files, one per model, in the same order
    #[arg(long, num_args = 1.., value_name = "GRAM", value_hint = ValueHint::FilePath)]
    pub(crate) gram: Vec<PathBuf>,
    /// The model that all others were fine-tuned from, for methods that start from it
    #[arg(long, value_name = "PATH")]
    pub(crate) base: Option<PathBuf>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Settings {
    /// How models are combined; `gramerge methods` tells more (default: regmean with --gram)
    #[arg(long, value_name = "NAME", value_parser = method())]
    method: Option<String>,
    /// Settings of the method, such as density=0.5 or seed=7; `gramerge methods NAME` lists them
    #[arg(long, num_args = 1.., value_name = "KEY=VALUE", value_parser = setting)]
    set: Vec<(String, f64)>,
    /// Short for --set alpha=…: scale of what lies off the Gram matrices' diagonals
    #[arg(long, value_name = "0..1")]
    alpha: Option<f64>,
    /// Weight of each model, for example 1,2
    #[arg(long, value_delimiter = ',', value_name = "C,C")]
    coefficients: Vec<f64>,
    /// Average tensors whose name matches
    #[arg(long, num_args = 1.., value_name = "REGEX")]
    exclude: Vec<String>,
    /// Take matching tensors from model N as they are
    #[arg(long, num_args = 1.., value_name = "REGEX=N", value_parser = keep)]
    keep: Vec<Keep>,
    /// Output dtype of merged tensors (default: their own)
    #[arg(long, value_enum)]
    dtype: Option<DtypeArg>,
    /// Where the arithmetic runs (default: auto)
    #[arg(long, value_enum)]
    device: Option<DeviceArg>,
    /// auto (the default): 1e-6 on every tensor; fast: f32 only; exact: f64 throughout
    #[arg(long, value_enum)]
    precision: Option<PrecisionArg>,
}

impl Settings {
    /// The settings of a merge of these inputs.
    ///
    /// # Errors
    /// `Usage` if no method is given and none can be told.
    pub(crate) fn options(&self, inputs: &Inputs) -> gramerge::Result<Options> {
        let method = match (&self.method, inputs.gram.is_empty()) {
            (Some(name), _) => name.as_str(),
            (None, false) => regmean::SPEC.name,
            (None, true) => return Err(no_method(inputs)),
        };
        // A name, not one of its aliases, goes into reports.
        let method = methods::find(method).map_or(method, |spec| spec.name);
        let mut options = Options {
            coefficients: self.coefficients.clone(),
            exclude: self.exclude.clone(),
            keep: self.keep.clone(),
            dtype: self.dtype.map(Into::into),
            device: self.device.map_or_else(Device::default, Into::into),
            precision: self.precision.map_or_else(Precision::default, Into::into),
            ..Options::of(method)
        };
        let alpha = self.alpha.map(|alpha| (regmean::ALPHA.name.to_owned(), alpha));
        for (key, value) in self.set.iter().cloned().chain(alpha) {
            options = options.with(&key, value);
        }
        Ok(options)
    }
}

impl Settings {
    /// What a recipe says, and no word beside it.
    pub(crate) fn beside_recipe(&self) -> Option<&'static str> {
        let given = [
            (self.method.is_some(), "--method"),
            (!self.set.is_empty(), "--set"),
            (self.alpha.is_some(), "--alpha"),
            (!self.coefficients.is_empty(), "--coefficients"),
            (!self.exclude.is_empty(), "--exclude"),
            (!self.keep.is_empty(), "--keep"),
            (self.dtype.is_some(), "--dtype"),
        ];
        given.into_iter().find_map(|(is_given, name)| is_given.then_some(name))
    }

    /// What may be chosen anew beside a recipe.
    pub(crate) fn over_recipe(&self, options: Options) -> Options {
        Options {
            device: self.device.map_or(options.device, Into::into),
            precision: self.precision.map_or(options.precision, Into::into),
            ..options
        }
    }
}

/// The choices of who has no Gram file.
fn no_method(inputs: &Inputs) -> Error {
    let base = if inputs.base.is_some() { "" } else { " (with --base)" };
    let choices: Vec<String> = methods::TABLE
        .iter()
        .filter(|spec| spec.statistics.is_empty())
        .map(|spec| match spec.base {
            Base::Needed => format!("{}{base}", spec.name),
            Base::None | Base::FirstModel => spec.name.to_owned(),
        })
        .collect();
    Error::usage("there is no Gram file, and no --method says how to merge without one")
        .advice(format!("give --gram for RegMean, or --method and one of {}", choices.join(", ")))
}

/// Every name of a method.
fn method() -> clap::builder::PossibleValuesParser {
    let value = |spec: &Spec| {
        PossibleValue::new(spec.name).aliases(spec.aliases.iter().copied()).help(spec.title)
    };
    methods::TABLE.iter().map(value).collect::<Vec<_>>().into()
}

/// `KEY=VALUE`, a number or true or false.
fn setting(text: &str) -> Result<(String, f64), String> {
    let wrong = || format!("`{}` is not KEY=VALUE with a number, true or false", printable(text));
    let (key, value) = text.split_once('=').ok_or_else(wrong)?;
    let value = match value {
        "true" => 1.0,
        "false" => 0.0,
        number => number.parse().map_err(|_| wrong())?,
    };
    Ok((key.into(), value))
}

/// `REGEX=N`, N counting from 1. The last `=` separates, since a pattern may hold one.
fn keep(text: &str) -> Result<Keep, String> {
    let wrong = || format!("`{}` is not REGEX=N with N counting models from 1", printable(text));
    let (pattern, model) = text.rsplit_once('=').ok_or_else(wrong)?;
    let model: usize = model.parse().map_err(|_| wrong())?;
    let model = model.checked_sub(1).ok_or_else(wrong)?;
    Ok(Keep { pattern: pattern.into(), model })
}

/// Declares a choice of words for an enum of the core.
macro_rules! choice {
    ($arg:ident, $core:ty, $($word:ident => $value:expr),+) => {
        #[derive(Debug, Clone, Copy, ValueEnum)]
        enum $arg { $($word),+ }

        impl From<$arg> for $core {
            fn from(arg: $arg) -> Self {
                match arg { $($arg::$word => $value),+ }
            }
        }
    };
}
choice!(DeviceArg, Device, Auto => Self::Auto, Cpu => Self::Cpu, Gpu => Self::Gpu);
choice!(PrecisionArg, Precision,
    Auto => Self::Auto, Fast => Self::Fast, Exact => Self::Exact);
choice!(DtypeArg, Dtype, F32 => Self::F32, F16 => Self::F16, Bf16 => Self::BF16);
