//! Text into HTML. Nothing else turns a string from a dump into markup.

use crate::ident::{visible, visible_multiline};

/// Escapes text for element content and quoted attributes; control and bidirectional characters are shown.
pub(super) fn escape(text: &str) -> String {
    entities(&visible(text))
}

/// Prose: line breaks are spaces.
pub(super) fn words(text: &str) -> String {
    if text.contains(['\n', '\r', '\t']) {
        return escape(&text.split(['\n', '\r', '\t']).collect::<Vec<_>>().join(" "));
    }
    escape(text)
}

/// Several lines, as in `<pre>`.
pub(super) fn lines(text: &str) -> String {
    entities(&visible_multiline(text))
}

/// A name that may break after `_`, `.` and `/`. `<wbr>` is not copied with the text, zero-width spaces would be.
pub(super) fn breakable(text: &str) -> String {
    let escaped = escape(text);
    let mut out = String::with_capacity(escaped.len() + 24);
    let mut chars = escaped.chars().peekable();
    while let Some(c) = chars.next() {
        out.push(c);
        if matches!(c, '_' | '.' | '/') && chars.peek().is_some_and(|n| !matches!(n, '_' | '.' | '/')) {
            out.push_str("<wbr>");
        }
    }
    out
}

fn entities(text: &str) -> String {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        assert_eq!(escape("</script>\"'&\n\u{202e}"), "&lt;/script&gt;&quot;&#39;&amp;\\n\\u{202e}");
        assert_eq!(words("a\nb"), "a b");
        assert_eq!(lines("a\n\u{7}<"), "a\n\\u{7}&lt;");
        assert_eq!(breakable("public.a__b&c"), "public.<wbr>a__<wbr>b&amp;c");
        assert_eq!(breakable("a_"), "a_");
    }
}
