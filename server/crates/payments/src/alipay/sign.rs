//! The texts that Alipay's signatures cover. Only RSA2 (RSA with SHA-256) is accepted: a message cannot choose a weaker
//! algorithm.

use crate::form::Fields;

pub const SIGN_TYPE: &str = "RSA2";

/// The signed text of a request: all non-empty fields but `sign`, sorted by name, not URL-encoded.
#[must_use]
pub fn request_text(fields: &Fields) -> String {
    join(fields.iter().filter(|(name, value)| *name != "sign" && !value.is_empty()))
}

/// The signed text of a notification: all fields but `sign` and `sign_type`, URL-decoded, sorted by name.
#[must_use]
pub fn notify_text(fields: &Fields) -> String {
    join(fields.iter().filter(|(name, _)| *name != "sign" && *name != "sign_type"))
}

fn join<'a>(fields: impl Iterator<Item = (&'a String, &'a String)>) -> String {
    let mut text = String::new();
    for (name, value) in fields {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
        text.push_str(value);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form;
    use crate::rsa::{PrivateKey, PublicKey};

    #[test]
    fn alipay_request_signature_matches_openssl() {
        let text = include_str!("vectors/request.txt");
        let fields: Fields = text
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .chain([("sign".into(), "anything".into()), ("app_auth_token".into(), String::new())])
            .collect();
        assert_eq!(request_text(&fields), text);
        let key = PrivateKey::parse(include_str!("vectors/app-pkcs1.pem")).unwrap();
        assert_eq!(key.sign(text.as_bytes()).unwrap(), include_str!("vectors/request.sig").trim());
    }

    #[test]
    fn alipay_notification_text_matches_openssl() {
        let fields = form::parse(include_bytes!("vectors/notify.txt")).unwrap();
        let key = PublicKey::parse(include_str!("vectors/gateway-public.pem")).unwrap();
        assert!(key.verifies(notify_text(&fields).as_bytes(), &fields["sign"]));
        assert!(!key.verifies(request_text(&fields).as_bytes(), &fields["sign"]), "sign_type is not covered here");
    }

    #[test]
    fn signed_fields_are_sorted_by_name() {
        let fields: Fields = [("ab", "1"), ("a", "2"), ("a_b", "3")].map(|(n, v)| (n.into(), v.into())).into();
        assert_eq!(request_text(&fields), "a=2&a_b=3&ab=1");
    }
}
