//! What an operator may do, and the sets that roles are made of.

use crate::person::Role;
use crate::word_enum;

word_enum! {
    /// One thing that an operator may do. Who may not see a page may not call its functions either.
    pub enum Permission {
        /// See the wall, rooms, meters, readings, alarms, prices and commands, and have a meter read.
        Watch = "watch",
        /// Work on cases and acknowledge alarms.
        Cases = "cases",
        /// See sales, returns, refunds, receipts, shifts and the ledger.
        Money = "money",
        /// Sell at the cash desk, with a shift.
        Sell = "sell",
        /// Ask for returns, corrections and refunds.
        Return = "return",
        /// Decide what others ask for, as the second person.
        Approve = "approve",
        /// Open, move and close accounts, and their residents.
        Accounts = "accounts",
        /// Switch meters, and set their control mode.
        Switch = "switch",
        /// Issue settings and prices to meters.
        Parameters = "parameters",
        /// Publish and assign prices.
        Prices = "prices",
        /// Grant subsidies.
        Subsidies = "subsidies",
        /// Compare channels' statements with the ledger, and close days.
        Reconcile = "reconcile",
        /// Change places, groups and meters.
        Estate = "estate",
        /// Change gateways, and scan them for meters.
        Gateways = "gateways",
        /// Read the operation log, and verify it.
        Audit = "audit",
        /// Invite and disable operators, and change roles.
        Operators = "operators",
        /// Change settings of the site, import and export it.
        Site = "site",
    }
}

/// A set of permissions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permissions(u32);

impl Permissions {
    /// No permission.
    pub const NONE: Self = Self(0);

    /// Every permission.
    #[must_use]
    pub fn all() -> Self {
        Permission::ALL.into_iter().collect()
    }

    /// Those that a kind of person has without a role of their own.
    #[must_use]
    pub fn of(role: Role) -> Self {
        match role {
            Role::Resident => Self::NONE,
            Role::Operator => {
                let kept = [Permission::Estate, Permission::Gateways, Permission::Operators, Permission::Site];
                Permission::ALL.into_iter().filter(|one| !kept.contains(one)).collect()
            }
            Role::Admin => Self::all(),
        }
    }

    #[must_use]
    pub const fn has(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u32) != 0
    }

    /// Those in the set, in the order of their declaration.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.into_iter().filter(move |one| self.has(*one))
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().fold(0, |set, one| set | 1 << one as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_was_put_in() {
        let set: Permissions = [Permission::Sell, Permission::Watch].into_iter().collect();
        assert!(set.has(Permission::Sell) && !set.has(Permission::Return));
        assert_eq!(set.iter().collect::<Vec<_>>(), [Permission::Watch, Permission::Sell]);
    }

    #[test]
    fn only_administrators_manage_people_by_their_kind_alone() {
        assert!(Permissions::of(Role::Admin).has(Permission::Operators));
        assert!(!Permissions::of(Role::Operator).has(Permission::Operators));
        assert_eq!(Permissions::of(Role::Resident), Permissions::NONE);
    }
}
