//! The access table. Every page and every area of server functions has a line here; without a line everybody is refused.

use crate::ports::Role;
use model::error::AppError;
use model::permission::{Permission, Permissions};

/// Who may open a page or call a server function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody, without a login.
    Public,
    /// Everybody with a login.
    Anyone,
    Resident,
    /// Whoever works here, whatever they may do.
    Operator,
    /// Operators with that permission.
    May(Permission),
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
            (Self::May(permission), Ok(role)) => Permissions::of(role).has(permission),
        };
        if allowed { Ok(()) } else { Err(AppError::Forbidden) }
    }
}

/// The pages, as their routes are written in `app.rs`.
pub const PAGES: &[(&str, Access)] = &[
    ("/login", Access::Public),
    ("/setup", Access::Public),
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
    ("/wall", Access::May(Permission::Watch)),
    ("/search", Access::May(Permission::Watch)),
    ("/rooms/:meter", Access::May(Permission::Watch)),
    ("/accounts", Access::May(Permission::Watch)),
    ("/closings/:id", Access::May(Permission::Watch)),
    ("/overdrawn", Access::May(Permission::Money)),
    ("/sales", Access::May(Permission::Money)),
    ("/returns/:id", Access::May(Permission::Money)),
    ("/corrections/:original", Access::May(Permission::Return)),
    ("/approvals", Access::May(Permission::Approve)),
    ("/refunds", Access::May(Permission::Money)),
    ("/refunds/:id", Access::May(Permission::Money)),
    ("/refunds/of/:order", Access::May(Permission::Money)),
    ("/shifts", Access::May(Permission::Money)),
    ("/ledger", Access::May(Permission::Money)),
    ("/subsidies", Access::May(Permission::Subsidies)),
    ("/channels", Access::May(Permission::Reconcile)),
    ("/reconcile", Access::May(Permission::Reconcile)),
    ("/reconcile/:channel/:day", Access::May(Permission::Reconcile)),
    ("/shifts/:id", Access::May(Permission::Money)),
    ("/receipts/:number", Access::May(Permission::Money)),
    ("/meters", Access::May(Permission::Watch)),
    ("/alarms", Access::May(Permission::Watch)),
    ("/commands", Access::May(Permission::Watch)),
    ("/commands/new", Access::May(Permission::Parameters)),
    ("/commands/preview", Access::May(Permission::Parameters)),
    ("/commands/missed-price-switches", Access::May(Permission::Watch)),
    ("/commands/:batch", Access::May(Permission::Watch)),
    ("/prices", Access::May(Permission::Watch)),
    ("/cases", Access::May(Permission::Watch)),
    ("/cases/:id", Access::May(Permission::Watch)),
    ("/audit", Access::May(Permission::Audit)),
    ("/start", Access::May(Permission::Site)),
    ("/guide", Access::Operator),
];

