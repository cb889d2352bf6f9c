//! Texts with several PEM sections: the certificates that somebody is told to trust.

use rustls_pki_types::CertificateDer;

use crate::pair;

/// The PEM sections of a text, each from its first dash to its last; one that does not end is none.
pub fn sections(text: &str) -> impl Iterator<Item = &str> {
    const BEGIN: &str = "-----BEGIN ";
    const END: &str = "-----END ";
    const DASHES: &str = "-----";
    text.match_indices(BEGIN).filter_map(|(start, _)| {
        let rest = &text[start..];
        let end = rest.find(END)? + END.len();
        let end = end + rest[end..].find(DASHES)? + DASHES.len();
        Some(&rest[..end])
    })
}

/// Every certificate of these texts once, in their order, as one text; `None` where there is none.
#[must_use]
pub fn union<'a>(texts: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut known: Vec<CertificateDer<'static>> = Vec::new();
    let mut all = String::new();
    for section in texts.into_iter().flat_map(sections) {
        let Ok(mut certificates) = pair::certificates(section.as_bytes()) else { continue };
        let certificate = certificates.swap_remove(0);
        if !known.contains(&certificate) {
            known.push(certificate);
            all.push_str(section);
            all.push('\n');
        }
    }
    (!all.is_empty()).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Authority, authority::DAY};

    #[test]
    fn each_certificate_stands_once_and_rubbish_never() {
        let [one, other] =
            [(); 2].map(|()| Authority::new("demo", DAY).unwrap().certificate_pem().to_owned());
        let both = union([one.as_str(), "rubbish", &format!("{other}{one}"), "-----BEGIN X"]).unwrap();
        let expected: Vec<_> = [one.trim(), other.trim()].into();
        assert_eq!(sections(&both).collect::<Vec<_>>(), expected);
        assert_eq!(union([both.as_str()]).as_deref(), Some(both.as_str()));
        assert_eq!(union(["", "rubbish"]), None);
    }
}
