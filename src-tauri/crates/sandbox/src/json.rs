//! Writing JSON by hand where speed matters: records are rendered once and pages are joined from the
//! rendered strings. Owns escaping and time formats.

use jiff::Timestamp;
use jiff::fmt::strtime;

/// Appends `text` as a JSON string.
pub(crate) fn push_text(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.find(|sign: char| sign == '"' || sign == '\\' || sign < ' ') {
        out.push_str(&rest[..at]);
        let sign = rest[at..].chars().next().unwrap_or(' ');
        match sign {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            other => out.push_str(&format!("\\u{:04x}", u32::from(other))),
        }
        rest = &rest[at + sign.len_utf8()..];
    }
    out.push_str(rest);
    out.push('"');
}

/// Appends `,"name":"text"`.
pub(crate) fn push_field(out: &mut String, name: &str, text: &str) {
    out.push_str(",\"");
    out.push_str(name);
    out.push_str("\":");
    push_text(out, text);
}

/// Appends `,"name":"text"` or `,"name":null`.
pub(crate) fn push_optional(out: &mut String, name: &str, text: Option<&str>) {
    match text {
        Some(text) => push_field(out, name, text),
        None => {
            out.push_str(",\"");
            out.push_str(name);
            out.push_str("\":null");
        }
    }
}

/// `2026-05-12T02:00:00Z`.
pub(crate) fn seconds(at: Timestamp) -> String {
    format!("{at:.0}")
}

/// `2026-05-12T02:00:00.000Z`.
pub(crate) fn milliseconds(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// The `Date` header's form.
pub(crate) fn http_date(at: Timestamp) -> String {
    strtime::format("%a, %d %b %Y %H:%M:%S GMT", at).unwrap_or_default()
}
