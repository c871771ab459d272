//! SQL is written out: what varies is bound, never put into the text. Where a statement is put together all the same, it
//! may hold our own constants and the few names below, which hold words of ours and nothing that came from outside.

/// Where statements are.
const STORE: &str = "src-tauri/crates/adapters/src/";

/// What tells a statement, or a part of one, from any other text.
const WORDS: [&str; 8] = [
    "SELECT", "INSERT", "UPDATE", "DELETE", "FROM", "WHERE", "PRAGMA", "ORDER BY",
];

/// File by file, the variables that may stand in a statement: each is taken from a list in the same file. `""` is what
/// stands without a name.
const KNOWN: [(&str, &[&str]); 7] = [
    ("store/history.rs", &["comparison", "direction"]),
    ("store/integrations.rs", &["own", "table"]),
    ("store/items.rs", &["condition", "rows", "table"]),
    // The columns are those of our own schema.
    ("store/local_facts.rs", &["", "places", "table"]),
    ("store/registrations.rs", &["column", "table"]),
    // The tables are those of our own steps, or nothing is asked.
    ("store/sums.rs", &["cells", "name"]),
    ("store/support_facts.rs", &["table"]),
];

/// What is put into statements although nobody has looked at where it comes from.
pub(super) fn complaints_about(path: &str, text: &str) -> Vec<String> {
    let Some(file) = path.strip_prefix(STORE) else {
        return Vec::new();
    };
    let known = KNOWN
        .iter()
        .find(|(known, _)| *known == file)
        .map_or(&[][..], |(_, names)| *names);
    let mut complaints = Vec::new();
    for (start, _) in text.match_indices("format!(") {
        let Some(literal) = literal(&text[start + "format!(".len()..]) else {
            continue;
        };
        if !WORDS.iter().any(|word| literal.contains(word)) {
            continue;
        }
        let line = text[..start].lines().count().max(1);
        for name in placeholders(literal) {
            if !is_constant(name) && !known.contains(&name) {
                complaints.push(format!(
                    "{path}:{line} puts {{{name}}} into a statement: bind it, or make it a constant."
                ));
            }
        }
    }
    complaints
}

/// The text between the quotes that come first.
fn literal(after: &str) -> Option<&str> {
    let text = after.trim_start().strip_prefix('"')?;
    let mut escaped = false;
    let end = text.find(|letter| {
        let ends = letter == '"' && !escaped;
        escaped = letter == '\\' && !escaped;
        ends
    })?;
    Some(&text[..end])
}

/// The names in `{name}` and `{name:form}`; braces that are doubled stand for themselves.
fn placeholders(literal: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = literal;
    while let Some(start) = rest.find('{') {
        rest = &rest[start + 1..];
        if let Some(after) = rest.strip_prefix('{') {
            rest = after;
            continue;
        }
        let end = rest.find('}').unwrap_or(rest.len());
        names.push(rest[..end].split(':').next().unwrap_or_default());
        rest = &rest[end..];
    }
    names
}

fn is_constant(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    !name.is_empty() && name.bytes().all(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(file: &str, statement: &str) -> Vec<String> {
        let text = format!("fn read() {{\n    prepare(&format!(\n        {statement}\n    ))\n}}\n");
        complaints_about(&format!("{STORE}{file}"), &text)
    }

    #[test]
    fn statements_hold_constants_and_names_that_were_looked_at() {
        for (file, statement) in [
            ("store/any.rs", r#""{SELECT} WHERE feed.id = ?1""#),
            ("store/any.rs", r#""INSERT INTO item VALUES ('{{}}')""#),
            ("store/items.rs", r#""{SELECT} WHERE {condition}""#),
            (
                "store/local_facts.rs",
                r#""INSERT INTO {table} ({}) VALUES ({places})", columns"#,
            ),
            ("store/any.rs", r#""The file {name} cannot be read.""#),
        ] {
            assert_eq!(complaints(file, statement), Vec::<String>::new(), "{statement}");
        }
    }

    #[test]
    fn anything_else_in_a_statement_is_refused_by_name_and_place() {
        for (file, statement, name) in [
            (
                "store/any.rs",
                r#""SELECT * FROM item WHERE id = '{id}'""#,
                "{id}",
            ),
            ("store/any.rs", r#""{SELECT} WHERE {condition}""#, "{condition}"),
            (
                "store/items.rs",
                r#""{SELECT} WHERE title = \"{title:?}\"""#,
                "{title}",
            ),
            ("store/any.rs", r#""DELETE FROM {}", table"#, "{}"),
        ] {
            let complaints = complaints(file, statement);
            assert_eq!(complaints.len(), 1, "{statement}: {complaints:?}");
            assert!(
                complaints[0].contains(name) && complaints[0].contains(&format!("{file}:2 ")),
                "{statement}: {complaints:?}"
            );
        }
    }
}
