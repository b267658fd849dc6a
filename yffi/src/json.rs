//! JSON texts, looked at without parsing them.

/// How deep brackets nest outside of strings.
pub fn nesting(json: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => {
                while let Some(byte) = bytes.next() {
                    match byte {
                        b'"' => break,
                        b'\\' => drop(bytes.next()),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    deepest
}

/// The places of `\\u` escapes that stand for one half of a surrogate pair without the other. JavaScript writes them where a
/// string was cut inside a character; yrs takes such a text for no JSON.
fn half_surrogates(json: &str) -> impl Iterator<Item = usize> + '_ {
    let bytes = json.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || loop {
        at += bytes[at..].iter().position(|byte| *byte == b'\\')?;
        let escape = at;
        match code_unit(&bytes[at..]) {
            None => at += 2, // another escape, such as of a backslash
            Some(0xd800..=0xdbff) => {
                at += 6;
                match code_unit(bytes.get(at..)?) {
                    Some(0xdc00..=0xdfff) => at += 6,
                    _ => return Some(escape),
                }
            }
            Some(0xdc00..=0xdfff) => {
                at += 6;
                return Some(escape);
            }
            Some(_) => at += 6,
        }
        if at >= bytes.len() {
            return None;
        }
    })
}

/// What the `\\u` escape stands for that `bytes` begin with.
fn code_unit(bytes: &[u8]) -> Option<u32> {
    let digits = bytes.strip_prefix(b"\\u")?.get(..4)?;
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Where integers end of which `chosen` says that yrs must read them as floats.
fn integers(json: &str, chosen: fn(i128) -> bool) -> impl Iterator<Item = usize> + '_ {
    let bytes = json.as_bytes();
    let mut at = 0;
    let mut in_string = false;
    std::iter::from_fn(move || {
        while let Some(byte) = bytes.get(at) {
            at += 1;
            match byte {
                b'"' => in_string = !in_string,
                b'\\' => at += 1, // an escape, in a string
                b'0'..=b'9' | b'-' if !in_string => {
                    let start = at - 1;
                    let number = bytes[start..].iter();
                    let is_part = |byte: &&u8| {
                        matches!(**byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')
                    };
                    at = start + number.take_while(is_part).count();
                    if json[start..at].parse().is_ok_and(chosen) {
                        return Some(at);
                    }
                }
                _ => {}
            }
        }
        None
    })
}

/// Whether an integer is above `i64::MAX` and no more than `u64::MAX`. JavaScript writes large numbers so; yrs takes
/// those below for integers, those above for floats, and these for no JSON.
fn is_refused(integer: i128) -> bool {
    (i128::from(i64::MAX) + 1..=i128::from(u64::MAX)).contains(&integer)
}

/// Whether an integer is one that JavaScript holds as a float, and yrs would take for a BigInt.
fn is_unsafe(integer: i128) -> bool {
    const MAX_SAFE_INTEGER: u128 = (1 << 53) - 1;
    integer.unsigned_abs() > MAX_SAFE_INTEGER
}

/// Whether yrs takes a JSON text for none.
pub fn is_misread(json: &str) -> bool {
    half_surrogates(json).next().is_some() || integers(json, is_refused).next().is_some()
}

/// The text as yrs reads it: with replacement characters for halves of surrogate pairs, and as floats the integers that
/// yrs refuses. The other large integers stay: a program in another language than JavaScript can have written them.
pub fn readable(json: &str) -> String {
    rewritten(json, is_refused)
}

/// The text with which yrs comes to the values that JavaScript reads in the original.
pub fn as_javascript(json: &str) -> String {
    rewritten(json, is_unsafe)
}

fn rewritten(json: &str, floats: fn(i128) -> bool) -> String {
    let mut text = String::with_capacity(json.len() + json.len() / 8);
    let mut ends = integers(json, floats).peekable();
    let mut copied = 0;
    for half in half_surrogates(json) {
        while let Some(end) = ends.next_if(|end| *end <= half) {
            text.push_str(&json[copied..end]);
            text.push_str("e0");
            copied = end;
        }
        text.push_str(&json[copied..half]);
        text.push_str("\\ufffd");
        copied = half + 6; // the length of an escape
    }
    for end in ends {
        text.push_str(&json[copied..end]);
        text.push_str("e0");
        copied = end;
    }
    text.push_str(&json[copied..]);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_yrs_takes_for_no_json_is_written_otherwise() {
        for (json, want) in [
            (r#""\ud83d""#, r#""\ufffd""#),
            (r#""\ud83d\ude00""#, r#""\ud83d\ude00""#),
            (r#""\ude00\ud83d""#, r#""\ufffd\ufffd""#),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#""\\ud83d \u00e9 \uD83D.""#, r#""\\ud83d \u00e9 \ufffd.""#),
            (r#""\ud83"#, r#""\ud83"#),
            ("\"\\", "\"\\"),
            (r#""\ud83d\n""#, r#""\ufffd\n""#),
            ("13055452210070340000", "13055452210070340000e0"),
            (
                r#"{"a":[9223372036854775808,1],"\"9223372036854775808":-1}"#,
                r#"{"a":[9223372036854775808e0,1],"\"9223372036854775808":-1}"#,
            ),
            (
                r#"[9223372036854775808,"\ud83d",9223372036854775808,1,"é\ude00",9223372036854775808]"#,
                r#"[9223372036854775808e0,"\ufffd",9223372036854775808e0,1,"é\ufffd",9223372036854775808e0]"#,
            ),
            (
                "[9223372036854775807,18446744073709551616,-9223372036854775809,9223372036854775808.5]",
                "[9223372036854775807,18446744073709551616,-9223372036854775809,9223372036854775808.5]",
            ),
        ] {
            assert_eq!(readable(json), want);
            assert_eq!(is_misread(json), json != want);
        }
    }

    #[test]
    fn brackets_in_strings_do_not_nest() {
        assert_eq!(nesting(br#"{"a[[": ["\"[[", {}], "\\": [[]]}"#), 3);
        assert_eq!(nesting(b"\"[[["), 0);
        assert_eq!(nesting(b"]][["), 2);
    }

    #[test]
    fn integers_that_javascript_holds_as_floats_are_floats() {
        for (json, want) in [
            ("9007199254740991", "9007199254740991"),
            (
                "[9007199254740992,-7035813607039704000]",
                "[9007199254740992e0,-7035813607039704000e0]",
            ),
            (
                r#"{"9007199254740992":"9007199254740992"}"#,
                r#"{"9007199254740992":"9007199254740992"}"#,
            ),
        ] {
            assert_eq!(as_javascript(json), want);
        }
    }
}
