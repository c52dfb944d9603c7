use serde::{Deserialize, Serialize};

use crate::{Address, Extra, text::said};

/// A guest, as far as the channel sends it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(example = json!({
    "id": "guest-88", "firstName": "Amara", "lastName": "Lindqvist", "email": "amara@example.org",
    "phone": "+46 70 000 00 00", "country": "SE", "language": "sv"
}))]
#[serde(rename_all = "camelCase", default)]
pub struct Guest {
    /// The channel's id of the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The whole name, if the channel sends one text; never split by guessing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Given name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Family name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// E-mail; possibly a forwarding alias of the booking site.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// As written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Upper-case ISO 3166, if the payload allows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Language tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The address, if more than the country is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// Additional members from the channel.
    #[serde(skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

/// Domains of forwarding aliases, which booking sites reuse for many guests.
const ALIAS_DOMAINS: [&str; 8] = [
    "guest.booking.com",
    "guest.airbnb.com",
    "reply.airbnb.com",
    "m.expediapartnercentral.com",
    "messages.homeaway.com",
    "messages.vrbo.com",
    "guest.trip.com",
    "agoda-messaging.com",
];

impl Guest {
    /// The identity of a person within an account: own e-mail address and family name, in lower case. Neither alone is
    /// enough: families share addresses, and strangers share names.
    pub fn identity(&self) -> Option<(String, String)> {
        self.own_email().zip(self.family_name())
    }

    /// The e-mail address in lower case, unless it is a forwarding alias.
    pub fn own_email(&self) -> Option<String> {
        let email = self.email.as_ref()?.trim().to_lowercase();
        let (_, domain) = email.split_once('@').filter(|(local, domain)| !local.is_empty() && domain.contains('.'))?;
        let alias = ALIAS_DOMAINS
            .iter()
            .any(|known| domain == *known || domain.strip_suffix(known).is_some_and(|rest| rest.ends_with('.')));
        (!alias).then_some(email)
    }

    /// The family name in lower case.
    pub fn family_name(&self) -> Option<String> {
        let name = self.last_name.as_ref()?.trim().to_lowercase();
        (!name.is_empty()).then_some(name)
    }

    /// Whether nothing is known of this guest.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The family name, or the whole name if there is none.
    pub fn filed_last_name(&self) -> Option<&str> {
        self.last_name.as_deref().or(self.name.as_deref())
    }

    /// The country, or the country of the address if there is none.
    pub fn filed_country(&self) -> Option<&str> {
        self.country.as_deref().or_else(|| self.address.as_ref()?.country.as_deref())
    }

    /// Drops empty texts.
    pub fn normalise(&mut self) {
        for field in self.fields_mut() {
            said(field);
        }
        self.address = self.address.take().and_then(Address::if_said);
    }

    /// Fills absent values from `stored`.
    pub fn fill(&mut self, stored: &Self) {
        let mut stored = stored.clone();
        for (mine, theirs) in self.fields_mut().into_iter().zip(stored.fields_mut()) {
            if mine.is_none() {
                *mine = theirs.take();
            }
        }
        self.address = self.address.take().or(stored.address);
        self.extra.fill(&stored.extra);
    }

    fn fields_mut(&mut self) -> [&mut Option<String>; 8] {
        let Self { id, name, first_name, last_name, email, phone, country, language, address: _, extra: _ } = self;
        [id, name, first_name, last_name, email, phone, country, language]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guest_identity_is_email_and_family_name() {
        let guest = |email: &str, last: Option<&str>| Guest {
            email: Some(email.to_owned()),
            last_name: last.map(str::to_owned),
            ..Guest::default()
        };
        let known = guest(" Noor@Example.org ", Some("de Wit")).identity();
        assert_eq!(known, Some(("noor@example.org".to_owned(), "de wit".to_owned())));
        for (email, last) in [
            ("x-123@guest.booking.com", Some("de Wit")),
            ("x@eu.guest.booking.com", Some("de Wit")),
            ("noor@example.org", None),
            ("noor", Some("de Wit")),
            ("@example.org", Some("de Wit")),
        ] {
            assert_eq!(guest(email, last).identity(), None, "{email}");
        }
    }
}
