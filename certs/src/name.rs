//! A name that a certificate vouches for: a DNS name or an IP address.

use std::{fmt, net::IpAddr, str::FromStr};

use rustls_pki_types::DnsName;

/// A subject alternative name, in the form in which a client asks for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name {
    /// A DNS name in lower case, without a trailing dot; the first label may be `*`.
    Dns(String),
    /// An IPv4 or IPv6 address.
    Ip(IpAddr),
}

/// The text is neither an IP address nor a DNS name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is neither an IP address nor a DNS name; write it without scheme, brackets and port, non-ASCII names as punycode"
)]
pub struct Error {
    text: String,
}

impl FromStr for Name {
    type Err = Error;

    /// Reads an address if the text is one, else a DNS name; a trailing dot is dropped, since no client sends it.
    fn from_str(text: &str) -> Result<Self, Error> {
        if let Ok(address) = text.parse() {
            return Ok(Self::Ip(address));
        }
        let dns = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let checked = dns.strip_prefix("*.").unwrap_or(&dns);
        if DnsName::try_from(checked).is_err() {
            return Err(Error { text: text.to_owned() });
        }
        Ok(Self::Dns(dns))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(dns) => formatter.write_str(dns),
            Self::Ip(address) => address.fmt(formatter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_an_address_and_the_rest_is_dns() {
        assert_eq!("127.0.0.1".parse(), Ok(Name::Ip(IpAddr::from([127, 0, 0, 1]))));
        assert!(matches!("::1".parse(), Ok(Name::Ip(IpAddr::V6(_)))));
        assert_eq!("Hooks.Demo.svc.".parse(), Ok(Name::Dns("hooks.demo.svc".to_owned())));
        assert_eq!("*.demo.svc".parse(), Ok(Name::Dns("*.demo.svc".to_owned())));
    }

    #[test]
    fn what_no_client_could_ask_for_is_refused() {
        for text in ["", ".", "*", "a b", "https://a", "a:8443", "[::1]", "127.0.0.256", "bücher.de", "a..b"]
        {
            assert!(text.parse::<Name>().is_err(), "{text:?} was accepted");
        }
    }
}