/// The server functions, by exact path or by prefix with `/` at its end; the first match counts.
pub const FUNCTIONS: &[(&str, Access)] = &[
    ("/api/auth/log-in", Access::Public),
    ("/api/auth/", Access::Anyone),
    ("/api/site/", Access::Public),
    ("/api/setup/site", Access::Public),
    ("/api/resident/", Access::Resident),
    ("/api/operator/acknowledge", Access::May(Permission::Cases)),
    ("/api/operator/add-meter", Access::May(Permission::Accounts)),
    ("/api/operator/add-resident", Access::May(Permission::Accounts)),
    ("/api/operator/approve-refund", Access::May(Permission::Approve)),
    ("/api/operator/approve-request", Access::May(Permission::Approve)),
    ("/api/operator/approve-return", Access::May(Permission::Approve)),
    ("/api/operator/ask-about-meter", Access::May(Permission::Return)),
    ("/api/operator/ask-channel", Access::May(Permission::Reconcile)),
    ("/api/operator/assign-prices", Access::May(Permission::Prices)),
    ("/api/operator/book-refund", Access::May(Permission::Return)),
    ("/api/operator/cancel-batch", Access::May(Permission::Parameters)),
    ("/api/operator/cancel-refund", Access::May(Permission::Return)),
    ("/api/operator/cancel-return", Access::May(Permission::Return)),
    ("/api/operator/clear-refund", Access::May(Permission::Return)),
    ("/api/operator/close-account", Access::May(Permission::Accounts)),
    ("/api/operator/cases/", Access::May(Permission::Cases)),
    ("/api/operator/close-case", Access::May(Permission::Cases)),
    ("/api/operator/close-shift", Access::May(Permission::Sell)),
    ("/api/operator/confirm-serial", Access::May(Permission::Cases)),
    ("/api/operator/correct", Access::May(Permission::Return)),
    ("/api/operator/count-meter", Access::May(Permission::Accounts)),
    ("/api/operator/credit-payment", Access::May(Permission::Cases)),
    ("/api/operator/decide-closing", Access::May(Permission::Accounts)),
    ("/api/operator/deliver-order", Access::May(Permission::Cases)),
    ("/api/operator/gateway-trust", Access::May(Permission::Gateways)),
    ("/api/operator/install-meter", Access::May(Permission::Accounts)),
    ("/api/operator/issue", Access::May(Permission::Parameters)),
    ("/api/operator/limits", Access::May(Permission::Parameters)),
    ("/api/operator/mode", Access::May(Permission::Switch)),
    ("/api/operator/move-account", Access::May(Permission::Accounts)),
    ("/api/operator/open-account", Access::May(Permission::Accounts)),
    ("/api/operator/open-shift", Access::May(Permission::Sell)),
    ("/api/operator/pay-out", Access::May(Permission::Return)),
    ("/api/operator/pay-refund", Access::May(Permission::Return)),
    ("/api/operator/print-receipt", Access::May(Permission::Sell)),
    ("/api/operator/publish-prices", Access::May(Permission::Prices)),
    ("/api/operator/read-now", Access::May(Permission::Watch)),
    ("/api/operator/reassign-order", Access::May(Permission::Accounts)),
    ("/api/operator/reconcile-close", Access::May(Permission::Reconcile)),
    ("/api/operator/reconcile-receipt", Access::May(Permission::Reconcile)),
    ("/api/operator/reconcile-run", Access::May(Permission::Reconcile)),
    ("/api/operator/refund", Access::May(Permission::Return)),
    ("/api/operator/reject-refund", Access::May(Permission::Approve)),
    ("/api/operator/reject-request", Access::May(Permission::Watch)),
    ("/api/operator/reject-return", Access::May(Permission::Approve)),
    ("/api/operator/remove-resident", Access::May(Permission::Accounts)),
    ("/api/operator/replace-meter", Access::May(Permission::Accounts)),
    ("/api/operator/retry-batch", Access::May(Permission::Parameters)),
    ("/api/operator/retry-gateway", Access::May(Permission::Watch)),
    ("/api/operator/return", Access::May(Permission::Return)),
    ("/api/operator/setup/", Access::May(Permission::Site)),
    ("/api/operator/sell", Access::May(Permission::Sell)),
    ("/api/operator/settle-counter", Access::May(Permission::Cases)),
    ("/api/operator/subsidy", Access::May(Permission::Subsidies)),
    ("/api/operator/swap-meter", Access::May(Permission::Accounts)),
    ("/api/operator/sweep-interval", Access::May(Permission::Watch)),
    ("/api/operator/try-again", Access::May(Permission::Cases)),
    ("/api/operator/withdraw-closing", Access::May(Permission::Accounts)),
    ("/api/operator/write-off-refund", Access::May(Permission::Return)),
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
        assert_eq!(Access::May(Permission::Site).check(Some(Role::Operator)), Err(AppError::Forbidden));
        assert_eq!(Access::May(Permission::Watch).check(Some(Role::Operator)), Ok(()));
        assert_eq!(Access::Public.check(None), Ok(()));
    }

    #[test]
    fn only_log_in_is_public_in_its_area() {
        assert_eq!(function("/api/auth/log-in"), Some(Access::Public));
        assert_eq!(function("/api/auth/log-in-as"), Some(Access::Anyone));
        assert_eq!(function("/api/unlisted"), None);
    }
}
