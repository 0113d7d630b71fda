//! The access table. Every page and every area of server functions has a line here; without a line everybody is refused.

use crate::ports::Role;
use model::error::AppError;

/// Who may open a page or call a server function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody, without a login.
    Public,
    /// Everybody with a login.
    Anyone,
    Resident,
    /// Operators and administrators.
    Operator,
    Admin,
}

impl Access {
    /// Checks a role; `None` is a visitor without a login.
    ///
    /// # Errors
    /// [`AppError::NotLoggedIn`] without a login, [`AppError::Forbidden`] for another role.
    pub fn check(self, role: Option<Role>) -> Result<(), AppError> {
        let allowed = match (self, role.ok_or(AppError::NotLoggedIn)) {
            (Self::Public, _) => true,
            (_, Err(error)) => return Err(error),
            (Self::Anyone, Ok(_)) => true,
            (Self::Resident, Ok(role)) => role == Role::Resident,
            (Self::Operator, Ok(role)) => role != Role::Resident,
            (Self::Admin, Ok(role)) => role == Role::Admin,
        };
        if allowed { Ok(()) } else { Err(AppError::Forbidden) }
    }
}

/// The pages, as their routes are written in `app.rs`.
pub const PAGES: &[(&str, Access)] = &[
    ("/login", Access::Public),
    ("/password", Access::Anyone),
    ("/home", Access::Resident),
    ("/usage", Access::Resident),
    ("/topup", Access::Resident),
    ("/orders/:id", Access::Resident),
    ("/orders/:id/pay", Access::Resident),
    ("/orders/:id/receipt", Access::Resident),
    ("/switch", Access::Resident),
    ("/switch/:id", Access::Resident),
    ("/records", Access::Resident),
    ("/me", Access::Resident),
    ("/help", Access::Resident),
    ("/wall", Access::Operator),
    ("/search", Access::Operator),
    ("/rooms/:meter", Access::Operator),
    ("/accounts", Access::Operator),
    ("/closings/:id", Access::Operator),
    ("/overdrawn", Access::Operator),
    ("/sales", Access::Operator),
    ("/returns/:id", Access::Operator),
    ("/corrections/:original", Access::Operator),
    ("/approvals", Access::Operator),
    ("/refunds", Access::Operator),
    ("/refunds/:id", Access::Operator),
    ("/refunds/of/:order", Access::Operator),
    ("/shifts", Access::Operator),
    ("/ledger", Access::Operator),
    ("/subsidies", Access::Operator),
    ("/channels", Access::Operator),
    ("/reconcile", Access::Operator),
    ("/reconcile/:channel/:day", Access::Operator),
    ("/shifts/:id", Access::Operator),
    ("/receipts/:number", Access::Operator),
    ("/meters", Access::Operator),
    ("/alarms", Access::Operator),
    ("/commands", Access::Operator),
    ("/commands/new", Access::Operator),
    ("/commands/preview", Access::Operator),
    ("/commands/missed-price-switches", Access::Operator),
    ("/commands/:batch", Access::Operator),
    ("/prices", Access::Operator),
    ("/cases", Access::Operator),
    ("/audit", Access::Operator),
    ("/guide", Access::Operator),
];

/// The server functions, by exact path or by prefix with `/` at its end; the first match counts.
pub const FUNCTIONS: &[(&str, Access)] = &[
    ("/api/auth/log-in", Access::Public),
    ("/api/auth/", Access::Anyone),
    ("/api/site/", Access::Public),
    ("/api/resident/", Access::Resident),
    ("/api/operator/gateway-trust", Access::Admin),
    ("/api/operator/", Access::Operator),
];

/// Who may call a server function.
#[must_use]
pub fn function(path: &str) -> Option<Access> {
    let matches = |rule: &str| if rule.ends_with('/') { path.starts_with(rule) } else { path == rule };
    FUNCTIONS.iter().find(|(rule, _)| matches(rule)).map(|&(_, access)| access)
}

/// A person's start page.
#[must_use]
pub const fn start(role: Role) -> &'static str {
    match role {
        Role::Resident => "/home",
        Role::Operator | Role::Admin => "/wall",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_gets_only_its_own_access() {
        assert_eq!(Access::Operator.check(None), Err(AppError::NotLoggedIn));
        assert_eq!(Access::Operator.check(Some(Role::Resident)), Err(AppError::Forbidden));
        assert_eq!(Access::Operator.check(Some(Role::Admin)), Ok(()));
        assert_eq!(Access::Resident.check(Some(Role::Admin)), Err(AppError::Forbidden));
        assert_eq!(Access::Admin.check(Some(Role::Operator)), Err(AppError::Forbidden));
        assert_eq!(Access::Public.check(None), Ok(()));
    }

    #[test]
    fn only_log_in_is_public_in_its_area() {
        assert_eq!(function("/api/auth/log-in"), Some(Access::Public));
        assert_eq!(function("/api/auth/log-in-as"), Some(Access::Anyone));
        assert_eq!(function("/api/unlisted"), None);
    }
}
