//! Headers whose JSON or numbers are wrong, or only look so.

use crate::common::raw_file;
use crate::{Expect, Refused, Tensors, check};

/// An entry of four bytes.
const FOUR: &str = r#"{"dtype":"I8","shape":[4],"data_offsets":[0,4]}"#;

/// A header with one tensor `a` of that dtype, shape and place.
fn tensor(dtype: &str, shape: &str, offsets: &str) -> String {
    format!(r#"{{"a":{{"dtype":{dtype},"shape":{shape},"data_offsets":{offsets}}}}}"#)
}

/// A header with one tensor of that name (as JSON text) and four bytes.
fn named(name: &str) -> String {
    format!("{{{name}:{FOUR}}}")
}

fn check_all(n_data_bytes: usize, cases: &[(&str, Vec<u8>, Expect)]) {
    for (number, json, expected) in cases {
        check(number, "a.safetensors", raw_file(json, n_data_bytes), *expected);
    }
}

#[test]
fn json() {
    let invalid = Refused("not valid JSON");
    let wrong = Refused("its header is wrong");
    let twice = Refused("twice");
    let deep = format!(r#"{{"a":{{"x":{}{},{}}}"#, "[".repeat(200), "]".repeat(200), &FOUR[1..]);
    let shallow = deep.replace(&"[".repeat(200), "[[").replace(&"]".repeat(200), "]]");
    check_all(
        4,
        &[
            ("0 unharmed", named(r#""a""#).into(), Tensors(1)),
            (
                "21 not UTF-8",
                named("\"\u{1}\"")
                    .replace('\u{1}', "?")
                    .into_bytes()
                    .iter()
                    .map(|b| if *b == b'?' { 0xff } else { *b })
                    .collect(),
                Refused("not UTF-8"),
            ),
            ("22 byte order mark", format!("\u{feff}{}", named(r#""a""#)).into(), invalid),
            ("23 leading white space", format!(" \n\t{}", named(r#""a""#)).into(), Tensors(1)),
            ("23 trailing white space", format!("{}\r\n ", named(r#""a""#)).into(), Tensors(1)),
            ("24 padded with NUL", format!("{}\0\0\0", named(r#""a""#)).into(), invalid),
            ("25 array", "[]".into(), wrong),
            ("25 null", "null".into(), wrong),
            ("25 number", "12".into(), wrong),
            ("26 nested 200 deep", deep.into(), invalid),
            ("26 nested 2 deep", shallow.into(), Tensors(1)),
            ("27 twice, same place", format!(r#"{{"a":{FOUR},"a":{FOUR}}}"#).into(), twice),
            (
                "28 twice, two places",
                format!(r#"{{"a":{FOUR},"a":{}}}"#, FOUR.replace("[0,4]", "[4,8]")).into(),
                twice,
            ),
            (
                "29 metadata twice",
                format!(r#"{{"__metadata__":{{}},"a":{FOUR},"__metadata__":{{}}}}"#).into(),
                twice,
            ),
            (
                "30 twice in metadata",
                format!(r#"{{"__metadata__":{{"k":"1","k":"1"}},"a":{FOUR}}}"#).into(),
                twice,
            ),
            ("31 twice by escape", format!(r#"{{"a":{FOUR},"\u0061":{FOUR}}}"#).into(), twice),
            (
                "31 metadata by escape",
                format!(r#"{{"__metadata__":{{}},"\u005f_metadata__":{{}},"a":{FOUR}}}"#).into(),
                twice,
            ),
            (
                "32 metadata number",
                format!(r#"{{"__metadata__":{{"k":1}},"a":{FOUR}}}"#).into(),
                wrong,
            ),
            ("32 metadata array", format!(r#"{{"__metadata__":[],"a":{FOUR}}}"#).into(), wrong),
            ("33 tensor __metadata__", named(r#""__metadata__""#).into(), wrong),
            ("34 __proto__", named(r#""__proto__""#).into(), Tensors(1)),
            ("34 constructor", named(r#""constructor""#).into(), Tensors(1)),
            ("35 empty name", named(r#""""#).into(), Tensors(1)),
            (
                "36 strange name",
                named(r#""\u0000\u001b[2J\u202e<img onerror=x>""#).into(),
                Tensors(1),
            ),
            ("36 raw control character", named("\"\u{1}\"").into(), invalid),
            (
                "37 name of 1 MB",
                named(&format!("\"{}\"", "n".repeat(1 << 20))).into(),
                Refused("longer than 4096"),
            ),
            ("38 lone surrogate", named(r#""\ud800""#).into(), invalid),
            ("40 JSON behind", format!("{}{{}}", named(r#""a""#)).into(), invalid),
            (
                "41 unknown field",
                tensor(r#""I8","x":{"y":[1e3,null]}"#, "[4]", "[0,4]").into(),
                Tensors(1),
            ),
            (
                "41 missing dtype",
                r#"{"a":{"shape":[4],"data_offsets":[0,4]}}"#.into(),
                Refused("missing field `dtype`"),
            ),
            (
                "41 missing shape",
                r#"{"a":{"dtype":"I8","data_offsets":[0,4]}}"#.into(),
                Refused("missing field `shape`"),
            ),
            (
                "41 missing offsets",
                r#"{"a":{"dtype":"I8","shape":[4]}}"#.into(),
                Refused("missing field `data_offsets`"),
            ),
            ("41 field twice", tensor(r#""I8","dtype":"I8""#, "[4]", "[0,4]").into(), twice),
            ("42 null tensor", r#"{"a":null}"#.into(), Refused("tensor `a`")),
            ("42 array tensor", r#"{"a":["I8",[4],[0,4]]}"#.into(), Refused("tensor `a`")),
        ],
    );
    let twins = format!(r#"{{"\u00e9":{FOUR},"e\u0301":{}}}"#, FOUR.replace("[0,4]", "[4,8]"));
    check_all(8, &[("39 NFC and NFD", twins.into(), Tensors(2))]);
}

#[test]
fn hostile_names_are_escaped_in_sentences() {
    let json = named(r#""\u0000\u001b[2J\u202e""#).replace("I8", "I9");
    check("36", "a.safetensors", raw_file(json, 4), Refused(r"tensor `\u{0}\u{1b}[2J\u{202e}`"));
}

#[test]
fn numbers() {
    let number = Refused("a whole number from 0");
    let i8 = |shape: &str, offsets: &str| tensor(r#""I8""#, shape, offsets).into_bytes();
    let rank = |n: usize| format!("{:?}", vec![1; n]);
    check_all(
        4,
        &[
            ("43 negative offset", i8("[4]", "[-4,0]"), number),
            ("43 negative dimension", i8("[-4]", "[0,4]"), number),
            ("44 end before begin", i8("[4]", "[4,0]"), Refused("before its begin")),
            ("45 fraction", i8("[4]", "[0,4.0]"), number),
            ("45 fractional dimension", i8("[4.0]", "[0,4]"), number),
            ("46 exponent", i8("[4]", "[0,4e0]"), number),
            (
                "47 offset 2^53+1",
                i8("[9007199254740993]", "[0,9007199254740993]"),
                Refused("too large"),
            ),
            (
                "47 only offset 2^53+1",
                i8("[4]", "[0,9007199254740993]"),
                Refused("9007199254740993 bytes where"),
            ),
            ("48 offset 2^64", i8("[4]", "[0,18446744073709551616]"), number),
            ("48 offset 2^64-1", i8("[4]", "[0,18446744073709551615]"), Refused("bytes where")),
            ("49 shape overflows", i8("[4294967296,4294967296]", "[0,4]"), Refused("too large")),
            ("49 bits overflow", i8("[4294967296,536870912]", "[0,4]"), Refused("too large")),
            ("50 shape wraps to 4", i8("[9007199254740992,4096,4]", "[0,4]"), Refused("too large")),
            ("53 rank 0", tensor(r#""I32""#, "[]", "[0,4]").into(), Tensors(1)),
            ("54 rank 1000", i8(&rank(1000), "[0,1]"), Refused("more than 64 dimensions")),
            ("54 rank 64", tensor(r#""I32""#, &rank(64), "[0,4]").into(), Tensors(1)),
            ("55 hole", i8("[3]", "[1,4]"), Refused("belong to no tensor")),
            ("58 late start", i8("[1]", "[3,4]"), Refused("belong to no tensor")),
            ("59 wrong size", i8("[3]", "[0,4]"), Refused("4 bytes where [3] of I8 needs 3")),
            (
                "60 unknown dtype",
                tensor(r#""F7""#, "[4]", "[0,4]").into(),
                Refused("unknown dtype `F7`"),
            ),
            ("60 lower case", tensor(r#""i8""#, "[4]", "[0,4]").into(), Refused("dtype `i8`")),
            ("60 dtype number", tensor("8", "[4]", "[0,4]").into(), Refused("expected a string")),
            ("61 F4, odd count", tensor(r#""F4""#, "[7]", "[0,4]").into(), Refused("whole bytes")),
            ("61 F4, even count", tensor(r#""F4""#, "[8]", "[0,4]").into(), Tensors(1)),
            (
                "61 F6, 3 bits over",
                tensor(r#""F6_E2M3""#, "[5]", "[0,4]").into(),
                Refused("whole bytes"),
            ),
            ("offsets of three", i8("[4]", "[0,4,4]"), Refused("its header")),
            ("offsets of one", i8("[4]", "[0]"), Refused("its header")),
            ("number 1e999", i8("[4]", "[0,1e999]"), Refused("not valid JSON")),
        ],
    );
    check_all(
        0,
        &[
            (
                "51 zero-size, overflowing",
                i8("[4294967296,4294967296,0]", "[0,0]"),
                Refused("too large"),
            ),
            ("52 zero-size", i8("[7,0,3]", "[0,0]"), Tensors(1)),
            ("no tensors", "{}".into(), Tensors(0)),
            ("metadata null", r#"{"__metadata__":null}"#.into(), Tensors(0)),
        ],
    );
}

#[test]
fn places_of_several_tensors() {
    let entry = |name: &str, from: u64, to: u64| {
        let n = to - from;
        format!(r#""{name}":{{"dtype":"I8","shape":[{n}],"data_offsets":[{from},{to}]}}"#)
    };
    let all = |entries: &[String]| format!("{{{}}}", entries.join(",")).into_bytes();
    check_all(
        8,
        &[
            ("in any order", all(&[entry("b", 4, 8), entry("a", 0, 4)]), Tensors(2)),
            (
                "with empty ones",
                all(&[entry("b", 4, 4), entry("a", 0, 8), entry("c", 8, 8)]),
                Refused("`b`"),
            ),
            (
                "with empty ones between",
                all(&[entry("b", 4, 4), entry("a", 0, 4), entry("c", 4, 8)]),
                Tensors(3),
            ),
            (
                "55 hole",
                all(&[entry("a", 0, 4), entry("b", 5, 8)]),
                Refused("bytes 4 to 5 before it"),
            ),
            (
                "56 overlap",
                all(&[entry("a", 0, 5), entry("b", 4, 8)]),
                Refused("overlaps tensor `a`"),
            ),
            (
                "56 same place",
                all(&[entry("a", 0, 8), entry("b", 0, 8)]),
                Refused("overlaps tensor `a`"),
            ),
        ],
    );
    // 62: the data starts at an odd place, as old writers leave it.
    for n_spaces in 0..8 {
        let json = format!("{}{}", tensor(r#""F32""#, "[2]", "[0,8]"), " ".repeat(n_spaces));
        check("62 unaligned data", "a.safetensors", raw_file(json, 8), Tensors(1));
    }
}
