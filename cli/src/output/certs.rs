//! Certificates as people and machines want to see them; never a key.

use std::fmt::Write as _;

use certs::Summary;
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::json_v1;
use crate::{plain, report::Problem};

/// A certificate, where it was read, and what is known beside it.
#[derive(Debug)]
pub struct Entry {
    /// The file as given.
    pub file: String,
    /// What the certificate says.
    pub summary: Summary,
    /// Whether the authority beside it signed it; `None` when there is none.
    pub is_trusted: Option<bool>,
}

/// Certificates for people.
#[must_use]
pub fn text(entries: &[Entry], now: OffsetDateTime) -> String {
    let mut text = String::new();
    for Entry { file, summary, is_trusted } in entries {
        let what = if summary.is_authority { "authority" } else { "certificate" };
        let names = if summary.names.is_empty() { "none".to_owned() } else { summary.names.join(", ") };
        let days = summary.days_left(now);
        let left = match days {
            _ if now < summary.not_before => "not yet valid".to_owned(),
            0.. => format!("{days} days left"),
            _ => format!("expired {} days ago", -days),
        };
        let signed = match is_trusted {
            Some(true) => "  signed by    the authority beside it\n",
            Some(false) => "  signed by    another authority than the one beside it\n",
            None => "",
        };
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "{}: {what}, {}\n  subject      {}\n  issuer       {}\n  names        {}\n  valid        {} to {} ({left})\n  serial       {}\n{signed}",
            plain::line(file),
            summary.key,
            plain::line(&summary.subject),
            plain::line(&summary.issuer),
            plain::line(&names),
            day(summary.not_before),
            day(summary.not_after),
            summary.serial,
        );
    }
    text
}

/// Certificates for machines, version 1.
#[must_use]
pub fn json(entries: &[Entry], problems: &[Problem], now: OffsetDateTime) -> String {
    let one = |Entry { file, summary, is_trusted }: &Entry| -> Value {
        json!({
            "file": file,
            "subject": summary.subject,
            "issuer": summary.issuer,
            "names": summary.names,
            "notBefore": day(summary.not_before),
            "notAfter": day(summary.not_after),
            "daysLeft": summary.days_left(now),
            "serial": summary.serial,
            "key": summary.key.to_string(),
            "isAuthority": summary.is_authority,
            "isTrusted": is_trusted,
        })
    };
    let all: Vec<Value> = entries.iter().map(one).collect();
    format!("{:#}\n", json!({"version": 1, "certificates": all, "errors": json_v1::errors(problems)}))
}

fn day(moment: OffsetDateTime) -> String {
    moment.format(&Rfc3339).unwrap_or_else(|_| moment.to_string())
}
