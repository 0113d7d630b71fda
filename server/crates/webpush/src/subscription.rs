//! Where a browser can be reached, and the keys that it gave out for that.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Characters of an endpoint. Those of the large push services have about 200.
const LONGEST_ENDPOINT: usize = 1_024;
/// Bytes of an uncompressed point of P-256.
pub(crate) const POINT: usize = 65;
/// Bytes of the authentication secret.
pub(crate) const SECRET: usize = 16;

/// One browser's subscription. Whoever has it can send nothing without the sender's key.
#[derive(Clone, PartialEq, Eq)]
pub struct Subscription {
    endpoint: String,
    public_key: [u8; POINT],
    secret: [u8; SECRET],
}

impl Subscription {
    /// From the members of `PushSubscription.toJSON()`; `None` where one is not what it should be. Whether the endpoint may be
    /// called is for the caller to say.
    #[must_use]
    pub fn new(endpoint: &str, public_key: &str, secret: &str) -> Option<Self> {
        let rest = endpoint.split_once("://").map(|(_, rest)| rest);
        let is_endpoint = endpoint.len() <= LONGEST_ENDPOINT
            && rest.and_then(|rest| rest.split_once('/')).is_some_and(|(host, _)| is_host(host))
            && endpoint.bytes().all(|byte| byte.is_ascii_graphic() && !br"#\".contains(&byte));
        let decoded = |text: &str| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok();
        let public_key: [u8; POINT] = decoded(public_key)?.try_into().ok()?;
        let secret: [u8; SECRET] = decoded(secret)?.try_into().ok()?;
        (is_endpoint && public_key.first() == Some(&4)).then(|| Self { endpoint: endpoint.to_owned(), public_key, secret })
    }

    /// The address that messages are posted to: a secret of the browser.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub(crate) const fn public_key(&self) -> &[u8; POINT] {
        &self.public_key
    }

    pub(crate) const fn secret(&self) -> &[u8; SECRET] {
        &self.secret
    }
}

/// A name or address with its port: what browsers read in the same way as people.
fn is_host(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte))
}

/// As it is stored: endpoint, public key and secret, with a blank between.
impl fmt::Display for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [public_key, secret] = [&self.public_key[..], &self.secret[..]].map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
        write!(f, "{} {public_key} {secret}", self.endpoint)
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subscription(***)")
    }
}

/// The text is no subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSubscription;

impl FromStr for Subscription {
    type Err = NoSubscription;

    fn from_str(text: &str) -> Result<Self, NoSubscription> {
        let mut parts = text.split(' ');
        let (endpoint, public_key, secret) = (parts.next(), parts.next(), parts.next());
        let (Some(endpoint), Some(public_key), Some(secret), None) = (endpoint, public_key, secret, parts.next()) else {
            return Err(NoSubscription);
        };
        Self::new(endpoint, public_key, secret).ok_or(NoSubscription)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

    #[test]
    fn a_subscription_round_trips_and_is_not_printed() {
        let one = Subscription::new("https://push.example/a", KEY, &format!("{AUTH}==")).unwrap();
        assert_eq!(one.to_string(), format!("https://push.example/a {KEY} {AUTH}"));
        assert_eq!(one.to_string().parse(), Ok(one.clone()));
        assert!(!format!("{one:?}").contains("push.example"));
    }

    #[test]
    fn malformed_subscriptions_are_refused() {
        for (endpoint, key, auth) in [
            ("https://push.example/a b", KEY, AUTH),
            ("push.example", KEY, AUTH),
            ("https://push.example", KEY, AUTH),
            ("https://evil.example#push.example/a", KEY, AUTH),
            (r"https://evil.example\push.example/a", KEY, AUTH),
            ("https://push.example@evil.example/a", KEY, AUTH),
            ("https://push.example/推", KEY, AUTH),
            ("https://push.example/a", AUTH, AUTH),
            ("https://push.example/a", KEY, KEY),
            ("https://push.example/a", "A", AUTH),
            (&format!("https://push.example/{}", "a".repeat(1_024)), KEY, AUTH),
        ] {
            assert_eq!(Subscription::new(endpoint, key, auth), None, "{endpoint}");
        }
        for text in ["", "https://a", "https://a b", &format!("https://a {KEY} {AUTH} x")] {
            assert_eq!(text.parse::<Subscription>(), Err(NoSubscription), "{text}");
        }
    }
}
