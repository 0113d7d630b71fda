//! The access table. Every page and every area of server functions has a line here; without a line everybody is refused.

use crate::ports::{Role, Who};
use model::error::AppError;
use model::permission::Permission;

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
    /// Operators with both permissions.
    MayBoth(Permission, Permission),
}

impl Access {
    /// Checks a person; `None` is a visitor without a login.
    ///
    /// # Errors
    /// [`AppError::NotLoggedIn`] without a login, [`AppError::Forbidden`] for whoever may not.
    pub fn check(self, who: Option<&Who>) -> Result<(), AppError> {
        let allowed = match (self, who.ok_or(AppError::NotLoggedIn)) {
            (Self::Public, _) => true,
            (_, Err(error)) => return Err(error),
            (Self::Anyone, Ok(_)) => true,
            (Self::Resident, Ok(who)) => who.role == Role::Resident,
            (Self::Operator, Ok(who)) => who.role != Role::Resident,
            (Self::May(permission), Ok(who)) => who.may(permission),
            (Self::MayBoth(one, other), Ok(who)) => who.may(one) && who.may(other),
        };
        if allowed { Ok(()) } else { Err(AppError::Forbidden) }
    }
}

/// The pages, as their routes are written in `app.rs`.
pub const PAGES: &[(&str, Access)] = &[
    ("/login", Access::Public),
    ("/offline", Access::Public),
    ("/setup", Access::Public),
    ("/invitations/:code", Access::Public),
    ("/join/:code", Access::Public),
    // The signed link itself says whose room is paid for.
    ("/p/:link", Access::Public),
    ("/p/:link/:order", Access::Public),
    ("/login/code", Access::Public),
    ("/login/phone", Access::Public),
    ("/login/phone/code", Access::Public),
    ("/login/wechat", Access::Public),
    ("/password", Access::Anyone),
    ("/password/second-factor", Access::Anyone),
    ("/password/recovery-codes", Access::Anyone),
    ("/home", Access::Resident),
    ("/usage", Access::Resident),
    ("/usage/days/:day", Access::Resident),
    ("/topup", Access::Resident),
    ("/topup/other", Access::Resident),
    ("/orders/:id", Access::Resident),
    ("/orders/:id/pay", Access::Resident),
    ("/orders/:id/receipt", Access::Resident),
    ("/switch", Access::Resident),
    ("/switch/:id", Access::Resident),
    ("/records", Access::Resident),
    ("/me", Access::Resident),
    ("/me/alerts", Access::Resident),
    ("/me/data", Access::Resident),
    ("/me/roommates", Access::Resident),
    ("/me/split", Access::Resident),
    ("/me/tokens", Access::Resident),
    ("/me/kiosk", Access::Resident),
    ("/me/wechat", Access::Resident),
    ("/kiosk", Access::Public),
    ("/kiosk/setup/:code", Access::Public),
    ("/kiosk/confirm", Access::Resident),
    ("/kiosks", Access::May(Permission::Site)),
    ("/emergency-credit", Access::Resident),
    ("/help", Access::Resident),
    ("/help/api", Access::Resident),
    ("/wall", Access::May(Permission::Watch)),
    ("/search", Access::May(Permission::Watch)),
    ("/rooms/:meter", Access::May(Permission::Watch)),
    ("/rooms/:meter/price", Access::May(Permission::Watch)),
    ("/rooms/:meter/resident-link", Access::May(Permission::Accounts)),
    ("/rooms/:meter/days/:day", Access::May(Permission::Watch)),
    ("/accounts", Access::May(Permission::Watch)),
    ("/accounts/numbers", Access::May(Permission::Site)),
    ("/accounts/open-many", Access::May(Permission::Accounts)),
    ("/accounts/close-many", Access::May(Permission::Accounts)),
    ("/accounts/batches", Access::May(Permission::Watch)),
    ("/accounts/batches/:id", Access::May(Permission::Watch)),
    ("/closings/:id", Access::May(Permission::Watch)),
    ("/overdrawn", Access::May(Permission::Money)),
    ("/sales", Access::May(Permission::Money)),
    ("/sales/:order", Access::May(Permission::Money)),
    ("/returns/:id", Access::May(Permission::Money)),
    ("/corrections/:original", Access::May(Permission::Return)),
    ("/approvals", Access::May(Permission::Money)),
    ("/refunds", Access::May(Permission::Money)),
    ("/refunds/:id", Access::May(Permission::Money)),
    ("/refunds/of/:order", Access::May(Permission::Money)),
    ("/shifts", Access::May(Permission::Money)),
    ("/ledger", Access::May(Permission::Money)),
    ("/subsidies", Access::May(Permission::Money)),
    ("/channels", Access::May(Permission::Money)),
    ("/reconcile", Access::May(Permission::Money)),
    ("/reconcile/:channel/:day", Access::May(Permission::Money)),
    ("/shifts/:id", Access::May(Permission::Money)),
    ("/receipts/:number", Access::May(Permission::Money)),
    ("/invoices", Access::May(Permission::Invoices)),
    ("/invoices/settings", Access::May(Permission::Invoices)),
    ("/invoices/buyer/:meter", Access::May(Permission::Invoices)),
    ("/invoices/:id", Access::May(Permission::Invoices)),
    ("/prints", Access::May(Permission::Sell)),
    ("/printing", Access::May(Permission::Site)),
    ("/printing/layout", Access::May(Permission::Site)),
    ("/meters", Access::May(Permission::Watch)),
    ("/meters/new", Access::May(Permission::Estate)),
    ("/meters/:id/edit", Access::May(Permission::Estate)),
    ("/meters/:id/readings", Access::May(Permission::Watch)),
    ("/meters/:id/commissioning", Access::May(Permission::Watch)),
    ("/commissioning", Access::May(Permission::Watch)),
    ("/gateways", Access::May(Permission::Watch)),
    ("/gateways/new", Access::May(Permission::Gateways)),
    ("/gateways/:id", Access::May(Permission::Watch)),
    ("/gateways/:id/scan", Access::May(Permission::Gateways)),
    ("/instruments", Access::May(Permission::Watch)),
    ("/instruments/new", Access::May(Permission::Estate)),
    ("/instruments/:id", Access::May(Permission::Watch)),
    ("/gateways/:id/edit", Access::May(Permission::Gateways)),
    ("/alarms", Access::May(Permission::Watch)),
    ("/alarms/rules", Access::May(Permission::Site)),
    ("/alarms/silences", Access::May(Permission::Watch)),
    ("/alarms/:id", Access::May(Permission::Watch)),
    ("/messages", Access::May(Permission::Cases)),
    ("/messages/texts", Access::May(Permission::Site)),
    ("/messages/texts/:kind", Access::May(Permission::Site)),
    ("/my-alerts", Access::Operator),
    ("/reports", Access::May(Permission::Watch)),
    ("/reports/saved", Access::May(Permission::Watch)),
    ("/reports/sales", Access::May(Permission::Money)),
    ("/reports/statement", Access::May(Permission::Money)),
    ("/reports/building-statement", Access::May(Permission::Money)),
    ("/reports/liability", Access::May(Permission::Money)),
    ("/reports/subsidies", Access::May(Permission::Money)),
    ("/reports/prices", Access::May(Permission::Watch)),
    ("/reports/open-cases", Access::May(Permission::Watch)),
    ("/reports/energy", Access::May(Permission::Watch)),
    ("/reports/load-curve", Access::May(Permission::Watch)),
    ("/reports/abnormal-use", Access::May(Permission::Watch)),
    ("/reports/missing-readings", Access::May(Permission::Watch)),
    ("/reports/instruments", Access::May(Permission::Watch)),
    ("/reports/lost-meters", Access::May(Permission::Watch)),
    ("/reports/lost-gateways", Access::May(Permission::Watch)),
    ("/reports/alarms", Access::May(Permission::Watch)),
    ("/commands", Access::May(Permission::Watch)),
    ("/commands/new", Access::May(Permission::Parameters)),
    ("/commands/preview", Access::May(Permission::Parameters)),
    ("/commands/missed-price-switches", Access::May(Permission::Watch)),
    ("/commands/:batch", Access::May(Permission::Watch)),
    ("/places", Access::May(Permission::Estate)),
    ("/places/groups", Access::May(Permission::Estate)),
    ("/places/groups/:id", Access::May(Permission::Estate)),
    ("/places/:id", Access::May(Permission::Estate)),
    ("/prices", Access::May(Permission::Watch)),
    ("/prices/new", Access::May(Permission::Prices)),
    ("/prices/preview", Access::May(Permission::Prices)),
    ("/prices/:id", Access::May(Permission::Watch)),
    ("/prices/:id/meters", Access::May(Permission::Watch)),
    ("/cases", Access::May(Permission::Watch)),
    ("/cases/:id", Access::May(Permission::Watch)),
    ("/audit", Access::May(Permission::Audit)),
    ("/exports", Access::Operator),
    ("/tasks", Access::May(Permission::Site)),
    ("/import", Access::May(Permission::Site)),
    ("/settings", Access::May(Permission::Site)),
    ("/settings/friendly-hours", Access::May(Permission::Site)),
    ("/start", Access::May(Permission::Site)),
    ("/operators", Access::May(Permission::Operators)),
    ("/operators/new", Access::May(Permission::Operators)),
    ("/operators/:id", Access::May(Permission::Operators)),
    ("/operators/:id/link", Access::May(Permission::Operators)),
    ("/roles", Access::May(Permission::Operators)),
    ("/roles/:id", Access::May(Permission::Operators)),
    ("/guide", Access::Operator),
];

