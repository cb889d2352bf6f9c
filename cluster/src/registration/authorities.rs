//! Sets of authorities, as a CA bundle names them: what counts is which certificates it holds, not how it is written.

use base64::{Engine as _, prelude::BASE64_STANDARD};

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";
/// Characters per line.
///
/// Source: RFC 7468, section 2.
const WIDTH: usize = 64;

/// Certificates in DER, each once, in the order in which they were met.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Authorities(Vec<Vec<u8>>);

impl Authorities {
    /// Those of a PEM text; what is no certificate is left out.
    pub(super) fn of_pem(text: &str) -> Self {
        let mut all = Self::default();
        for rest in text.split(BEGIN).skip(1) {
            let Some((body, _)) = rest.split_once(END) else { continue };
            let body: String = body.split_whitespace().collect();
            if let Ok(certificate) = BASE64_STANDARD.decode(body) {
                all.add(&certificate);
            }
        }
        all
    }

    /// Those of a field `caBundle`, which is PEM in base64.
    pub(super) fn of_field(field: &str) -> Self {
        let text = BASE64_STANDARD.decode(field).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        text.as_deref().map(Self::of_pem).unwrap_or_default()
    }

    /// As PEM; empty for none.
    pub(super) fn pem(&self) -> String {
        let mut text = String::new();
        for certificate in &self.0 {
            let body = BASE64_STANDARD.encode(certificate);
            let lines = body.as_bytes().chunks(WIDTH).map(String::from_utf8_lossy);
            text.extend(
                std::iter::once(BEGIN.into())
                    .chain(lines)
                    .chain([END.into()])
                    .flat_map(|line| [line, "\n".into()]),
            );
        }
        text
    }

    /// As a field `caBundle`.
    pub(super) fn field(&self) -> String {
        BASE64_STANDARD.encode(self.pem())
    }

    /// Each certificate in DER.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(Vec::as_slice)
    }

    pub(super) fn contains(&self, certificate: &[u8]) -> bool {
        self.iter().any(|known| known == certificate)
    }

    pub(super) fn contains_all(&self, others: &Self) -> bool {
        others.iter().all(|certificate| self.contains(certificate))
    }

    /// Whether both name the same, in whatever order.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.contains_all(other)
    }

    /// Adds one that is not there yet, at the end.
    pub(super) fn add(&mut self, certificate: &[u8]) {
        if !self.contains(certificate) {
            self.0.push(certificate.to_vec());
        }
    }

    /// Adds those that are not there yet, at the end.
    pub(super) fn extend(&mut self, others: &Self) {
        others.iter().for_each(|certificate| self.add(certificate));
    }

    /// Keeps those for which this is so.
    pub(super) fn retain(&mut self, is_kept: impl Fn(&[u8]) -> bool) {
        self.0.retain(|certificate| is_kept(certificate));
    }
}

/// What stands for a certificate where nobody looks into it.
#[cfg(test)]
pub(super) fn stand_in(name: &str) -> String {
    format!("{BEGIN}\n{}\n{END}\n", BASE64_STANDARD.encode(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_a_bundle_is_written_does_not_count() {
        let [one, other] = ["one", "other"].map(stand_in);
        let both =
            Authorities::of_pem(&format!("subject: x\n{one}\r\n{other}{one}-----BEGIN CERTIFICATE-----\n"));
        assert_eq!(both.pem(), format!("{one}{other}"));
        assert!(both.is_same(&Authorities::of_pem(&format!("{other}{one}"))));
        assert!(
            both.contains_all(&Authorities::of_pem(&one)) && !Authorities::of_pem(&one).contains_all(&both)
        );
        assert_eq!(Authorities::of_field(&both.field()), both);
        for rubbish in ["", "rubbish", "cnViYmlzaA=="] {
            assert_eq!(Authorities::of_field(rubbish), Authorities::default());
        }
    }

    #[test]
    fn long_certificates_are_written_in_lines() {
        let long = Authorities(vec![vec![7; 100]]);
        assert!(long.pem().lines().all(|line| line.len() <= WIDTH));
        assert_eq!(Authorities::of_pem(&long.pem()), long);
    }
}
