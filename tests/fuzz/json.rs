//! JSON as a tree that may be wrong: keys twice, numbers that do not fit, nesting without end.

use serde_json::Value;

use crate::random::Random;

/// A value as it is written; objects keep their order and every repetition of a key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    /// A number, a string with its quotes, a word, or no JSON at all.
    Raw(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>), // keys with their quotes
}

/// Values that were ever misread somewhere.
const ODD: [&str; 36] = [
    "0",
    "-0",
    "1",
    "-1",
    "2",
    "3",
    "255",
    "4096",
    "1.0",
    "0.5",
    "1e3",
    "1e999",
    "-1e999",
    "1e-400",
    "2147483648",
    "4294967296",
    "9007199254740993",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "01",
    "NaN",
    "Infinity",
    "null",
    "true",
    "[]",
    "{}",
    "\"\"",
    "\"1\"",
    "\"F32\"",
    "\"BF16\"",
    "\"I64\"",
    "\"F8_E4M3\"",
    "\"\\ud800\"",
    "\"\\u0000\\u202e\\u001b[2J\"",
    "",
];
/// Keys that mean something somewhere.
const KEYS: [&str; 14] = [
    "\"__metadata__\"",
    "\"\\u005f_metadata__\"",
    "\"dtype\"",
    "\"shape\"",
    "\"data_offsets\"",
    "\"weight_map\"",
    "\"fc.weight\"",
    "\"model.fc.weight\"",
    "\"module.fc\"",
    "\"gram_format\"",
    "\"__proto__\"",
    "\"../x.safetensors\"",
    "\"\\u0066c.weight\"",
    "\"\"",
];

impl Node {
    /// The tree of a JSON text, or the text itself where it is none.
    pub(crate) fn parse(text: &str) -> Self {
        serde_json::from_str(text)
            .map_or_else(|_| Self::Raw(text.into()), |value| Self::from(&value))
    }

    fn len(&self) -> usize {
        1 + match self {
            Self::Raw(_) => 0,
            Self::List(items) => items.iter().map(Self::len).sum(),
            Self::Map(entries) => entries.iter().map(|(_, node)| node.len()).sum::<usize>(),
        }
    }

    /// The node of that place, counting from the root.
    fn at(&mut self, place: usize) -> &mut Self {
        let mut rest = place;
        if rest == 0 {
            return self;
        }
        rest -= 1;
        let children: Vec<&mut Self> = match self {
            Self::Raw(_) => Vec::new(),
            Self::List(items) => items.iter_mut().collect(),
            Self::Map(entries) => entries.iter_mut().map(|(_, node)| node).collect(),
        };
        for child in children {
            let len = child.len();
            if rest < len {
                return child.at(rest);
            }
            rest -= len;
        }
        unreachable!("a tree is as long as its parts")
    }

    /// Changes one node, in a way that its kind suggests.
    pub(crate) fn damage(&mut self, random: &mut Random) {
        let place = random.below(self.len());
        let other = self.clone().at(random.below(self.len())).clone();
        let node = self.at(place);
        match random.below(8) {
            0 => *node = Self::Raw((*random.pick(&ODD)).into()),
            1 => *node = other,
            2 if random.once_in(8) => *node = nested(1 << random.below(9), node),
            _ => node.damage_inside(random),
        }
    }

    fn damage_inside(&mut self, random: &mut Random) {
        match self {
            Self::Raw(text) => *text = damaged_text(text, random),
            Self::List(items) if items.is_empty() => items.push(Self::Raw("0".into())),
            Self::List(items) => {
                let (a, b) = (random.below(items.len()), random.below(items.len()));
                match random.below(4) {
                    0 => items.swap(a, b),
                    1 => items.insert(a, items[b].clone()),
                    2 => drop(items.remove(a)),
                    _ => items[a] = Self::Raw((*random.pick(&ODD)).into()),
                }
            }
            Self::Map(entries) if entries.is_empty() => {
                entries.push(((*random.pick(&KEYS)).into(), Self::Raw("0".into())));
            }
            Self::Map(entries) => {
                let (a, b) = (random.below(entries.len()), random.below(entries.len()));
                match random.below(5) {
                    0 => entries.swap(a, b),
                    1 => entries.insert(a, entries[b].clone()),
                    2 => drop(entries.remove(a)),
                    3 => entries[a].1 = entries[b].1.clone(),
                    _ => entries[a].0 = damaged_key(&entries[a].0, random),
                }
            }
        }
    }
}

fn nested(depth: usize, node: &Node) -> Node {
    (0..depth).fold(node.clone(), |inner, _| Node::List(vec![inner]))
}

fn damaged_key(key: &str, random: &mut Random) -> String {
    let inner = key.trim_matches('"');
    match random.below(4) {
        0 => format!("\"{inner}.weight\""),
        1 => format!("\"model.{inner}\""),
        2 => format!("\"{inner}\\u0000é\""),
        _ => (*random.pick(&KEYS)).into(),
    }
}

fn damaged_text(text: &str, random: &mut Random) -> String {
    let Ok(number) = text.parse::<i128>() else {
        return match text.strip_suffix('"') {
            Some(start) if random.once_in(3) => {
                format!("{start}{}\"", "x".repeat(random.below(300)))
            }
            _ => (*random.pick(&ODD)).into(),
        };
    };
    match random.below(6) {
        0 => (number + 1).to_string(),
        1 => (number - 1).to_string(),
        2 => (number * 2).to_string(),
        3 => format!("{number}.0"),
        4 => (number + (1 << random.below(66))).to_string(),
        _ => (*random.pick(&ODD)).into(),
    }
}

impl From<&Value> for Node {
    fn from(value: &Value) -> Self {
        match value {
            Value::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            Value::Object(map) => {
                let quoted = |key: &String| Value::from(key.as_str()).to_string();
                Self::Map(map.iter().map(|(key, value)| (quoted(key), value.into())).collect())
            }
            leaf => Self::Raw(leaf.to_string()),
        }
    }
}

impl std::fmt::Display for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let comma = |index: usize| if index == 0 { "" } else { "," };
        match self {
            Self::Raw(text) => f.write_str(text),
            Self::List(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", comma(index))?;
                }
                f.write_str("]")
            }
            Self::Map(entries) => {
                f.write_str("{")?;
                for (index, (key, value)) in entries.iter().enumerate() {
                    write!(f, "{}{key}:{value}", comma(index))?;
                }
                f.write_str("}")
            }
        }
    }
}
