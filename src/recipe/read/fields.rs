//! Entries of a mapping by their keys: none is passed over.

use crate::recipe::nearest;
use crate::recipe::yaml::{Content, Key, Node, Result, wrong};

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
            return Err(wrong(node.line, &format!("{what} must be a mapping of `KEY: VALUE`")));
        };
        for (key, value) in entries {
            if known.contains(&key.text.as_str()) {
                continue;
            }
            return Err(match refused.iter().find(|(name, _)| *name == key.text) {
                Some(_) if value.is_nothing() => continue,
                Some((name, why)) => wrong(key.line, &format!("`{name}`: {why}")),
                None => nearest::unknown(key.line, "there is no key", &key.text, known),
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
            Some(node) => Err(wrong(node.line, &format!("`{name}` must be a list"))),
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
            _ => Err(wrong(self.line, &format!("`{what}` must be a text"))),
        }
    }

    /// The text in quotes or without, which must be `what`.
    pub(super) fn scalar(&self, name: &str, what: &str) -> Result<&str> {
        match &self.content {
            Content::Plain(text) | Content::Quoted(text) => Ok(text),
            Content::List(_) | Content::Map(_) => {
                Err(wrong(self.line, &format!("`{name}` must be {what} here")))
            }
        }
    }

    /// Whether it is a mapping.
    pub(super) fn is_map(&self) -> bool {
        matches!(self.content, Content::Map(_))
    }

    /// The place of the text among some words.
    pub(super) fn choice(&self, what: &str, words: &[&str]) -> Result<usize> {
        let text = self.text(what)?;
        let place = words.iter().position(|word| *word == text);
        let lacks = || nearest::unknown(self.line, &format!("there is no {what}"), text, words);
        place.ok_or_else(lacks)
    }
}
