//! The table of methods as text, for terminals and for `METHODS.md`.

use std::fmt::Write;

use super::TABLE;
use super::spec::{Base, Coefficients, Param, Spec, Statistic};

impl Spec {
    /// Everything that is known of the method, in Markdown.
    pub fn document(&self) -> String {
        let mut text = format!("## {} (`{}`)\n\n", self.title, self.name);
        let mut line = |words: String| {
            let _in_memory = writeln!(text, "{words}\n");
        };
        line(format!("    {}", self.formula));
        line(self.about.to_owned());
        line(format!("{}. Source: {}.", self.needs(), self.paper));
        if !self.aliases.is_empty() {
            line(format!("Other names: {}.", self.aliases.join(", ")));
        }
        if !self.params.is_empty() {
            let rows: Vec<String> = self.params.iter().map(row).collect();
            let head = "| setting | values | default | |\n|---|---|---|---|";
            line(format!("{head}\n{}", rows.join("\n")));
        }
        text.trim_end().to_owned() + "\n"
    }

    /// What must be given, in words.
    pub fn needs(&self) -> String {
        let models = match (self.min_models, self.max_models) {
            (1, _) => "one model or more".to_owned(),
            (2, Some(2)) => "two models".to_owned(),
            (n, None) => format!("{n} models or more"),
            (n, Some(most)) => format!("{n} to {most} models"),
        };
        let base = match self.base {
            Base::None => "",
            Base::Needed => ", and the base that they were fine-tuned from",
            Base::FirstModel => "; a base that is given counts as the first",
        };
        let grams = match self.statistics {
            [] => "",
            [Statistic::Gram, ..] => ", each with a Gram file",
        };
        let coefficients = match self.coefficients {
            Coefficients::Shares => "only ratios of coefficients count",
            Coefficients::Factors => "coefficients are factors, of either sign",
            Coefficients::SharesUnlessOff => {
                "only ratios of coefficients count, unless `normalize` is off"
            }
            Coefficients::Unused => "no coefficients",
        };
        format!("Takes {models}{base}{grams}; {coefficients}")
    }
}

fn row(param: &Param) -> String {
    let whose = if param.per_model { ", for each model" } else { "" };
    let default = match param.default {
        None => "must be given".to_owned(),
        Some(value) => param.kind.shown(value),
    };
    let values = param.kind.in_words();
    format!("| `{}` | {values}{whose} | {default} | {} |", param.name, param.help)
}

/// All methods: what `METHODS.md` holds.
pub fn document() -> String {
    let head = "# Methods\n\nThe ways to combine models, as `gramerge methods` tells of them. W_i are the \
                models' weights, B the base's, δ_i = W_i − B, w_i the coefficients (`--coefficients`, in \
                recipes `weight`). Settings are given as `--set KEY=VALUE`.\n";
    let all: Vec<String> = TABLE.iter().map(Spec::document).collect();
    format!("{head}\n{}", all.join("\n"))
}
