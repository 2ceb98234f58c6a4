//! HTML: text that means nothing but itself, and tables.

use std::fmt::Write;

/// Text with what HTML would take for markup replaced.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // No page may have these, whichever way they are written.
            control if control.is_control() && control != '\n' && control != '\t' => {
                out.push('\u{fffd}');
            }
            other => out.push(other),
        }
    }
    out
}

/// A table that scrolls by itself where the page is narrow. The first column is of words.
pub(super) fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let mut out = String::from("<div class=\"scroll\"><table><thead><tr>");
    for cell in head {
        let _ = write!(out, "<th scope=\"col\">{}</th>", escape(cell));
    }
    out.push_str("</tr></thead>");
    body(&mut out, rows);
    out.push_str("</table></div>\n");
    out
}

/// A table of two columns without a head: a name and what it is.
pub(super) fn list(rows: &[[String; 2]]) -> String {
    let mut out = String::from("<table class=\"list\">");
    body(&mut out, rows);
    out.push_str("</table>\n");
    out
}

fn body<const N: usize>(out: &mut String, rows: &[[String; N]]) {
    out.push_str("<tbody>");
    for row in rows {
        out.push_str("<tr>");
        for (i, cell) in row.iter().enumerate() {
            let cell = escape(cell);
            let _ = if i == 0 {
                write!(out, "<th scope=\"row\">{cell}</th>")
            } else {
                write!(out, "<td>{cell}</td>")
            };
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_taken_for_text() {
        let hostile = "<script>alert('a & \"b\"')</script>\u{1b}";
        let safe = "&lt;script&gt;alert(&#39;a &amp; &quot;b&quot;&#39;)&lt;/script&gt;\u{fffd}";
        assert_eq!(escape(hostile), safe);
        assert!(table([hostile], &[[hostile.to_owned()]]).matches(safe).count() == 2);
    }
}
