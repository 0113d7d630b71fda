//! Addresses on this site.

/// `path` with one more query parameter, percent-encoded.
#[must_use]
pub fn with(path: &str, key: &str, value: &str) -> String {
    let joint = if path.contains('?') { '&' } else { '?' };
    let mut link = format!("{path}{joint}{key}=");
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) {
            link.push(char::from(byte));
        } else {
            link.push_str(&format!("%{byte:02X}"));
        }
    }
    link
}

/// The path if it stays on this site, otherwise `/`: a crafted link must not lead to another site after the log-in.
#[must_use]
pub fn local(path: &str) -> &str {
    let is_local = path.starts_with('/') && !path.starts_with("//") && !path.contains('\\');
    if is_local && path.bytes().all(|byte| byte.is_ascii_graphic()) { path } else { "/" }
}

/// The address without the error of an earlier attempt, and the field that it was about.
#[must_use]
pub fn without_error(path: &str) -> String {
    let Some((path, query)) = path.split_once('?') else { return path.to_owned() };
    let kept: Vec<&str> = query.split('&').filter(|pair| !["e=", "field="].iter().any(|old| pair.starts_with(old))).collect();
    if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_encoded() {
        assert_eq!(with("/login", "next", "/rooms/1?a=b&c"), "/login?next=/rooms/1%3Fa%3Db%26c");
        assert_eq!(with("/login?e=x", "next", "电"), "/login?e=x&next=%E7%94%B5");
    }

    #[test]
    fn foreign_address_becomes_the_root() {
        for bad in ["//evil.example", "https://evil.example", "/\\evil.example", "", "home", "/a\r\nb", "/a b"] {
            assert_eq!(local(bad), "/", "{bad:?}");
        }
        assert_eq!(local("/rooms/1?a=b"), "/rooms/1?a=b");
    }

    #[test]
    fn old_error_is_removed() {
        assert_eq!(without_error("/login?e=a&next=/x"), "/login?next=/x");
        assert_eq!(without_error("/login?e=a"), "/login");
        assert_eq!(without_error("/places?kind=2&e=a&field=x"), "/places?kind=2");
    }
}
