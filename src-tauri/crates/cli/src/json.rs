//! The one JSON document on standard output. Lists are objects with one field; an error is an object too.

use crate::render::text::is_invisible;
use serde::Serialize;
use serde_json::ser::Formatter;
use std::io::{self, Write};
use talkvalue_core::error::CommandError;

/// Compact JSON whose text cannot steer a terminal: beyond what JSON itself escapes, characters that reorder or control
/// text are written as escapes. Every parser reads the same value.
struct Harmless;

impl Formatter for Harmless {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        if fragment.is_ascii() && !fragment.contains('\u{7f}') {
            // Nearly all text; what is left of ASCII's controls JSON escapes by itself.
            return writer.write_all(fragment.as_bytes());
        }
        let mut written = 0;
        for (start, character) in fragment.char_indices() {
            if character.is_control() || is_invisible(character) {
                writer.write_all(&fragment.as_bytes()[written..start])?;
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
                written = start + character.len_utf8();
            }
        }
        writer.write_all(&fragment.as_bytes()[written..])
    }
}

fn value(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(out, Harmless);
    value.serialize(&mut serializer).map_err(io::Error::from)
}

/// One object, as an action prints it.
pub(crate) fn document(out: &mut dyn Write, object: &impl Serialize) -> io::Result<()> {
    value(out, object)?;
    writeln!(out)
}

/// `{"name":[…]}`.
pub(crate) fn list(out: &mut dyn Write, name: &'static str, entries: &[impl Serialize]) -> io::Result<()> {
    let mut list = List::begin(out, name)?;
    list.write(out, entries)?;
    list.end(out)
}

/// `{"error":{code, message, recovery}}`.
pub(crate) fn error(out: &mut dyn Write, error: &CommandError) -> io::Result<()> {
    write!(out, "{{\"error\":")?;
    value(out, error)?;
    writeln!(out, "}}")
}

/// A list that is written as its entries come.
pub(crate) struct List {
    empty: bool,
}

impl List {
    pub(crate) fn begin(out: &mut dyn Write, name: &'static str) -> io::Result<Self> {
        write!(out, "{{\"{name}\":[")?;
        Ok(Self { empty: true })
    }

    pub(crate) fn write(&mut self, out: &mut dyn Write, entries: &[impl Serialize]) -> io::Result<()> {
        for entry in entries {
            if !self.empty {
                out.write_all(b",")?;
            }
            self.empty = false;
            value(out, entry)?;
        }
        Ok(())
    }

    pub(crate) fn end(self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "]}}")
    }

    /// The list broke off: the document stays one, and says so.
    pub(crate) fn end_with_error(self, out: &mut dyn Write, error: &CommandError) -> io::Result<()> {
        write!(out, "],\"error\":")?;
        value(out, error)?;
        writeln!(out, "}}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use talkvalue_core::domain::failure::FailureCode;

    fn printed(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).expect("memory takes everything");
        String::from_utf8(out).expect("we write text")
    }

    #[test]
    fn lists_and_errors_have_the_promised_shape() {
        assert_eq!(
            printed(|out| list(out, "items", &[] as &[u8])),
            "{\"items\":[]}\n"
        );
        assert_eq!(printed(|out| list(out, "items", &[1, 2])), "{\"items\":[1,2]}\n");
        let refusal = CommandError::failure(FailureCode::VaultLocked, "Your keychain is locked.");
        let expected = "{\"error\":{\"code\":\"VAULT_LOCKED\",\"message\":\"Your keychain is locked.\",\
                        \"recovery\":\"UNLOCK_KEYCHAIN\"}}\n";
        assert_eq!(printed(|out| error(out, &refusal)), expected);
    }

    #[test]
    fn a_broken_off_list_is_still_one_document() {
        let text = printed(|out| {
            let mut list = List::begin(out, "attendees")?;
            list.write(out, &["a"])?;
            list.end_with_error(out, &CommandError::bad_input("x"))
        });
        let document: serde_json::Value = serde_json::from_str(&text).expect("one JSON document");
        assert_eq!(document["attendees"][0], "a");
        assert_eq!(document["error"]["code"], "BAD_INPUT");
    }

    #[test]
    fn hostile_text_is_escaped_and_read_back_unchanged() {
        let hostile = "a\u{1b}[2J\u{9b}\u{202e}b\u{e0041}\u{7f}\n\"é東";
        let text = printed(|out| document(out, &hostile));
        assert_eq!(
            text,
            "\"a\\u001b[2J\\u009b\\u202eb\\udb40\\udc41\\u007f\\n\\\"é東\"\n"
        );
        assert_eq!(serde_json::from_str::<String>(&text).expect("JSON"), hostile);
    }
}
