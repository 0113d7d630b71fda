//! What can go wrong for a person, as codes: each has words in both languages and a remedy (`i18n/errors.rs`).

use serde::{Deserialize, Serialize};

macro_rules! errors {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal;)*) => {
        /// An error with a meaning to the person who caused or met it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
        pub enum AppError {$(
            $(#[$doc])*
            #[error($code)]
            #[serde(rename = $code)]
            $name,
        )*}

        impl AppError {
            /// Every error there is.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The code in addresses and answers.
            #[must_use]
            pub const fn code(self) -> &'static str { match self { $(Self::$name => $code),* } }

            /// From that code.
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> { match code { $($code => Some(Self::$name),)* _ => None } }

            /// The HTTP status that goes with it.
            #[must_use]
            pub const fn status(self) -> u16 { match self { $(Self::$name => $status),* } }
        }
    };
}

errors! {
    /// No session, or it has ended.
    NotLoggedIn = "not-logged-in", 401;
    /// Wrong login name or password.
    BadCredentials = "bad-credentials", 401;
    /// Too many tries; wait.
    RateLimited = "rate-limited", 429;
    /// Logged in, but this is not theirs to see or do.
    Forbidden = "forbidden", 403;
    /// A query machine does not do it, whoever is logged in there.
    NotAtKiosk = "not-at-kiosk", 403;
    /// There is no such thing, or not for this person.
    NotFound = "not-found", 404;
    /// A field is not of its form.
    Invalid = "invalid", 422;
    /// The amount is not yuan with at most two decimals.
    InvalidAmount = "invalid-amount", 422;
    /// Below the smallest or above the largest amount of one sale.
    AmountOutOfRange = "amount-out-of-range", 422;
    /// The meter may not hold that much.
    HoardingLimit = "hoarding-limit", 422;
    /// The meter holds less than that.
    ExceedsRemaining = "exceeds-remaining", 422;
    /// It is not in the meter yet, was no sale, or was corrected before.
    NotCorrectable = "not-correctable", 409;
    /// No more of the sale is left to correct.
    ExceedsCorrectable = "exceeds-correctable", 422;
    /// No more of the payment is left to give back.
    ExceedsRefundable = "exceeds-refundable", 422;
    /// The payment is older than its channel gives back: over the counter, with a reason.
    RefundTooOld = "refund-too-old", 409;
    /// The payment's channel must be asked first: money goes back the way it came.
    RefundByChannel = "refund-by-channel", 409;
    /// It is in the meter, or on its way there, and must be taken out of it first.
    InTheMeter = "in-the-meter", 409;
    /// The operator's shift is closed; the next one must be opened first.
    ShiftClosed = "shift-closed", 409;
    /// The drawer was counted and differs; the reason is missing.
    DrawerDiffers = "drawer-differs", 422;
    /// A second person must decide: not the one who asked.
    SecondPerson = "second-person", 403;
    /// The meter shows something else than when the request was made.
    StaleMeter = "stale-meter", 409;
    /// The meter has applied a money command that waits for a person.
    HeldCommandApplied = "held-command-applied", 409;
    /// Somebody did something about the case since it was shown.
    CaseMoved = "case-moved", 409;
    /// The case ends with a step of its own: a counter is settled, or a refund is booked.
    CaseHasStep = "case-has-step", 409;
    /// The subsidy of the place was changed since the request was made.
    StaleSubsidy = "stale-subsidy", 409;
    /// The price plan was changed since the request was made, or would begin in the past.
    StalePrices = "stale-prices", 409;
    /// Prices that no second person approved: they go into meters from a plan.
    PricesByPlan = "prices-by-plan", 409;
    /// Another amount is left than when the request was made.
    StaleAmount = "stale-amount", 409;
    /// Somebody sold or returned there since the resulting amount was shown.
    MoneyMoved = "money-moved", 409;
    /// No account is open there.
    AccountNotOpen = "account-not-open", 409;
    /// The account is being closed or moved: it takes and gives no money any more.
    AccountClosing = "account-closing", 409;
    /// The meter shows another account than the books.
    MeterChanged = "meter-changed", 409;
    /// An account is open there already.
    AccountAlreadyOpen = "account-already-open", 409;
    /// The login name is taken.
    LoginTaken = "login-taken", 409;
    /// Nobody would be left who may do everything.
    LastAdministrator = "last-administrator", 409;
    /// A one-time link was used, has expired or was replaced.
    LinkEnded = "link-ended", 410;
    /// Operators have the role.
    RoleInUse = "role-in-use", 409;
    /// The resident has another account.
    HasAccount = "has-account", 409;
    /// The site does not let residents invite roommates.
    RoommatesByOffice = "roommates-by-office", 403;
    /// Money of the person is still on its way.
    NotSettled = "not-settled", 409;
    /// The new password is too short: less than 8 characters.
    WeakPassword = "weak-password", 422;
    /// The password alone lets an operator in, and has less than 15 characters.
    PasswordAlone = "password-alone", 422;
    /// More than 128 characters.
    PasswordTooLong = "password-too-long", 422;
    /// One of the passwords that attackers try first.
    CommonPassword = "common-password", 422;
    /// Made of the login name, the site's name or the product's.
    PersonalPassword = "personal-password", 422;
    /// The new password is the old one.
    SamePassword = "same-password", 422;
    /// Somebody else chose the password: another one has to be chosen first.
    PasswordDue = "password-due", 403;
    /// The code of the second factor is wrong or was used before.
    WrongCode = "wrong-code", 422;
    /// The present password is wrong.
    WrongPassword = "wrong-password", 422;
    /// Another gateway in service has the name or the code.
    GatewayNameTaken = "gateway-name-taken", 409;
    /// Another gateway in service registers so, or its registration begins so.
    RegistrationTaken = "registration-taken", 409;
    /// Meters behind the gateway have accounts, or money waits for them.
    GatewayInUse = "gateway-in-use", 409;
    /// No price plan holds for the room.
    NoPrices = "no-prices", 409;
    /// This payment channel is not configured.
    ChannelUnavailable = "channel-unavailable", 503;
    /// The order can no longer be paid or changed.
    OrderClosed = "order-closed", 409;
    /// The room has many orders that nobody has paid yet.
    TooManyPending = "too-many-pending", 409;
    /// The room was switched very often within the hour.
    SwitchedTooOften = "switched-too-often", 429;
    /// More lines than one list may have.
    ListTooLong = "list-too-long", 422;
    /// More recipients than a saved report may have.
    TooManyAddresses = "too-many-addresses", 422;
    /// There are as many of the kind as there may be.
    TooManyKept = "too-many-kept", 409;
    /// The meter is lost; nothing was sent.
    MeterLost = "meter-lost", 409;
    /// Power is off for arrears: top up first.
    OffForArrears = "off-for-arrears", 409;
    /// The operator has forced the power off.
    OffByOperator = "off-by-operator", 409;
    /// The operator has guaranteed the power; the resident cannot switch.
    OnByOperator = "on-by-operator", 409;
    /// Tripped for overload: call the operator.
    OffForOverload = "off-for-overload", 409;
    /// Tripped for a malignant load: call the operator.
    OffForMalignantLoad = "off-for-malignant-load", 409;
    /// What was begun has gone too far to be taken back.
    TooLate = "too-late", 409;
    /// Differences are open that nobody has decided about; the reason is missing.
    DifferencesOpen = "differences-open", 409;
    /// Money still depends on the case.
    MoneyOpen = "money-open", 409;
    /// The channel was asked just now; wait some seconds.
    AskedJustNow = "asked-just-now", 429;
    /// The day's statement has refunds of our payments that are not booked; no reason closes it.
    RefundsUnbooked = "refunds-unbooked", 409;
    /// The serial number belongs to a meter in service.
    SerialTaken = "serial-taken", 409;
    /// Another meter behind the gateway has the unit number.
    AddressTaken = "address-taken", 409;
    /// The meter has an account, which forbids the change.
    MeterInUse = "meter-in-use", 409;
    /// The account number does not fit the site's scheme.
    NumberNotOfScheme = "number-not-of-scheme", 422;
    /// An account has the number.
    NumberTaken = "number-taken", 409;
    /// The scheme of account numbers has no number left.
    NoMoreNumbers = "no-more-numbers", 409;
    /// More rows than a file of this kind may have.
    TooManyRows = "too-many-rows", 422;
    /// Something of that name is there already.
    NameTaken = "name-taken", 409;
    /// A circuit would feed itself, or something in another building.
    CircuitTree = "circuit-tree", 409;
    /// Two circuits would feed one place, and its meters be counted twice.
    PlaceFedTwice = "place-fed-twice", 409;
    /// A place of this kind cannot be there.
    PlaceDoesNotFit = "place-does-not-fit", 422;
    /// Places, meters or accounts are or were in it.
    PlaceNotEmpty = "place-not-empty", 409;
    /// People are limited to this building.
    PlaceAssigned = "place-assigned", 409;
    /// The group has or had a price plan, or one waits for approval: its places do not change, nor is it deleted.
    GroupPriced = "group-priced", 409;
    /// The group names no place, so that a price plan would apply nowhere.
    GroupEmpty = "group-empty", 409;
    /// Meters would get another price plan by a move or merge, about which a second person decides.
    PlaceRepriced = "place-repriced", 409;
    /// The room has or had an account.
    RoomHasAccount = "room-has-account", 409;
    /// Accounts of the room wait to be opened or closed with others.
    RoomInBatch = "room-in-batch", 409;
    /// Alarm 2 would come before alarm 1.
    AlarmOrder = "alarm-order", 422;
    /// No file was chosen.
    NoFile = "no-file", 422;
    /// Larger than an upload may be.
    FileTooLarge = "file-too-large", 413;
    /// Larger than a form may be.
    FormTooLarge = "form-too-large", 413;
    /// Somebody else changed it meanwhile.
    Conflict = "conflict", 409;
    /// Nothing says who sells and how it is taxed.
    InvoiceSettingsMissing = "invoice-settings-missing", 409;
    /// Every receipt of these days is exported.
    NothingToInvoice = "nothing-to-invoice", 409;
    /// A later batch reverses an invoice of it.
    InvoiceReversed = "invoice-reversed", 409;
    /// The person has as many files prepared in the background as anybody may.
    TooManyExports = "too-many-exports", 429;
    /// The file lies with another process of the server.
    FileElsewhere = "file-elsewhere", 409;
    /// The file is not offered any more.
    FileExpired = "file-expired", 410;
    /// A part of the system does not answer just now; nothing was changed.
    Unavailable = "unavailable", 503;
    /// Our fault; it is in the log.
    Internal = "internal", 500;
}

impl AppError {
    /// Whether another amount may not be refused.
    #[must_use]
    pub const fn is_of_amount(self) -> bool {
        matches!(self, Self::InvalidAmount | Self::AmountOutOfRange | Self::HoardingLimit | Self::ExceedsRemaining)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_go_round_and_are_distinct() {
        for &error in AppError::ALL {
            assert_eq!(AppError::from_code(error.code()), Some(error));
        }
    }
}
