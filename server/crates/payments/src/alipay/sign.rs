//! The texts that Alipay's signatures cover. RSA2 (RSA with SHA-256) only: a message does not choose its own algorithm.

use crate::form::Fields;

/// The only algorithm.
pub const SIGN_TYPE: &str = "RSA2";

/// The text of a request: every field with a value but the signature itself, in the order of the names, not encoded.
#[must_use]
pub fn request_text(fields: &Fields) -> String {
    join(fields.iter().filter(|(name, value)| *name != "sign" && !value.is_empty()))
}

/// The text of a notification: every field but the signature and its type, decoded once, in the order of the names.
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
    fn a_request_is_signed_as_openssl_signs_it() {
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
    fn a_notification_verifies_as_openssl_signed_it() {
        let fields = form::parse(include_bytes!("vectors/notify.txt")).unwrap();
        let key = PublicKey::parse(include_str!("vectors/gateway-public.pem")).unwrap();
        assert!(key.verifies(notify_text(&fields).as_bytes(), &fields["sign"]));
        assert!(!key.verifies(request_text(&fields).as_bytes(), &fields["sign"]), "sign_type is not covered here");
    }

    #[test]
    fn names_are_sorted_as_names() {
        let fields: Fields = [("ab", "1"), ("a", "2"), ("a_b", "3")].map(|(n, v)| (n.into(), v.into())).into();
        assert_eq!(request_text(&fields), "a=2&a_b=3&ab=1");
    }
}