/// The server functions, by exact path or by prefix with `/` at its end; the first match counts.
pub const FUNCTIONS: &[(&str, Access)] = &[
    ("/api/auth/log-in", Access::Public),
    ("/api/auth/accept-invitation", Access::Public),
    ("/api/auth/join-room", Access::Public),
    ("/api/auth/second-step", Access::Public),
    ("/api/auth/phone-code", Access::Public),
    ("/api/auth/phone-log-in", Access::Public),
    ("/api/auth/phone-password", Access::Public),
    ("/api/auth/wechat-log-in", Access::Public),
    ("/api/auth/", Access::Anyone),
    ("/api/site/", Access::Public),
    ("/api/setup/site", Access::Public),
    ("/api/pay/by-link", Access::Public),
    ("/api/pay/resume", Access::Public),
    ("/api/resident/", Access::Resident),
    // For registered machines, which each of them checks.
    ("/api/kiosk/", Access::Public),
    ("/api/operator/accounts/", Access::May(Permission::Accounts)),
    ("/api/operator/acknowledge", Access::May(Permission::Cases)),
    ("/api/operator/alarms/", Access::May(Permission::Cases)),
    ("/api/operator/add-meter", Access::May(Permission::Accounts)),
    ("/api/operator/add-resident", Access::May(Permission::Accounts)),
    ("/api/operator/approve-refund", Access::May(Permission::Approve)),
    ("/api/operator/approve-request", Access::May(Permission::Approve)),
    ("/api/operator/approve-return", Access::May(Permission::Approve)),
    ("/api/operator/audit/", Access::May(Permission::Audit)),
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
    ("/api/operator/credit-payment", Access::MayBoth(Permission::Cases, Permission::Money)),
    ("/api/operator/decide-closing", Access::May(Permission::Accounts)),
    ("/api/operator/deliver-order", Access::MayBoth(Permission::Cases, Permission::Money)),
    ("/api/operator/operators/", Access::May(Permission::Operators)),
    ("/api/operator/roles/", Access::May(Permission::Operators)),
    ("/api/operator/commissioning/", Access::May(Permission::Estate)),
    // What each file needs is checked for that file.
    ("/api/operator/exports/", Access::Operator),
    ("/api/operator/emergency-credit", Access::May(Permission::Sell)),
    ("/api/operator/gateways/", Access::May(Permission::Gateways)),
    ("/api/operator/gateway-trust", Access::May(Permission::Gateways)),
    ("/api/operator/instruments/", Access::May(Permission::Estate)),
    ("/api/operator/kiosks/", Access::May(Permission::Site)),
    ("/api/operator/install-meter", Access::May(Permission::Accounts)),
    ("/api/operator/issue", Access::May(Permission::Parameters)),
    ("/api/operator/limits", Access::May(Permission::Parameters)),
    ("/api/operator/message-texts/", Access::May(Permission::Site)),
    ("/api/operator/messages/again", Access::May(Permission::Cases)),
    ("/api/operator/messages/test", Access::May(Permission::Site)),
    ("/api/operator/meters/", Access::May(Permission::Estate)),
    ("/api/operator/numbers/", Access::May(Permission::Site)),
    ("/api/operator/mode", Access::May(Permission::Switch)),
    ("/api/operator/move-account", Access::May(Permission::Accounts)),
    ("/api/operator/open-account", Access::May(Permission::Accounts)),
    ("/api/operator/open-shift", Access::May(Permission::Sell)),
    ("/api/operator/own-alerts/", Access::Operator),
    ("/api/operator/pay-out", Access::May(Permission::Return)),
    ("/api/operator/pay-refund", Access::May(Permission::Return)),
    ("/api/operator/places/", Access::May(Permission::Estate)),
    ("/api/operator/decide-print", Access::May(Permission::Sell)),
    ("/api/operator/print-on", Access::May(Permission::Sell)),
    ("/api/operator/invite-resident", Access::May(Permission::Accounts)),
    ("/api/operator/invoice-buyer", Access::May(Permission::Invoices)),
    ("/api/operator/invoice-cancel", Access::May(Permission::Invoices)),
    ("/api/operator/invoice-export", Access::May(Permission::Invoices)),
    ("/api/operator/invoice-manual-reversal", Access::May(Permission::Invoices)),
    ("/api/operator/invoice-settings", Access::May(Permission::Invoices)),
    ("/api/operator/print-receipt", Access::May(Permission::Sell)),
    ("/api/operator/printing/", Access::May(Permission::Site)),
    ("/api/operator/publish-prices", Access::May(Permission::Prices)),
    ("/api/operator/read-now", Access::May(Permission::Watch)),
    ("/api/operator/reassign-order", Access::May(Permission::Accounts)),
    ("/api/operator/reconcile-close", Access::May(Permission::Reconcile)),
    ("/api/operator/reconcile-receipt", Access::May(Permission::Reconcile)),
    ("/api/operator/reconcile-run", Access::May(Permission::Reconcile)),
    ("/api/operator/reports/", Access::May(Permission::Watch)),
    ("/api/operator/refund", Access::May(Permission::Return)),
    ("/api/operator/reject-refund", Access::May(Permission::Approve)),
    ("/api/operator/reject-request", Access::May(Permission::Watch)),
    ("/api/operator/reject-return", Access::May(Permission::Approve)),
    ("/api/operator/remove-resident", Access::May(Permission::Accounts)),
    ("/api/operator/replace-meter", Access::May(Permission::Accounts)),
    ("/api/operator/retry-batch", Access::May(Permission::Parameters)),
    ("/api/operator/retry-gateway", Access::May(Permission::Watch)),
    ("/api/operator/return", Access::May(Permission::Return)),
    ("/api/operator/site/", Access::May(Permission::Site)),
    ("/api/operator/settings/", Access::May(Permission::Site)),
    ("/api/operator/setup/", Access::May(Permission::Site)),
    ("/api/operator/sell", Access::May(Permission::Sell)),
    ("/api/operator/settle-counter", Access::May(Permission::Cases)),
    ("/api/operator/subsidy", Access::May(Permission::Subsidies)),
    ("/api/operator/swap-meter", Access::May(Permission::Accounts)),
    ("/api/operator/sweep-interval", Access::May(Permission::Parameters)),
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

/// Whether a page or function, by its route, is open to somebody who has to choose another password first.
#[must_use]
pub fn is_open_before_password(path: &str) -> bool {
    matches!(path, "/login" | "/password" | "/api/auth/password" | "/api/auth/log-in" | "/api/auth/log-out" | "/health")
        || path.starts_with("/api/site/")
}

/// Whether a page or function, by its route, is open in a session at a query machine: what shows the room and pays for it.
#[must_use]
pub fn is_open_at_kiosk(path: &str) -> bool {
    const BELOW: &[&str] = &["/usage/days/", "/orders/", "/api/kiosk/", "/api/site/"];
    matches!(
        path,
        "/" | "/home"
            | "/usage"
            | "/topup"
            | "/emergency-credit"
            | "/records"
            | "/kiosk"
            | "/pay/return"
            | "/receipt-logo.png"
            | "/health"
            | "/api/auth/log-out"
            | "/api/resident/top-up"
            | "/api/resident/pay"
            | "/api/resident/change-channel"
            | "/api/resident/emergency-credit"
    ) || BELOW.iter().any(|below| path.starts_with(below))
}

/// Who may open a page, by its address.
#[must_use]
pub fn page(path: &str) -> Option<Access> {
    let path = path.split('?').next().unwrap_or_default();
    let matches = |rule: &str| {
        rule.split('/').count() == path.split('/').count()
            && rule.split('/').zip(path.split('/')).all(|(rule, part)| rule.starts_with(':') || rule == part)
    };
    PAGES.iter().find(|(rule, _)| matches(rule)).map(|&(_, access)| access)
}

/// Whether a person may open a page or call a server function.
#[must_use]
pub fn is_allowed(who: &Who, path: &str) -> bool {
    let access = if path.starts_with("/api/") { function(path) } else { page(path) };
    access.is_some_and(|access| access.check(Some(who)).is_ok())
}

/// Pages about the whole site, which answer [`AppError::Forbidden`] to an operator of some buildings, whatever they may do.
const WHOLE_SITE: &[&str] = &[
    "/ledger",
    "/reconcile",
    "/import",
    "/settings",
    "/kiosks",
    "/tasks",
    "/alarms/rules",
    "/settings/friendly-hours",
    "/start",
    "/prices/new",
    "/prices/preview",
    "/invoices/settings",
    "/api/operator/messages/test",
];

/// Whether a page is only for operators of all buildings.
#[must_use]
pub fn needs_whole_site(path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    WHOLE_SITE.contains(&path) || ["/reconcile/", "/messages/texts", "/printing"].iter().any(|start| path.starts_with(start))
}

/// Where a log-in leads to. An own role says only with its permissions what it may open; `/` finds that out.
#[must_use]
pub const fn start(role: Role) -> &'static str {
    match role {
        Role::Resident => "/home",
        Role::Own => "/",
        _ => "/wall",
    }
}

/// A person's start page: the first of these that they may open.
#[must_use]
pub fn start_page(who: &Who) -> &'static str {
    let pages = ["/home", "/wall", "/sales", "/audit", "/operators"];
    pages.into_iter().find(|path| is_allowed(who, path)).unwrap_or("/guide")
}

#[cfg(test)]
mod tests;
