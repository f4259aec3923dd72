//! Text on one line, without quotes or in them.

use super::{Content, Reader, Result, wrong_so};
use crate::printable;

impl Reader<'_> {
    /// The text that begins here; `is_flow` within brackets.
    pub(super) fn scalar(&mut self, is_flow: bool) -> Result<Content> {
        let special = match self.peek() {
            Some(b'"') => return self.double_quoted().map(Content::Quoted),
            Some(b'\'') => return self.single_quoted().map(Content::Quoted),
            Some(b'&' | b'*') => "anchors and aliases are not read",
            Some(b'!') => "tags are not read",
            Some(b'|' | b'>') => "text over several lines is not read",
            Some(b'%' | b'@' | b'`') => "text cannot begin like this",
            Some(b'#' | b',' | b'[' | b']' | b'{' | b'}') | None => return Err(self.unexpected()),
            Some(b'-' | b'?' | b':') if self.ends_word(self.at + 1, is_flow) => {
                return Err(self.unexpected());
            }
            Some(_) => return Ok(Content::Plain(self.plain(is_flow))),
        };
        let word = self.text[self.at..].split_whitespace().next().unwrap_or_default();
        let what = format!("`{}`: {special}", printable(word));
        Err(wrong_so(self.line, &what, "put text in quotes, and write values out"))
    }

    fn plain(&mut self, is_flow: bool) -> String {
        let start = self.at;
        while let Some(byte) = self.peek() {
            let is_end = match byte {
                b'\n' | b'\r' => true,
                b':' => self.ends_word(self.at + 1, is_flow),
                b'#' => self.is_blank(self.at - 1),
                b',' | b'[' | b']' | b'{' | b'}' => is_flow,
                _ => false,
            };
            if is_end {
                break;
            }
            self.at += 1;
        }
        self.text[start..self.at].trim_end_matches([' ', '\t']).to_owned()
    }

    fn ends_word(&self, at: usize, is_flow: bool) -> bool {
        let is_bracket = matches!(self.byte(at), Some(b',' | b'[' | b']' | b'{' | b'}'));
        self.is_blank(at) || (is_flow && is_bracket)
    }

    fn single_quoted(&mut self) -> Result<String> {
        let mut text = String::new();
        self.at += 1;
        loop {
            match self.next_quoted()? {
                '\'' if self.peek() == Some(b'\'') => self.at += 1,
                '\'' => return Ok(text),
                c => {
                    push(&mut text, c);
                    continue;
                }
            }
            push(&mut text, '\'');
        }
    }

    fn double_quoted(&mut self) -> Result<String> {
        let mut text = String::new();
        self.at += 1;
        loop {
            let c = match self.next_quoted()? {
                '"' => return Ok(text),
                '\\' => self.escaped()?,
                c => c,
            };
            push(&mut text, c);
        }
    }

    /// The next character of a text in quotes, which end on its line.
    fn next_quoted(&mut self) -> Result<char> {
        match self.text[self.at..].chars().next() {
            None | Some('\n' | '\r') => {
                Err(self.wrong("a text in quotes does not end on its line"))
            }
            Some(c) => {
                self.at += c.len_utf8();
                Ok(c)
            }
        }
    }

    /// The character that stands behind a backslash.
    fn escaped(&mut self) -> Result<char> {
        Ok(match self.next_quoted()? {
            '0' => '\0',
            'a' => '\u{7}',
            'b' => '\u{8}',
            't' => '\t',
            'n' => '\n',
            'v' => '\u{b}',
            'f' => '\u{c}',
            'r' => '\r',
            'e' => '\u{1b}',
            c @ (' ' | '"' | '/' | '\\') => c,
            'x' => self.numbered(2)?,
            'u' => self.numbered(4)?,
            'U' => self.numbered(8)?,
            c => {
                let what = format!("`\\{}` is no escape", printable(&c.to_string()));
                return Err(wrong_so(self.line, &what, "write a backslash twice, or use '…'"));
            }
        })
    }

    /// A character by its number, or by the two halves that JSON writes.
    fn numbered(&mut self, n_digits: usize) -> Result<char> {
        let mut number = self.hexadecimal(n_digits)?;
        let is_first_half = (0xd800..0xdc00).contains(&number);
        if is_first_half && self.text[self.at..].starts_with("\\u") {
            self.at += 2;
            let second = self.hexadecimal(4)?;
            if (0xdc00..0xe000).contains(&second) {
                number = 0x1_0000 + ((number - 0xd800) << 10) + (second - 0xdc00);
            }
        }
        char::from_u32(number)
            .ok_or_else(|| self.wrong(&format!("there is no character {number:x}")))
    }

    fn hexadecimal(&mut self, n_digits: usize) -> Result<u32> {
        let mut number = 0_u32;
        for _ in 0..n_digits {
            let digit = self.next_quoted()?.to_digit(16);
            let digit = digit.ok_or_else(|| self.wrong("an escape lacks digits"))?;
            number = number.saturating_mul(16).saturating_add(digit);
        }
        Ok(number)
    }
}

#[inline(never)]
fn push(text: &mut String, c: char) {
    text.push(c);
}
