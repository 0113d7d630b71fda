//! The people who work with the console, and the roles that a site made for itself.

use std::fmt;
use std::str::FromStr;

use crate::ids::{PlaceId, RoleId, UserId};
use crate::permission::Permissions;
use crate::person::Role;
use crate::time::Timestamp;
use crate::word_enum;

/// The most roles that a site may make for itself.
pub const ROLES_MAX: usize = 50;

word_enum! {
    /// What a one-time link is for.
    pub enum LinkKind {
        /// A new operator chooses their name and their first password.
        Invite = "invite",
        /// An operator chooses another password.
        Reset = "reset",
    }
}

/// The role of an operator as a form names it: a word of [`Role::READY`], or the id of the site's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RoleChoice {
    Ready(Role),
    Own(RoleId),
}

impl RoleChoice {
    /// As it is stored.
    #[must_use]
    pub const fn stored(self) -> (Role, Option<RoleId>) {
        match self {
            Self::Ready(role) => (role, None),
            Self::Own(id) => (Role::Own, Some(id)),
        }
    }
}

impl fmt::Display for RoleChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready(role) => f.write_str(role.as_str()),
            Self::Own(id) => write!(f, "{id}"),
        }
    }
}

/// Neither a ready role nor an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a role")]
pub struct NotARole;

impl FromStr for RoleChoice {
    type Err = NotARole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match Role::parse(text).filter(|role| Role::READY.contains(role)) {
            Some(role) => Ok(Self::Ready(role)),
            None => text.parse().map(Self::Own).map_err(|_| NotARole),
        }
    }
}

/// Whether an operator can log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperatorState {
    Active,
    /// Has not chosen a password yet.
    Invited,
    /// Has not chosen a password, and the link has ended.
    InvitationEnded,
    Disabled,
}

/// An operator, in the list of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorLine {
    pub id: UserId,
    pub login: String,
    pub name: String,
    pub role: RoleChoice,
    /// The name of a role that the site made for itself.
    pub own_role: Option<String>,
    pub permissions: Permissions,
    /// The buildings that they see; `None`: all.
    pub buildings: Option<Vec<(PlaceId, String)>>,
    pub disabled_at: Option<Timestamp>,
    /// They have chosen a password.
    pub is_accepted: bool,
    pub logged_in_at: Option<Timestamp>,
    pub sessions: i64,
    /// Until when a one-time link of theirs can be used.
    pub link_until: Option<Timestamp>,
}

impl OperatorLine {
    #[must_use]
    pub const fn state(&self) -> OperatorState {
        match (self.disabled_at, self.is_accepted, self.link_until) {
            (Some(_), ..) => OperatorState::Disabled,
            (None, true, _) => OperatorState::Active,
            (None, false, Some(_)) => OperatorState::Invited,
            (None, false, None) => OperatorState::InvitationEnded,
        }
    }
}

/// A role that the site made for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnRole {
    pub id: RoleId,
    pub name: String,
    pub permissions: Permissions,
    /// How many operators have it.
    pub people: i64,
}

/// What a form about an operator offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperatorChoices {
    /// The ready roles that whoever asks may give.
    pub ready: Vec<Role>,
    /// Of the site's own, those that they may give.
    pub own: Vec<OwnRole>,
    pub buildings: Vec<(PlaceId, String)>,
    /// Whether they may give all buildings.
    pub all_buildings: bool,
}

/// What the page behind a one-time link shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    pub kind: LinkKind,
    pub login: String,
    pub name: String,
    pub expires_at: Timestamp,
    /// Without a second factor: the password alone lets them in.
    pub password_only: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_goes_through_a_form() {
        let own = RoleId(crate::ids::Uuid::from_u128(7));
        for choice in [RoleChoice::Ready(Role::Cashier), RoleChoice::Own(own)] {
            assert_eq!(choice.to_string().parse(), Ok(choice));
        }
        for no_role in ["resident", "own", "", "king"] {
            assert_eq!(no_role.parse::<RoleChoice>(), Err(NotARole), "{no_role:?}");
        }
    }

    #[test]
    fn an_invitation_that_ended_is_told_from_one_that_waits() {
        let line = OperatorLine {
            id: UserId(crate::ids::Uuid::nil()),
            login: String::new(),
            name: String::new(),
            role: RoleChoice::Ready(Role::Cashier),
            own_role: None,
            permissions: Permissions::NONE,
            buildings: None,
            disabled_at: None,
            is_accepted: false,
            logged_in_at: None,
            sessions: 0,
            link_until: Some(Timestamp(1)),
        };
        assert_eq!(line.state(), OperatorState::Invited);
        assert_eq!(OperatorLine { link_until: None, ..line.clone() }.state(), OperatorState::InvitationEnded);
        assert_eq!(OperatorLine { disabled_at: Some(Timestamp(1)), ..line.clone() }.state(), OperatorState::Disabled);
        assert_eq!(OperatorLine { is_accepted: true, ..line }.state(), OperatorState::Active);
    }
}
