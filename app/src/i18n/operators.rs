//! Texts of operators, roles and permissions.

use super::Lang;
pub use super::catalogue::operators::{AccessSaved, RoleSaved, texts};
use model::operator::{OperatorLine, OperatorState};
use model::permission::Permission;
use model::person::Role;

/// What a ready role is called; other roles have names of their own.
#[must_use]
pub fn role(role: Role, lang: Lang) -> &'static str {
    texts(lang).role_names.get(role.as_str()).unwrap_or_default()
}

/// What a ready role is for.
#[must_use]
pub fn role_hint(role: Role, lang: Lang) -> &'static str {
    texts(lang).role_hints.get(role.as_str()).unwrap_or_default()
}

/// The name of an operator's role.
#[must_use]
pub fn role_of(line: &OperatorLine, lang: Lang) -> String {
    line.own_role.clone().unwrap_or_else(|| role(line.role.stored().0, lang).to_owned())
}

#[must_use]
pub fn permission(permission: Permission, lang: Lang) -> &'static str {
    texts(lang).permission_names.get(permission.as_str()).unwrap_or_default()
}

/// What it allows, in a sentence.
#[must_use]
pub fn permission_hint(permission: Permission, lang: Lang) -> &'static str {
    texts(lang).permission_hints.get(permission.as_str()).unwrap_or_default()
}

#[must_use]
pub fn state(state: OperatorState, lang: Lang) -> &'static str {
    let word = match state {
        OperatorState::Active => "active",
        OperatorState::Invited => "invited",
        OperatorState::InvitationEnded => "invitation-ended",
        OperatorState::Disabled => "disabled",
    };
    texts(lang).states.get(word).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_and_permission_has_words() {
        for lang in [Lang::Zh, Lang::En] {
            for one in Role::READY {
                assert!(!role(one, lang).is_empty() && !role_hint(one, lang).is_empty(), "{one:?}");
            }
            for one in Permission::ALL {
                assert!(!permission(one, lang).is_empty() && !permission_hint(one, lang).is_empty(), "{one:?}");
            }
            let states = [OperatorState::Active, OperatorState::Invited, OperatorState::InvitationEnded, OperatorState::Disabled];
            assert!(states.into_iter().all(|one| !state(one, lang).is_empty()));
        }
    }
}
