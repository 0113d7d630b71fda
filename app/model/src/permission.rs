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
        /// Decide who gets subsidies, and grant them.
        Subsidies = "subsidies",
        /// Compare channels' statements with the ledger, and close days.
        Reconcile = "reconcile",
        /// Export invoices, and set to whom they are made out.
        Invoices = "invoices",
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

impl Permission {
    /// The permissions without which it is of no use: whoever sells also sees sales.
    pub fn needs(self) -> impl Iterator<Item = Self> {
        let money =
            matches!(self, Self::Sell | Self::Return | Self::Approve | Self::Subsidies | Self::Reconcile | Self::Invoices);
        let watch = !matches!(self, Self::Watch | Self::Audit | Self::Operators | Self::Site);
        [(watch, Self::Watch), (money, Self::Money)].into_iter().filter_map(|(needed, one)| needed.then_some(one))
    }
}

/// A set of permissions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permissions(u32);

impl Permissions {
    pub const NONE: Self = Self(0);

    #[must_use]
    pub fn all() -> Self {
        Permission::ALL.into_iter().collect()
    }

    /// Those of a role that every site has; none for residents, and none for [`Role::Own`], whose permissions are stored.
    #[must_use]
    pub fn of(role: Role) -> Self {
        use Permission::*;
        let some = |permissions: &[Permission]| permissions.iter().copied().collect();
        match role {
            Role::Resident | Role::Own => Self::NONE,
            Role::Admin => Self::all(),
            Role::Manager => Permission::ALL.into_iter().filter(|one| !matches!(one, Operators | Site)).collect(),
            Role::Cashier => some(&[Watch, Money, Sell, Return, Accounts]),
            Role::Technician => some(&[Watch, Cases, Switch, Parameters, Estate, Gateways]),
            Role::Auditor => some(&[Watch, Money, Audit]),
            Role::ReadOnly => some(&[Watch, Money]),
        }
    }

    /// With what each of them needs to be of use.
    #[must_use]
    pub fn with_needs(self) -> Self {
        self.iter().chain(self.iter().flat_map(Permission::needs)).collect()
    }

    /// Whether each of the others is in the set.
    #[must_use]
    pub const fn covers(self, others: Self) -> bool {
        others.0 & !self.0 == 0
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
    fn only_administrators_manage_people_by_a_ready_role() {
        for role in Role::ALL {
            assert_eq!(Permissions::of(role).has(Permission::Operators), role == Role::Admin, "{role:?}");
        }
        assert_eq!(Permissions::of(Role::Admin), Permissions::all());
        assert_eq!([Role::Resident, Role::Own].map(Permissions::of), [Permissions::NONE; 2]);
    }

    #[test]
    fn a_ready_role_has_what_its_permissions_need() {
        for role in Role::READY {
            assert_eq!(Permissions::of(role).with_needs(), Permissions::of(role), "{role:?}");
        }
        let sell: Permissions = [Permission::Sell].into_iter().collect();
        assert_eq!(sell.with_needs().iter().collect::<Vec<_>>(), [Permission::Watch, Permission::Money, Permission::Sell]);
    }

    #[test]
    fn a_set_covers_its_parts_only() {
        let cashier = Permissions::of(Role::Cashier);
        assert!(Permissions::all().covers(cashier) && cashier.covers(cashier) && cashier.covers(Permissions::NONE));
        assert!(!cashier.covers(Permissions::of(Role::Auditor)));
    }
}
