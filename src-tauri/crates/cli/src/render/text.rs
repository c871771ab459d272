//! Text as it may reach a terminal. Titles, names and messages hold what strangers typed at a provider: everything
//! printed for a person passes through [`plain`] first.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Marks that may follow one character. No script needs more; more of them paint over the lines above.
const MARKS_TOLERATED: usize = 4;

/// One line that cannot move the cursor, change colours, reverse its neighbours or hide anything. Line breaks, tabs and
/// runs of blanks become one blank; other control characters become visible; invisible ones disappear.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut marks = 0;
    for character in text.chars() {
        if character.is_whitespace() {
            if !out.is_empty() && !out.ends_with(' ') {
                out.push(' ');
            }
            marks = 0;
        } else if character.is_control() {
            out.push(char::REPLACEMENT_CHARACTER);
            marks = 0;
        } else if is_invisible(character) {
            // Dropped: it would reorder or hide what stands beside it.
        } else if character.width() == Some(0) {
            marks += 1;
            if marks <= MARKS_TOLERATED {
                out.push(character);
            }
        } else {
            out.push(character);
            marks = 0;
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// Characters that reorder or hide text. The joiners (U+200C, U+200D) stay: Persian, Indic scripts and emoji need them.
pub(crate) fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{180e}'
            | '\u{200b}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// How many columns a terminal needs for it.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// The text in at most `columns` columns; what does not fit becomes "…".
pub(crate) fn shorten(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        let wide = width(grapheme);
        if used + wide + 1 > columns {
            break;
        }
        out.push_str(grapheme);
        used += wide;
    }
    out.truncate(out.trim_end().len());
    if columns > 0 {
        out.push('…');
    }
    out
}

/// Breaks a sentence into lines of at most `columns` columns, between words; a longer word stands alone.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(word) <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_becomes_one_harmless_line() {
        let table = [
            ("Harbour Makers Night", "Harbour Makers Night"),
            ("two\r\nlines\tand  blanks ", "two lines and blanks"),
            ("\u{1b}[31mred\u{1b}[0m", "\u{fffd}[31mred\u{fffd}[0m"),
            ("\u{1b}]0;title\u{7}", "\u{fffd}]0;title\u{fffd}"),
            ("c1 \u{9b}2J", "c1 \u{fffd}2J"),
            ("back\u{8}space", "back\u{fffd}space"),
            ("exe\u{202e}fdp.", "exefdp."),
            ("\u{2066}isolated\u{2069}", "isolated"),
            ("zero\u{200b}width\u{feff}", "zerowidth"),
            ("line\u{2028}separator", "line separator"),
            ("نام\u{200c}خانوادگی", "نام\u{200c}خانوادگی"),
            ("👩\u{200d}💻", "👩\u{200d}💻"),
            ("e\u{301}", "e\u{301}"),
            ("\u{e0041}tag", "tag"),
            ("\u{1b}", "\u{fffd}"),
            (" \n ", ""),
        ];
        for (hostile, expected) in table {
            assert_eq!(plain(hostile), expected, "{hostile:?} must be neutralised");
        }
    }

    #[test]
    fn piled_up_marks_are_cut() {
        let piled = format!("Z{}algo", "\u{334}".repeat(200));
        assert_eq!(
            plain(&piled),
            format!("Z{}algo", "\u{334}".repeat(MARKS_TOLERATED))
        );
    }

    #[test]
    fn shortening_counts_columns_and_keeps_characters_whole() {
        assert_eq!(shorten("Autumn Summit", 13), "Autumn Summit");
        assert_eq!(shorten("Autumn Summit", 8), "Autumn…");
        assert_eq!(shorten("東京メイカーズ", 7), "東京メ…");
        assert_eq!(shorten("東京メイカーズ", 6), "東京…");
        assert_eq!(shorten("e\u{301}e\u{301}e\u{301}", 2), "e\u{301}…");
        assert_eq!(shorten("ab", 0), "");
    }

    #[test]
    fn sentences_wrap_between_words() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("unbreakable x", 4), ["unbreakable", "x"]);
    }
}
