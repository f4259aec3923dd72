//! Entries of a mapping by their keys: none is passed over.

use crate::recipe::nearest;
use crate::recipe::yaml::{Content, Key, Node, wrong};
use crate::{Error, Result, printable};

/// A mapping of which all keys are known.
pub(super) struct Fields<'n> {
    /// Line in which it begins.
    pub(super) line: usize,
    entries: &'n [(Key, Node)],
}

impl<'n> Fields<'n> {
    /// The entries of `node`, called `what` in errors; `refused` are keys with the reason why.
    pub(super) fn of(
        node: &'n Node,
        what: &str,
        known: &[&str],
        refused: &[(&str, &str)],
    ) -> Result<Self> {
        let Content::Map(entries) = &node.content else {
            return Err(wrong(node.line, format!("{what} must be a mapping of `KEY: VALUE`")));
        };
        for (key, value) in entries {
            if known.contains(&key.text.as_str()) {
                continue;
            }
            return Err(match refused.iter().find(|(name, _)| *name == key.text) {
                Some(_) if value.is_nothing() => continue,
                Some((name, why)) => wrong(key.line, format!("`{name}`: {why}")),
                None => {
                    nearest::unknown(key.line, "there is no key", &key.text, known.iter().copied())
                }
            });
        }
        Ok(Self { line: node.line, entries })
    }

    /// The key's value and line, unless it is missing or empty.
    pub(super) fn get(&self, name: &str) -> Option<&'n Node> {
        let (_, node) = self.entries.iter().find(|(key, _)| key.text == name)?;
        (!node.is_nothing()).then_some(node)
    }

    /// The key's text, if it is there.
    pub(super) fn text(&self, name: &str) -> Result<Option<&'n str>> {
        self.get(name).map(|node| node.text(name)).transpose()
    }

    /// The items of the key's list; none if it is missing.
    pub(super) fn list(&self, name: &str) -> Result<&'n [Node]> {
        match self.get(name) {
            None => Ok(&[]),
            Some(Node { content: Content::List(items), .. }) => Ok(items),
            Some(node) => Err(wrong(node.line, format!("`{name}` must be a list"))),
        }
    }

    /// The line of a key.
    pub(super) fn line_of(&self, name: &str) -> usize {
        let entry = self.entries.iter().find(|(key, _)| key.text == name);
        entry.map_or(self.line, |(key, _)| key.line)
    }
}

impl Node {
    /// Whether no value is given.
    pub(super) fn is_nothing(&self) -> bool {
        match &self.content {
            Content::Plain(text) => matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"),
            _ => false,
        }
    }

    /// The text that `what` is.
    pub(super) fn text(&self, what: &str) -> Result<&str> {
        match &self.content {
            Content::Plain(text) | Content::Quoted(text) if !self.is_nothing() => Ok(text),
            _ => Err(wrong(self.line, format!("`{what}` must be a text"))),
        }
    }

    /// The text in quotes or without, if it is one.
    pub(super) fn scalar(&self) -> Option<&str> {
        match &self.content {
            Content::Plain(text) | Content::Quoted(text) => Some(text),
            Content::List(_) | Content::Map(_) => None,
        }
    }

    /// One of some words.
    pub(super) fn choice<T: Copy>(&self, what: &str, words: &[(&str, T)]) -> Result<T> {
        let text = self.text(what)?;
        let word = words.iter().find(|(word, _)| *word == text);
        let names = words.iter().map(|(word, _)| *word);
        word.map(|(_, value)| *value)
            .ok_or_else(|| nearest::unknown(self.line, &format!("there is no {what}"), text, names))
    }
}

/// An error about a text that stands in that line.
pub(super) fn wrong_text(node: &Node, text: &str, why: &str) -> Error {
    wrong(node.line, format!("`{}` {why}", printable(text)))
}
