//! Aligned lines about tensors: how many of a pattern, dtype and shape, and what else there is.

use gramerge::checkpoint::pattern::Line;
use gramerge::printable;
use gramerge::tensor::Dtype;

/// What one line says.
pub(crate) struct Row {
    n: usize,
    name: String,
    kind: String,
    what: String,
}

impl Row {
    /// A row for a line of tensors of one dtype and shape.
    pub(crate) fn new(line: &Line, dtype: Dtype, shape: &[u64], what: String) -> Self {
        Self {
            n: line.tensors.len(),
            name: printable(&line.pattern),
            kind: format!("{} {shape:?}", dtype.name()),
            what,
        }
    }
}

/// Lines of one tensor each, where all are asked for.
pub(crate) fn unless_all<'a>(
    lines: Vec<Line>,
    is_all: bool,
    name: impl Fn(usize) -> &'a str,
) -> Vec<Line> {
    if !is_all {
        return lines;
    }
    let mut all: Vec<usize> = lines.into_iter().flat_map(|line| line.tensors).collect();
    all.sort_by(|a, b| gramerge::checkpoint::pattern::natural(name(*a), name(*b)));
    let one = |index: usize| Line { pattern: name(index).to_owned(), tensors: vec![index] };
    all.into_iter().map(one).collect()
}

/// Longer cells stand out of their columns, rather than move all others far to the right.
const MAX_CHARS: usize = 64;

/// Prints rows in columns, behind `indent`. There is no column of counts where all are 1.
pub(crate) fn print(rows: &[Row], indent: &str) {
    let digits = rows.iter().map(|row| row.n).max().filter(|n| *n > 1).map(|n| n.to_string().len());
    let names = width(rows.iter().map(|row| &row.name));
    let kinds = width(rows.iter().map(|row| &row.kind));
    for Row { n, name, kind, what } in rows {
        let count = match (digits, n) {
            (None, _) => String::new(),
            (Some(digits), 1) => format!("{:digits$}   ", ""),
            (Some(digits), n) => format!("{n:digits$} × "),
        };
        println!("{}", format!("{indent}{count}{name:names$}  {kind:kinds$}  {what}").trim_end());
    }
}

fn width<'a>(cells: impl Iterator<Item = &'a String>) -> usize {
    cells.map(|cell| cell.chars().count()).filter(|chars| *chars <= MAX_CHARS).max().unwrap_or(0)
}

/// The number with its noun: `1 tensor`, `2 tensors`.
pub(crate) fn counted(n: usize, one: &str) -> String {
    match n {
        1 => format!("1 {one}"),
        n => format!("{n} {one}s"),
    }
}
