//! The address at which the API server reaches a server outside of the cluster: `https://HOST:PORT`, and nothing more.

use std::{fmt, net::Ipv6Addr, str::FromStr};

use certs::Name;
use http::Uri;

/// A host, and a port unless it is 443.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerUrl {
    host: Name,
    port: Option<u16>,
}

/// Why an address is none at which a webhook can be registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// No address at all.
    #[error("write https://HOST:PORT")]
    Form,
    /// Source: Kubernetes 1.36 `k8s.io/apiserver/pkg/util/webhook/validation.go`.
    #[error("write https://HOST:PORT; the API server asks webhooks by https only")]
    Scheme,
    /// Source: the same.
    #[error("write https://HOST:PORT; the API server takes no user in the address of a webhook")]
    User,
    /// No name that a certificate could be for.
    #[error("write https://HOST:PORT; the host is no DNS name and no IP address")]
    Host,
    /// No port.
    #[error("write https://HOST:PORT; a port is a number from 1 to 65535")]
    Port,
    /// More than an address.
    #[error("write https://HOST:PORT; nothing may follow, since the paths are the server's own")]
    Path,
}

impl ServerUrl {
    /// The name or address that the certificate must be for, without brackets.
    #[must_use]
    pub fn host(&self) -> String {
        self.host.to_string()
    }
}

impl FromStr for ServerUrl {
    type Err = Unusable;

    fn from_str(text: &str) -> Result<Self, Unusable> {
        let uri: Uri = text.parse().map_err(|_| Unusable::Form)?;
        let (scheme, authority) = uri.scheme_str().zip(uri.authority()).ok_or(Unusable::Form)?;
        if !scheme.eq_ignore_ascii_case("https") {
            return Err(Unusable::Scheme);
        }
        if authority.as_str().contains('@') {
            return Err(Unusable::User);
        }
        // What stands behind a # is not kept.
        if uri.path_and_query().is_some_and(|rest| rest != "/") || text.contains('#') {
            return Err(Unusable::Path);
        }
        let written = authority.host();
        let port = match authority.as_str()[written.len()..].strip_prefix(':') {
            None => None,
            Some(port) => Some(port.parse().ok().filter(|port| *port != 0).ok_or(Unusable::Port)?),
        };
        Ok(Self { host: host(written).ok_or(Unusable::Host)?, port })
    }
}

fn host(written: &str) -> Option<Name> {
    match written.strip_prefix('[') {
        Some(rest) => {
            rest.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(|address| Name::Ip(address.into()))
        }
        None => written.parse().ok().filter(|_| !written.starts_with('*')),
    }
}

/// As the API server wants it: without a slash at the end.
impl fmt::Display for ServerUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Name::Ip(address) if address.is_ipv6() => write!(formatter, "https://[{address}]")?,
            host => write!(formatter, "https://{host}")?,
        }
        self.port.map_or(Ok(()), |port| write!(formatter, ":{port}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port() {
        for (written, read, host) in [
            ("https://10.0.0.1:8443/", "https://10.0.0.1:8443", "10.0.0.1"),
            ("HTTPS://Hooks.demo.svc", "https://hooks.demo.svc", "hooks.demo.svc"),
            ("https://[::1]:8443", "https://[::1]:8443", "::1"),
        ] {
            let url: ServerUrl = written.parse().unwrap();
            assert_eq!((url.to_string().as_str(), url.host().as_str()), (read, host));
        }
    }

    #[test]
    fn what_no_webhook_can_have_was_registered_or_blamed_on_the_certificate() {
        for (written, why) in [
            ("", Unusable::Form),
            ("a:8443", Unusable::Form),
            ("/foo", Unusable::Form),
            ("https://", Unusable::Form),
            ("http://a:8443", Unusable::Scheme),
            ("https://u@a", Unusable::User),
            ("https://u:p@a:1", Unusable::User),
            ("https://a:99999", Unusable::Port),
            ("https://a:0", Unusable::Port),
            ("https://a:abc", Unusable::Port),
            ("https://a/foo", Unusable::Path),
            ("https://a/?x=1", Unusable::Path),
            ("https://a#x", Unusable::Path),
            ("https://*.demo.svc", Unusable::Host),
            ("https://-a", Unusable::Host),
            ("https://256.0.0.1:1", Unusable::Host),
        ] {
            assert_eq!(written.parse::<ServerUrl>(), Err(why), "{written}");
        }
    }
}
