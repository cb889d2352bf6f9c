//! Values of telling elements of XML: `<password>x</password>`.

use super::{super::HIDDEN, names::is_telling};

/// Hides what stands in elements with telling names, to the next end of one.
pub(super) fn hidden(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (head, tag) = rest.split_at(at + 1);
        shown.push_str(head);
        rest = tag;
        let Some(close) = tag.find(['<', '>']).filter(|close| tag[*close..].starts_with('>')) else {
            continue;
        };
        let name = tag[..close].split([' ', '/']).next().unwrap_or_default();
        let local = name.rsplit(':').next().unwrap_or_default();
        let is_element = !tag.starts_with('/') && !tag[..close].ends_with('/') && is_telling(local);
        let value = &tag[close + 1..];
        let length = value.find("</").unwrap_or(value.len());
        if is_element && length > 0 {
            shown.extend([&tag[..=close], HIDDEN]);
            rest = &value[length..];
        }
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_telling_elements_is_hidden() {
        assert_eq!(hidden("<a><password>X</password></a>"), "<a><password>***</password></a>");
        assert_eq!(hidden(r#"<ns:apiKey attr="1">X</ns:apiKey>"#), r#"<ns:apiKey attr="1">***</ns:apiKey>"#);
        assert_eq!(hidden("<password><![CDATA[X<Y]]></password>"), "<password>***</password>");
        assert_eq!(hidden("<password>X"), "<password>***");
    }

    #[test]
    fn other_elements_stay() {
        for line in
            ["<user>app</user>", "a < b > c", "<password/><user>a</user>", "<none>", "<password></password>"]
        {
            assert_eq!(hidden(line), line);
        }
    }
}
