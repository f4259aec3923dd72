//! YAML as a tree whose nodes know their lines: what recipes are written in, JSON among it.
//!
//! The part of YAML 1.2 that such files use: mappings and lists by indentation or in brackets, plain
//! and quoted text on one line, comments. All else (anchors, aliases, tags, block text, text that
//! goes on in the next line, several documents) is refused by its line and never guessed at, so what is
//! read means the same to every parser. Whole parsers make the page larger than it may be. Words are
//! not interpreted here: `on` and `0.5` are text.
//!
//! - `block`: mappings and lists by indentation.
//! - `flow`: lists and mappings in brackets.
//! - `scalar`: plain and quoted text.

mod block;
mod flow;
mod scalar;
#[cfg(test)]
mod tests;

use crate::{Error, printable};

/// An error travels through many small functions: as one word, code is much smaller.
pub(super) type Result<T> = std::result::Result<T, Box<Error>>;

/// Text beyond which a file is no recipe, in bytes.
const MAX_BYTES: usize = 1 << 20;
/// Nodes beyond which a file is no recipe.
const MAX_NODES: usize = 10_000;
/// Mappings and lists inside one another.
const MAX_DEPTH: usize = 32;

/// A value and where it begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    /// Line, from 1.
    pub(super) line: usize,
    /// The value.
    pub(super) content: Content,
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Content {
    /// Text without quotes: a word, a number, or nothing.
    Plain(String),
    /// Text in quotes.
    Quoted(String),
    /// Values in order.
    List(Vec<Node>),
    /// Keys, each once, with their values.
    Map(Vec<(Key, Node)>),
}

/// A key and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Key {
    /// Line, from 1.
    pub(super) line: usize,
    /// The key, without quotes.
    pub(super) text: String,
}

/// An error in that line.
#[cold]
#[inline(never)]
pub(super) fn wrong(line: usize, what: &str) -> Box<Error> {
    Box::new(Error::input(format!("line {line}: {what}")))
}

/// An error in that line with advice.
#[cold]
#[inline(never)]
pub(super) fn wrong_so(line: usize, what: &str, advice: &str) -> Box<Error> {
    Box::new(wrong(line, what).advice(advice))
}

/// An error about a text that stands in that line.
#[cold]
#[inline(never)]
pub(super) fn wrong_text(line: usize, text: &str, why: &str) -> Box<Error> {
    wrong(line, &format!("`{}` {why}", printable(text)))
}

/// Reads a text whole.
///
/// # Errors
/// `Input` with the line, if it is not such a text or larger than any recipe.
pub(super) fn parse(bytes: &[u8]) -> Result<Node> {
    if bytes.len() > MAX_BYTES {
        let what = format!("{} bytes are too many for a recipe", bytes.len());
        return Err(Box::new(Error::input(what)));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = 1 + bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
        wrong(line, "this is not UTF-8 text")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader =
        Reader { text, at: 0, line: 1, line_start: 0, margin: 0, depth: 0, n_nodes: 0 };
    reader.check_characters()?;
    reader.document()
}

/// A place in a text.
struct Reader<'t> {
    text: &'t str,
    at: usize,
    line: usize,
    line_start: usize,
    /// Column that lines in brackets must reach.
    margin: usize,
    depth: usize,
    n_nodes: usize,
}

impl Reader<'_> {
    /// Characters that YAML's versions disagree on, and such that hide.
    fn check_characters(&self) -> Result<()> {
        let mut line = 1;
        let mut chars = self.text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '\n' => line += 1,
                '\t' => {}
                '\r' if chars.peek() == Some(&'\n') => {}
                '\u{2028}' | '\u{2029}' | '\u{feff}' => return Err(strange(line, c)),
                c if c.is_control() => return Err(strange(line, c)),
                _ => {}
            }
        }
        Ok(())
    }

    fn wrong(&self, what: &str) -> Box<Error> {
        wrong(self.line, what)
    }

    /// What stands here and is not expected.
    fn unexpected(&self) -> Box<Error> {
        match self.text[self.at..].split_whitespace().next() {
            Some(word) => wrong_text(self.line, word, "is not expected here"),
            None => self.wrong("the text ends too early"),
        }
    }

    fn node(&mut self, line: usize, content: Content) -> Result<Node> {
        self.n_nodes += 1;
        match self.n_nodes > MAX_NODES {
            true => Err(wrong(line, &format!("a recipe has at most {MAX_NODES} values"))),
            false => Ok(Node { line, content }),
        }
    }

    fn nothing(&mut self, line: usize) -> Result<Node> {
        self.node(line, Content::Plain(String::new()))
    }

    /// One step deeper for as long as `inner` runs.
    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let what = format!("lists and mappings lie more than {MAX_DEPTH} deep in one another");
            return Err(self.wrong(&what));
        }
        let found = inner(self);
        self.depth -= 1;
        found
    }

    fn peek(&self) -> Option<u8> {
        self.byte(self.at)
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// Nothing, or the end of a line.
    fn is_line_end(&self, at: usize) -> bool {
        matches!(self.byte(at), None | Some(b'\n' | b'\r'))
    }

    fn is_blank(&self, at: usize) -> bool {
        self.is_line_end(at) || matches!(self.byte(at), Some(b' ' | b'\t'))
    }

    /// Bytes from the line's begin; indentation is made of spaces.
    fn column(&self) -> usize {
        self.at - self.line_start
    }

    fn skip_spaces(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    /// Skips what means nothing, comments included, over as many lines as it takes.
    fn skip_blank(&mut self) {
        loop {
            self.skip_spaces();
            let is_after_space = self.at == self.line_start || self.is_blank(self.at - 1);
            match self.peek() {
                Some(b'#') if is_after_space => {
                    while !self.is_line_end(self.at) {
                        self.at += 1;
                    }
                }
                Some(b'\r') => self.at += 1,
                Some(b'\n') => {
                    self.at += 1;
                    self.line += 1;
                    self.line_start = self.at;
                }
                _ => return,
            }
        }
    }

    /// Skips the rest of a line in which no more may stand.
    fn end_line(&mut self) -> Result<()> {
        let line = self.line;
        self.skip_blank();
        match self.peek() {
            Some(_) if self.line == line => Err(self.unexpected()),
            _ => Ok(()),
        }
    }
}

fn strange(line: usize, c: char) -> Box<Error> {
    wrong(line, &format!("the character `{}` cannot stand in a recipe", c.escape_default()))
}
