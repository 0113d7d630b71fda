//! Who is logged in, and what kind of person they are.

use crate::ids::UserId;
use crate::word_enum;

word_enum! {
    /// What kind of person is logged in.
    pub enum Role {
        /// Lives in a room.
        Resident = "resident",
        /// Sells, switches and reads.
        Operator = "operator",
        /// An operator who also manages operators and settings.
        Admin = "admin",
    }
}

/// The person of the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    pub user: UserId,
    /// What they are.
    pub role: Role,
    pub name: String,
    /// Where the request came from; for the audit chain.
    pub ip: String,
}

/// Most characters of a login name and of a person's name.
pub const MAX_LOGIN: usize = 60;
pub const MAX_NAME: usize = 40;

/// Whether somebody can log in by this name: letters of any script, digits and `. _ - @ +`. Anything else is easily typed
/// without being seen, such as a space.
#[must_use]
pub fn is_login_name(login: &str) -> bool {
    (1..=MAX_LOGIN).contains(&login.chars().count()) && login.chars().all(|c| c.is_alphanumeric() || "._-@+".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn login_names_have_nothing_that_is_not_seen() {
        for good in ["a", "zhangsan", "13800138000", "zhang.san@example.edu.cn", "张三", "a_b-c+d"] {
            assert!(is_login_name(good), "{good}");
        }
        for bad in ["", " ", "zhang san", "a\u{a0}", "a\tb", "<a>", "a/b", &"a".repeat(61)] {
            assert!(!is_login_name(bad), "{bad:?}");
        }
    }
}
