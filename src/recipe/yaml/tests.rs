//! What is read here, a whole parser reads as the same tree.

use proptest::prelude::*;
use saphyr_parser::{Event, Parser, ScalarStyle};

use super::{Content, Key, Node, parse};

fn tree(text: &str) -> Content {
    parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text:?}: {error}")).content
}

fn plain(text: &str) -> Content {
    Content::Plain(text.into())
}

/// The other parser's tree; `None` if it refuses the text.
fn whole(text: &str) -> Option<Node> {
    let mut events = Vec::new();
    for event in Parser::new_from_str(text) {
        events.push(event.ok()?);
    }
    let is_node = |event: &Event<'_>| {
        !matches!(
            event,
            Event::StreamStart
                | Event::StreamEnd
                | Event::DocumentStart(_)
                | Event::DocumentEnd
                | Event::Nothing
        )
    };
    let mut nodes = events
        .iter()
        .filter(|(event, _)| is_node(event))
        .map(|(event, span)| (event, span.start.line()));
    let Some(first) = nodes.next() else {
        return Some(Node { line: 1, content: plain("") });
    };
    assemble(first, &mut nodes)
}

fn assemble<'e>(
    (event, line): (&'e Event<'e>, usize),
    rest: &mut impl Iterator<Item = (&'e Event<'e>, usize)>,
) -> Option<Node> {
    let content = match event {
        // Nothing is written as `~`.
        Event::Scalar(text, ScalarStyle::Plain, ..) => plain(text),
        Event::Scalar(text, ..) => Content::Quoted(text.to_string()),
        Event::SequenceStart(..) => {
            let mut items = Vec::new();
            loop {
                match rest.next()? {
                    (Event::SequenceEnd, _) => break Content::List(items),
                    next => items.push(assemble(next, rest)?),
                }
            }
        }
        Event::MappingStart(..) => {
            let mut entries = Vec::new();
            loop {
                let key = match rest.next()? {
                    (Event::MappingEnd, _) => break Content::Map(entries),
                    next => assemble(next, rest)?,
                };
                let (Content::Plain(text) | Content::Quoted(text)) = key.content else {
                    return None;
                };
                let value = rest.next()?;
                entries.push((Key { line: key.line, text }, assemble(value, rest)?));
            }
        }
        _ => return None,
    };
    Some(Node { line, content })
}

/// Nulls alike, and lines of values that are something.
fn alike(node: &mut Node) {
    match &mut node.content {
        Content::Plain(text) if text == "~" || text.is_empty() => {
            text.clear();
            node.line = 0;
        }
        Content::Plain(_) | Content::Quoted(_) => {}
        Content::List(items) => items.iter_mut().for_each(alike),
        Content::Map(entries) => entries.iter_mut().for_each(|(_, value)| alike(value)),
    }
}

