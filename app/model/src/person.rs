//! Who is logged in, and what kind of person they are.

use crate::ids::UserId;
use crate::permission::{Permission, Permissions};
use crate::typed::typed;
use crate::word_enum;

word_enum! {
    /// What a person is: a resident, or an operator by the role that says what they may do.
    pub enum Role {
        /// Lives in a room.
        Resident = "resident",
        /// May do everything, and manages operators and the site.
        Admin = "admin",
        /// Runs the site from day to day.
        Manager = "manager",
        /// Sells, and opens and closes accounts.
        Cashier = "cashier",
        /// Looks after meters and gateways.
        Technician = "technician",
        /// Reads money and the operation log, and changes nothing.
        Auditor = "auditor",
        /// Looks, and changes nothing.
        ReadOnly = "read_only",
        /// A role that the site made for itself.
        Own = "own",
    }
}

impl Role {
    /// The roles that every site has. They cannot be changed or removed.
    pub const READY: [Self; 6] = [Self::Admin, Self::Manager, Self::Cashier, Self::Technician, Self::Auditor, Self::ReadOnly];
}

/// The person of the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    pub user: UserId,
    /// What they are.
    pub role: Role,
    /// What they may do; none for residents.
    pub permissions: Permissions,
    pub name: String,
    /// Where the request came from; for the audit chain.
    pub ip: String,
}

impl Who {
    #[must_use]
    pub const fn may(&self, permission: Permission) -> bool {
        self.permissions.has(permission)
    }
}

/// Most characters of a login name and of a person's name.
pub const MAX_LOGIN: usize = 60;
pub const MAX_NAME: usize = 40;

/// Whether somebody or something can be called that: 1 to [`MAX_NAME`] characters, none of which is a control character.
#[must_use]
pub fn is_name(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.chars().count()) && !name.chars().any(char::is_control)
}

/// A name with all but its first character left out: enough for whoever knows the person to recognise it.
#[must_use]
pub fn masked_name(name: &str) -> String {
    let mut characters = name.trim().chars();
    let first = characters.next().map(String::from).unwrap_or_default();
    format!("{first}{}", "*".repeat(characters.count().clamp(1, 2)))
}

/// Whether somebody can log in by this name: letters of any script, digits and `. _ - @ +`, as [`typed`] reads them at the
/// log-in. Anything else is easily typed without being seen, such as a space.
#[must_use]
pub fn is_login_name(login: &str) -> bool {
    (1..=MAX_LOGIN).contains(&login.chars().count())
        && login.chars().all(|c| c.is_alphanumeric() || "._-@+".contains(c))
        && typed(login) == login
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masked_names_keep_the_first_character() {
        for (name, shown) in [("张三", "张*"), ("欧阳修文", "欧**"), ("Li Wei", "L**"), ("李", "李*"), ("", "*")] {
            assert_eq!(masked_name(name), shown);
        }
    }

    #[test]
    fn names_are_short_and_can_be_seen() {
        assert!(["张三", "O'Neill, J.", &"a".repeat(40)].into_iter().all(is_name));
        assert!(!["", "a\nb", &"a".repeat(41)].into_iter().any(is_name));
    }

    #[test]
    fn login_names_have_nothing_that_is_not_seen() {
        for good in ["a", "zhangsan", "13800138000", "zhang.san@example.edu.cn", "张三", "a_b-c+d"] {
            assert!(is_login_name(good), "{good}");
        }
        for bad in ["", " ", "zhang san", "a\u{a0}", "a\tb", "<a>", "a/b", "Ｔ３", &"a".repeat(61)] {
            assert!(!is_login_name(bad), "{bad:?}");
        }
    }
}
