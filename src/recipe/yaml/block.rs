//! Mappings and lists by indentation.

use super::{Content, Key, Node, Reader, Result, wrong, wrong_so, wrong_text};

impl Reader<'_> {
    /// The only document of the text.
    pub(super) fn document(&mut self) -> Result<Node> {
        self.skip_blank();
        if self.is_marker("---") {
            self.at += 3;
            self.end_line()?;
        }
        let node = match self.is_over() {
            true => self.nothing(self.line)?,
            false => self.block()?,
        };
        if self.is_marker("...") {
            self.at += 3;
            self.end_line()?;
        }
        match self.peek() {
            None => Ok(node),
            Some(_) if self.is_marker("---") => Err(self.wrong("a second document begins")),
            Some(_) => Err(self.unexpected()),
        }
    }

    /// The end, or a line between documents.
    fn is_over(&self) -> bool {
        self.peek().is_none() || self.is_marker("---") || self.is_marker("...")
    }

    pub(super) fn is_marker(&self, marker: &str) -> bool {
        let is_there = self.column() == 0 && self.text[self.at..].starts_with(marker);
        is_there && self.is_blank(self.at + marker.len())
    }

    /// Whether an entry of a list begins here.
    fn is_dash(&self) -> bool {
        self.peek() == Some(b'-') && self.is_blank(self.at + 1)
    }

    /// The value that begins here, at its own indentation.
    fn block(&mut self) -> Result<Node> {
        self.check_indentation()?;
        let (at, column) = (self.at, self.column());
        if self.is_dash() {
            return self.nested(|reader| reader.within(column, Self::list));
        }
        if let Some(key) = self.key()? {
            return self.nested(|reader| reader.within(column, |r| r.map(key, column)));
        }
        self.at = at;
        self.inline()
    }

    /// Runs `inner` for what lies at `column`.
    fn within<T>(&mut self, column: usize, inner: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.margin, column + 1);
        let found = inner(self);
        self.margin = outer;
        found
    }

    pub(super) fn check_indentation(&self) -> Result<()> {
        self.check_spaces(self.line_start)
    }

    /// Tabs before a value, from `start` on, are read differently by different parsers.
    pub(super) fn check_spaces(&self, start: usize) -> Result<()> {
        match self.text[start..self.at].contains('\t') {
            true => Err(wrong_so(self.line, "a tab stands where spaces must", "use spaces")),
            false => Ok(()),
        }
    }

    /// A value that ends with its line, unless it is in brackets.
    fn inline(&mut self) -> Result<Node> {
        let node = match self.peek() {
            Some(b'[' | b'{') => self.flow()?,
            _ => {
                let line = self.line;
                let content = self.scalar(false)?;
                self.node(line, content)?
            }
        };
        if self.peek() == Some(b':') && self.is_blank(self.at + 1) {
            let what = "a mapping cannot begin within a line that is one already";
            return Err(wrong_so(self.line, what, "put text that holds `: ` in quotes"));
        }
        self.end_line()?;
        Ok(node)
    }

    /// `KEY:`, if this is one.
    fn key(&mut self) -> Result<Option<Key>> {
        if matches!(self.peek(), Some(b'[' | b'{')) {
            return Ok(None);
        }
        let line = self.line;
        let (Content::Plain(text) | Content::Quoted(text)) = self.scalar(false)? else {
            return Ok(None);
        };
        self.skip_spaces();
        if self.peek() != Some(b':') || !self.is_blank(self.at + 1) {
            return Ok(None);
        }
        self.at += 1;
        Ok(Some(Key { line, text }))
    }

    /// A mapping at `column`, whose first key has been read.
    fn map(&mut self, first: Key, column: usize) -> Result<Node> {
        let line = first.line;
        let mut entries = Vec::new();
        let mut key = first;
        loop {
            let value = self.value(column, key.line)?;
            add(&mut entries, key, value)?;
            if !self.goes_on(column)? {
                break;
            }
            let line = self.line;
            let missing = || wrong(line, "`KEY: VALUE` is expected here");
            key = self.key()?.ok_or_else(missing)?;
        }
        self.node(line, Content::Map(entries))
    }

    /// The value of a key at `column`: on its line, or below it.
    fn value(&mut self, column: usize, line: usize) -> Result<Node> {
        let start = self.at;
        self.skip_blank();
        if self.line == line && self.peek().is_some() {
            self.check_spaces(start)?;
            return self.inline();
        }
        let here = self.column();
        match here > column || (here == column && self.is_dash()) {
            true if !self.is_over() => self.block(),
            _ => self.nothing(line),
        }
    }

    fn list(&mut self) -> Result<Node> {
        let (line, column) = (self.line, self.column());
        let mut items = Vec::new();
        loop {
            let line = self.line;
            self.at += 1;
            self.skip_blank();
            items.push(match self.column() > column && !self.is_over() {
                true => self.block()?,
                false => self.nothing(line)?,
            });
            if !self.goes_on(column)? || !self.is_dash() {
                break;
            }
        }
        self.node(line, Content::List(items))
    }

    /// Whether the next line belongs to the same mapping or list.
    fn goes_on(&self, column: usize) -> Result<bool> {
        if self.is_over() || self.column() < column {
            return Ok(false);
        }
        self.check_indentation()?;
        match self.column() == column {
            true => Ok(true),
            false => {
                let what = "this line is indented further than what it follows";
                Err(wrong_so(self.line, what, "indent entries alike, and write a text in one line"))
            }
        }
    }
}

/// Adds an entry to a mapping.
pub(super) fn add(entries: &mut Vec<(Key, Node)>, key: Key, value: Node) -> Result<()> {
    match entries.iter().find(|(other, _)| other.text == key.text) {
        Some((other, _)) => {
            let why = format!("stands in line {} already", other.line);
            Err(wrong_text(key.line, &key.text, &why))
        }
        None => {
            entries.push((key, value));
            Ok(())
        }
    }
}
