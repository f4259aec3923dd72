//! Lists and mappings in brackets, JSON's among them.

use super::block::add;
use super::{Content, Key, Node, Reader, Result};

impl Reader<'_> {
    /// What begins with a bracket here.
    pub(super) fn flow(&mut self) -> Result<Node> {
        match self.peek() {
            Some(b'[') => self.nested(Self::flow_list),
            _ => self.nested(Self::flow_map),
        }
    }

    fn flow_value(&mut self) -> Result<Node> {
        if let Some(b'[' | b'{') = self.peek() {
            return self.flow();
        }
        let line = self.line;
        let content = self.scalar(true)?;
        self.node(line, content)
    }

    fn flow_list(&mut self) -> Result<Node> {
        let line = self.line;
        let mut items = Vec::new();
        self.open()?;
        while self.peek() != Some(b']') {
            items.push(self.flow_value()?);
            self.separate(b']')?;
        }
        self.at += 1;
        self.node(line, Content::List(items))
    }

    fn flow_map(&mut self) -> Result<Node> {
        let line = self.line;
        let mut entries = Vec::new();
        self.open()?;
        while self.peek() != Some(b'}') {
            let key = self.flow_key()?;
            let is_empty = matches!(self.peek(), Some(b',' | b'}'));
            let value = if is_empty { self.nothing(key.line)? } else { self.flow_value()? };
            add(&mut entries, key, value)?;
            self.separate(b'}')?;
        }
        self.at += 1;
        self.node(line, Content::Map(entries))
    }

    /// A key with its colon, which may touch the value behind a key in quotes.
    fn flow_key(&mut self) -> Result<Key> {
        let line = self.line;
        let (text, is_quoted) = match self.scalar(true)? {
            Content::Quoted(text) => (text, true),
            Content::Plain(text) => (text, false),
            Content::List(_) | Content::Map(_) => return Err(self.unexpected()),
        };
        self.skip_blank();
        let is_colon = self.peek() == Some(b':') && self.line == line;
        if !is_colon || !(is_quoted || self.is_blank(self.at + 1)) {
            let advice = "each key in braces needs a `: ` and a value";
            return Err(Box::new(self.unexpected().advice(advice)));
        }
        self.at += 1;
        let start = self.at;
        self.skip_flow()?;
        self.check_spaces(start)?;
        Ok(Key { line, text })
    }

    /// The bracket and what means nothing behind it.
    fn open(&mut self) -> Result<()> {
        self.at += 1;
        self.skip_flow()
    }

    /// A comma, unless the list or mapping ends.
    fn separate(&mut self, end: u8) -> Result<()> {
        self.skip_flow()?;
        match self.peek() {
            Some(b',') => self.open(),
            Some(byte) if byte == end => Ok(()),
            _ => Err(self.unexpected()),
        }
    }

    fn skip_flow(&mut self) -> Result<()> {
        let line = self.line;
        self.skip_blank();
        let is_end = matches!(self.peek(), Some(b']' | b'}') | None);
        if self.is_marker("---") || self.is_marker("...") {
            return Err(self.unexpected());
        }
        if self.line == line || self.margin == 0 {
            return Ok(());
        }
        self.check_indentation()?;
        match self.column() < self.margin && !is_end {
            true => Err(self.wrong("this line in brackets is indented too little")),
            false => Ok(()),
        }
    }
}
