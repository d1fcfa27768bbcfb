//! What the owner of a mail domain publishes in the DNS, and whether it is there.

use super::EmailIdentity;
use crate::SenderId;

/// What a record is for. The names are persisted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Purpose {
    /// Shows that this tenant controls the domain: others may know everything else about it.
    Ownership,
    /// Lets Amazon SES sign mail: one of the three records of Easy DKIM.
    Dkim(u8),
    /// Says that Amazon SES may send with our return path.
    Spf,
    /// Brings bounces back to Amazon SES.
    ReturnPath,
    /// Says what receivers do with mail that fails the checks.
    Dmarc,
}

impl Purpose {
    /// As it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ownership => "ownership",
            Self::Dkim(1) => "dkim_1",
            Self::Dkim(2) => "dkim_2",
            Self::Dkim(_) => "dkim_3",
            Self::Spf => "spf",
            Self::ReturnPath => "return_path",
            Self::Dmarc => "dmarc",
        }
    }

    /// Whether a domain counts as verified without it.
    pub const fn is_required(self) -> bool {
        matches!(self, Self::Ownership | Self::Dkim(_))
    }
}

/// Types of records that matter here.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RecordType {
    /// Text.
    Txt,
    /// Another name.
    Cname,
    /// A mail exchanger, with its preference.
    Mx,
}

impl RecordType {
    /// As zone files write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Txt => "TXT",
            Self::Cname => "CNAME",
            Self::Mx => "MX",
        }
    }
}

/// A record to publish.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DnsRecord {
    /// What for.
    pub purpose: Purpose,
    /// Its type.
    pub record_type: RecordType,
    /// Its name, without a dot at its end.
    pub name: String,
    /// Its value: text, a name without a dot at its end, or preference and name.
    pub value: String,
}

/// How many tokens Easy DKIM has.
pub const DKIM_TOKENS: usize = 3;

/// The records of an identity. Those of DKIM are missing until its tokens are known, the return path until its `region` is.
///
/// Sources: Amazon SES Developer Guide, "Easy DKIM in Amazon SES" (CNAME records), "Using a custom MAIL FROM domain" (MX and
/// SPF); RFC 7489, section 6.3 (DMARC).
pub fn records(id: SenderId, email: &EmailIdentity, region: Option<&str>) -> Vec<DnsRecord> {
    let domain = email.domain();
    let record =
        |purpose, record_type, name: String, value: String| DnsRecord { purpose, record_type, name, value };
    let mut all = vec![record(
        Purpose::Ownership,
        RecordType::Txt,
        format!("_hermes.{domain}"),
        format!("hermes-sender={id}"),
    )];
    for (number, token) in (1..).zip(email.dkim_tokens.iter().take(DKIM_TOKENS)) {
        let (name, value) = (format!("{token}._domainkey.{domain}"), format!("{token}.dkim.amazonses.com"));
        all.push(record(Purpose::Dkim(number), RecordType::Cname, name, value));
    }
    let return_path = format!("bounce.{domain}");
    let spf = "v=spf1 include:amazonses.com ~all".to_owned();
    all.push(record(Purpose::Spf, RecordType::Txt, return_path.clone(), spf));
    if let Some(region) = region.or(email.region.as_deref()) {
        let value = format!("10 feedback-smtp.{region}.amazonses.com");
        all.push(record(Purpose::ReturnPath, RecordType::Mx, return_path, value));
    }
    let dmarc = "v=DMARC1; p=none;".to_owned();
    all.push(record(Purpose::Dmarc, RecordType::Txt, format!("_dmarc.{domain}"), dmarc));
    all
}

impl DnsRecord {
    /// Whether one of the values that the DNS has under this name and type will do. A stricter policy than ours does too.
    pub fn is_published(&self, found: &[String]) -> bool {
        let same = |found: &String| {
            let found = found.trim_end_matches('.');
            found.eq_ignore_ascii_case(&self.value)
        };
        match self.purpose {
            Purpose::Ownership => found.contains(&self.value),
            Purpose::Dkim(_) | Purpose::ReturnPath => found.iter().any(same),
            Purpose::Spf => found.iter().any(|text| is_spf(text)),
            Purpose::Dmarc => found.iter().any(|text| text.trim_start().starts_with("v=DMARC1")),
        }
    }
}

fn is_spf(text: &str) -> bool {
    let mut terms = text.split_ascii_whitespace();
    terms.next() == Some("v=spf1")
        && terms.any(|term| term.trim_start_matches('+') == "include:amazonses.com")
}

/// Whether enough is published for an identity to count as verified.
pub fn proves(records: &[DnsRecord], is_published: impl Fn(&DnsRecord) -> bool) -> bool {
    let dkim = records.iter().filter(|record| matches!(record.purpose, Purpose::Dkim(_))).count();
    dkim == DKIM_TOKENS && records.iter().filter(|record| record.purpose.is_required()).all(is_published)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UnixMillis;

    fn identity(tokens: usize) -> Vec<DnsRecord> {
        let mut email = EmailIdentity::new("news@acme.example".into());
        email.dkim_tokens = (1..=tokens).map(|number| format!("token{number}")).collect();
        records(SenderId::new(UnixMillis(1), 7), &email, Some("eu-west-1"))
    }

    #[test]
    fn the_records_of_a_domain_are_all_there() {
        let lines: Vec<_> = identity(3)
            .iter()
            .map(|record| {
                let DnsRecord { purpose, record_type, name, value } = record;
                format!("{} {name} {} {value}", purpose.as_str(), record_type.as_str())
            })
            .collect();
        assert!(
            lines[0].starts_with("ownership _hermes.acme.example TXT hermes-sender=snd_"),
            "{}",
            lines[0]
        );
        assert_eq!(
            lines[1..],
            [
                "dkim_1 token1._domainkey.acme.example CNAME token1.dkim.amazonses.com",
                "dkim_2 token2._domainkey.acme.example CNAME token2.dkim.amazonses.com",
                "dkim_3 token3._domainkey.acme.example CNAME token3.dkim.amazonses.com",
                "spf bounce.acme.example TXT v=spf1 include:amazonses.com ~all",
                "return_path bounce.acme.example MX 10 feedback-smtp.eu-west-1.amazonses.com",
                "dmarc _dmarc.acme.example TXT v=DMARC1; p=none;",
            ]
        );
    }

    #[test]
    fn ownership_and_all_three_keys_prove_a_domain_and_nothing_less() {
        let all = identity(3);
        assert!(proves(&all, |record| record.purpose.is_required()));
        assert!(!proves(&all, |record| record.purpose != Purpose::Ownership));
        assert!(!proves(&all, |record| record.purpose != Purpose::Dkim(2)));
        assert!(!proves(&identity(0), |_| true), "nobody has told the tokens");
    }

    #[test]
    fn what_is_published_is_recognised_as_the_dns_writes_it() {
        let all = identity(1);
        let published = |purpose, found: &str| {
            let record = all.iter().find(|record| record.purpose == purpose).unwrap();
            record.is_published(&[found.to_owned()])
        };
        assert!(published(Purpose::Dkim(1), "TOKEN1.dkim.amazonses.com."));
        assert!(!published(Purpose::Dkim(1), "token1.dkim.amazonses.com.evil.example"));
        assert!(published(Purpose::Spf, "v=spf1 ip4:192.0.2.1 include:amazonses.com -all"));
        assert!(!published(Purpose::Spf, "v=spf1 -all"));
        assert!(published(Purpose::Dmarc, "v=DMARC1; p=reject"));
        assert!(!published(Purpose::Ownership, "hermes-sender=snd_01J00000000000000000000000"));
    }
}