/// The text with its closing brackets moved to where the other parser accepts them too.
fn indented(text: &str) -> String {
    let is_closing = |line: &str| line.trim_start().starts_with([']', '}']);
    let lines = text.split('\n').map(|line| match is_closing(line) {
        true => format!("{:40}{line}", ""),
        false => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether it was read here; if so, the other parser agrees on it.
fn agrees(text: &str) -> bool {
    let Ok(mut own) = parse(text.as_bytes()) else { return false };
    // The other parser refuses a word within brackets that ends so.
    if [",", "[", "]", "{", "}"].iter().any(|bracket| text.contains(&format!("-{bracket}"))) {
        return true;
    }
    let Some(mut other) = whole(text).or_else(|| whole(&indented(text))) else {
        panic!("read here, and refused by a whole parser: {text:?}");
    };
    alike(&mut own);
    alike(&mut other);
    assert_eq!(own, other, "{text:?}");
    true
}

/// Every form, each beside the others that it may be mistaken for.
const READ: [&str; 36] = [
    "",
    "# nothing\n",
    "---\na: 1\n",
    "--- # begins\na: 1\n...\n",
    "a: 1\nb: 2\n",
    "a: 1\r\nb: 2\r\n",
    "a:\n  b: 1\n  c:\n    d: 2\ne: 3",
    "a:\n- 1\n- 2\nb: 3\n",
    "a:\n  - 1\n  - 2\nb: 3\n",
    "- a: 1\n  b: 2\n- c: 3\n",
    "- a:\n  - 1\n  - 2\n  b: 3\n",
    "- - 1\n  - 2\n- - 3\n",
    "-\n  a: 1\n-\n- b\n",
    "a:   # of many\n\n  # still\n  b: 1 # here\n\nc: 2\n",
    "a: b#c\nd: e #f\n",
    "a: b:c\nd: http://x/y\n",
    "a : 1\n\"b\": 2\n'c d' : 3\n",
    "a: 'it''s'\nb: \"\\\"\\u00e9\\x41\\t\\\\\"\n",
    "a: '#'\nb: \"# c\"\n",
    "a: [1, 2 , three four, '5', \"6\"]\n",
    "a: [ ]\nb: { }\n",
    "a: {b: 1, c: [2, 3], d: {e: f}}\n",
    "a: {b: , c: 1}\n",
    "a: [1,\n  2, # two\n  3\n  ]\nb: 4\n",
    "{\"a\":1,\"b\":[true,null],\n \"c\": {\"d\" : \"e\"}}\n",
    "[{a: 1}, {b: 2},]\n",
    "a: -1\nb: -\u{e9}\nc: ?x\nd: :y\n",
    "a: ~\nb:\nc: null\n",
    "größe: 模型\n",
    "a: b  c\t d  \n",
    "text\n",
    "\"text\"\n",
    "a: x,y]z\n",
    "{\n\t\"a\": [\n\t\t1\n\t]\n}\n",
    "a: [x:y, -1, ?z]\n",
    "a: {\n  b: 1,\n}\nc:\n- [\n    2\n  ]\n",
];

#[test]
fn what_is_read_means_the_same_to_a_whole_parser() {
    for text in READ {
        assert!(agrees(text), "refused: {text:?}");
    }
}

#[test]
fn lists_and_mappings_by_indentation() {
    let item = |line, text: &str| Node { line, content: plain(text) };
    let key = |line, text: &str| Key { line, text: text.into() };
    let list = Node { line: 3, content: Content::List(vec![item(3, "1"), item(4, "2")]) };
    let wanted = Content::Map(vec![(key(1, "b"), item(1, "x")), (key(2, "a"), list)]);
    assert_eq!(tree("b: x\na:\n- 1\n- 2\n"), wanted);
}

#[test]
fn halves_of_characters_are_joined() {
    assert_eq!(tree(r#""\ud83d\ude00""#), Content::Quoted("😀".into()));
}

/// Each with the sentence that it gets.
const REFUSED: [(&str, &str); 37] = [
    (
        "a: 1\n  b: 2\n",
        "line 2: this line is indented further than what it follows; indent entries alike, and write a text in one line",
    ),
    (
        "a: one\n  two\n",
        "line 2: this line is indented further than what it follows; indent entries alike, and write a text in one line",
    ),
    (
        "a:\n    b: 1\n  c: 2\n",
        "line 3: this line is indented further than what it follows; indent entries alike, and write a text in one line",
    ),
    ("a: 1\nb\n", "line 2: `KEY: VALUE` is expected here"),
    ("a: 1\n- b\n", "line 2: `-` is not expected here"),
    ("- a\nb: 1\n", "line 2: `b:` is not expected here"),
    (
        "a: b: c\n",
        "line 1: a mapping cannot begin within a line that is one already; put text that holds `: ` in quotes",
    ),
    ("a: - b\n", "line 1: `-` is not expected here"),
    ("? a\n: b\n", "line 1: `?` is not expected here"),
    ("a:\n\tb: 1\n", "line 2: a tab stands where spaces must; use spaces"),
    ("-\ta: 1\n", "line 1: a tab stands where spaces must; use spaces"),
    ("a: 1\nb: 2\na: 3\n", "line 3: `a` stands in line 1 already"),
    ("{a: 1, a: 2}\n", "line 1: `a` stands in line 1 already"),
    (
        "a: &x 1\nb: *x\n",
        "line 1: `&x`: anchors and aliases are not read; put text in quotes, and write values out",
    ),
    (
        "filter: *\n",
        "line 1: `*`: anchors and aliases are not read; put text in quotes, and write values out",
    ),
    (
        "a: !!str 1\n",
        "line 1: `!!str`: tags are not read; put text in quotes, and write values out",
    ),
    (
        "a: |\n  b\n",
        "line 1: `|`: text over several lines is not read; put text in quotes, and write values out",
    ),
    (
        "a: @b\n",
        "line 1: `@b`: text cannot begin like this; put text in quotes, and write values out",
    ),
    (
        "%YAML 1.2\n---\na: 1\n",
        "line 1: `%YAML`: text cannot begin like this; put text in quotes, and write values out",
    ),
    ("a: 1\n---\nb: 2\n", "line 2: a second document begins"),
    ("a: 1\n...\nb: 2\n", "line 3: `b:` is not expected here"),
    ("--- a\n", "line 1: `a` is not expected here"),
    ("a: \"b\n  c\"\n", "line 1: a text in quotes does not end on its line"),
    ("a: 'b\n", "line 1: a text in quotes does not end on its line"),
    ("a: \"\\q\"\n", "line 1: `\\q` is no escape; write a backslash twice, or use '…'"),
    ("a: \"\\u12\"\n", "line 1: an escape lacks digits"),
    ("a: \"\\ud800\"\n", "line 1: there is no character d800"),
    ("a: 'b' c\n", "line 1: `c` is not expected here"),
    ("a: [1, 2\n", "line 2: the text ends too early"),
    ("a: [1,\n2]\n", "line 2: this line in brackets is indented too little"),
    ("a: [1 2], b\n", "line 1: `,` is not expected here"),
    ("a: [1, , 2]\n", "line 1: `,` is not expected here"),
    ("a: [b: 1]\n", "line 1: `:` is not expected here"),
    ("{a:1}\n", "line 1: `}` is not expected here; each key in braces needs a `: ` and a value"),
    ("a: 1\u{7}\n", "line 1: the character `\\u{7}` cannot stand in a recipe"),
    ("a: 1\n\u{2028}b: 2\n", "line 2: the character `\\u{2028}` cannot stand in a recipe"),
    ("a: 1\rb: 2\n", "line 1: the character `\\r` cannot stand in a recipe"),
];

#[test]
fn all_else_is_refused_by_its_line() {
    for (text, sentence) in REFUSED {
        let found = parse(text.as_bytes()).map_err(|error| error.to_string());
        assert_eq!(found, Err(sentence.to_owned()), "{text:?}");
    }
    let error = parse(b"a: 1\nb: \xff\n").unwrap_err();
    assert_eq!(error.to_string(), "line 2: this is not UTF-8 text");
}

#[test]
fn bombs_are_refused() {
    let refused = |text: String| parse(text.as_bytes()).unwrap_err().to_string();
    let deep = "line 1: lists and mappings lie more than 32 deep in one another";
    assert_eq!(refused("[".repeat(100_000)), deep);
    assert_eq!(refused("- ".repeat(100_000)), deep);
    assert_eq!(refused("{a: ".repeat(100_000)), deep);
    assert_eq!(tree(&format!("{}{}", "[".repeat(32), "]".repeat(32))), nested(32));
    assert_eq!(refused(format!("{}{}", "[".repeat(33), "]".repeat(33))), deep);
    let many = "line 1: a recipe has at most 10000 values";
    assert_eq!(refused(format!("[{}]", "1,".repeat(100_000))), many);
    assert_eq!(refused("x".repeat((1 << 20) + 1)), "1048577 bytes are too many for a recipe");
    let laughs = "a: &a [x, x]\nb: &b [*a, *a]\n".to_owned();
    assert!(refused(laughs).starts_with("line 1: `&a`: anchors and aliases are not read"));
}

fn nested(depth: usize) -> Content {
    (1..depth).fold(Content::List(Vec::new()), |content, _| {
        Content::List(vec![Node { line: 1, content }])
    })
}

/// Pieces that mean something to YAML.
const PIECES: [&str; 40] = [
    "a", "b", "key", "1", "-1.5", "true", "~", ":", ": ", " :", "- ", "-", "? ", "\n", "\n",
    "\n  ", "\n    ", "\n- ", "\n  - ", " ", "  ", "\t", "[", "]", "{", "}", ",", ", ", "#", " # ",
    "'", "\"", "''", "\\", "\n---\n", "\n...\n", "&x ", "|", "é", "\r\n",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(50_000) })]

    #[test]
    fn any_text_is_read_alike_or_refused(
        pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..16)
    ) {
        agrees(&pieces.concat());
    }

    /// Damage where it means most: in texts that can be read.
    #[test]
    fn damaged_texts_are_read_alike_or_refused(
        text in prop::sample::select(&READ[..]),
        damage in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(&PIECES[..]), any::<bool>()), 1..4),
    ) {
        let mut chars: Vec<char> = text.chars().collect();
        for (place, piece, removes) in damage {
            let at = place.index(chars.len() + 1);
            if removes && at < chars.len() {
                chars.remove(at);
            } else {
                chars.splice(at..at, piece.chars());
            }
        }
        agrees(&chars.into_iter().collect::<String>());
    }
}
