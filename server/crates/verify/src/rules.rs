//! The rules by name, and the figures that a difference compares.

use std::fmt;

use model::energy::Energy;
use model::money::Money;
use model::time::Timestamp;

model::word_enum! {
    /// What is compared.
    pub enum Rule {
        AuditChain = "audit chain",
        AuditAnchor = "audit anchor",
        SealedRow = "row as the server wrote it",
        SealSum = "rows as the server left them",
        Schema = "schema",
        LedgerBalance = "ledger balance",
        LedgerSum = "sum of all ledger accounts",
        LedgerOperation = "operation of a posting",
        CommandAmount = "amount of a command",
        PaymentTender = "tender of a payment",
        PaymentAccount = "account of a payment",
        OrderCount = "purchase count of an order",
        PayoutTender = "tender of a pay-out",
        OpeningReceipt = "receipt of an opening",
        SaleReceipt = "receipt of a sale",
        ReturnReceipt = "receipt of a return",
        RefundReceipt = "receipt of a refund",
        InvoiceAmount = "amount of an invoice",
        InvoiceReversals = "reversals of an invoice",
        InvoiceBatch = "sums of an invoice batch",
        CommandCounts = "purchase count by commands",
        EnergyOfDay = "energy of a day by its readings",
        EnergyOfHour = "energy of an hour by its readings",
        ReadingSequence = "readings of a meter, one after another",
        EnergyOfPlace = "energy of a place by its meters",
        EnergyOfMonth = "energy of a month by its days",
        PaymentPosting = "payment of an order",
        DeliveryPosting = "delivery of an order",
        CreditCommand = "credit command of an order",
        SubsidyOrder = "order of a subsidy",
        PaidEvent = "attempt of a payment event",
        WithdrawalPosting = "withdrawal of a return",
        PayoutPosting = "pay-out of a return",
        DebitCommand = "debit command of a return",
        DrawerPosting = "difference of a cash drawer",
        ReceiptNumbers = "receipts of a series and year, one after another",
        PostingWithoutCause = "posting without its cause",
        ConsumptionPosting = "consumption of a meter wallet",
        MeterBalance = "balance in the meters of an account",
        PurchaseCount = "purchase count shown by a meter",
        CumulativeAmount = "cumulative amount shown by a meter",
        NewestReading = "newest state of a meter by its reading",
        ChargePosting = "posting of a charge",
        ChargeOfPosting = "charge of a posting",
        ChargedEnergy = "energy of a charge",
        ChargedUntil = "instant up to which a wallet is charged",
        ChargedCounter = "energy charged to a wallet",
        UnchargedEnergy = "energy that waits for a price",
        ChargeDays = "energy of charges by day",
        ChargeCost = "cost of charges by day",
        WalletBalance = "balance of a server wallet",
        EmergencyCredit = "purchase that repays emergency credit",
        FinalPosting = "final amount of a closed meter",
        ClosingSettled = "amount settled by a closure",
        Carried = "amount carried from closed meters",
        ClosedBalance = "balance of a closed account",
        ClosedPaid = "amount paid into a closed account",
        ClosedMeters = "meters of a closed account",
        ClosedResidents = "residents of a closed account",
        RefundReserved = "reservation of a refund",
        RefundPosting = "posting of a refund",
        RefundReleased = "release of a refund",
        RefundsUnderWay = "refunds under way",
        RefundedAmount = "refunds of a payment",
        RefundConfirmed = "refund confirmed by its channel",
        OrderRefund = "refund state of an order",
        ConsoleRefunds = "console refunds that were settled",
        ConsoleRefundPosting = "console refund and its posting",
        RefundTotal = "refund total of the channel",
        Suspense = "money in suspense",
        DayFees = "fees of a settlement day",
        FeePosting = "posting of fees",
        BankReceipt = "receipt of the bank",
        DayTotal = "statement of a settlement day",
        ClosedDay = "differences of a closed day",
        ClosedDayTotal = "statement of a closed day",
    }
}

/// A value that a rule compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    Money(Money),
    /// Of 0.0000001 yuan.
    Cost(i64),
    Energy(Energy),
    Instant(Timestamp),
    Count(i64),
    Word(&'static str),
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Money(money) => write!(f, "{money} yuan"),
            Self::Cost(cost) => write!(f, "{cost} e-7 yuan"),
            Self::Energy(energy) => write!(f, "{} Wh", energy.0),
            Self::Instant(at) => write!(f, "{at}"),
            Self::Count(count) => write!(f, "{count}"),
            Self::Word(word) => f.write_str(word),
        }
    }
}

impl Rule {
    /// A number of a row as this rule's figure.
    pub(super) const fn figure(self, number: i64) -> Figure {
        match self {
            Self::PaymentPosting
            | Self::DeliveryPosting
            | Self::WithdrawalPosting
            | Self::PayoutPosting
            | Self::DrawerPosting
            | Self::PostingWithoutCause
            | Self::ConsumptionPosting
            | Self::MeterBalance
            | Self::ChargePosting
            | Self::ChargeOfPosting
            | Self::WalletBalance
            | Self::FinalPosting
            | Self::Carried
            | Self::ClosedBalance
            | Self::ClosedPaid
            | Self::RefundReserved
            | Self::RefundPosting
            | Self::RefundReleased
            | Self::RefundsUnderWay
            | Self::ConsoleRefunds
            | Self::DayFees
            | Self::FeePosting
            | Self::BankReceipt
            | Self::LedgerBalance
            | Self::LedgerSum
            | Self::LedgerOperation
            | Self::PaymentTender
            | Self::PaymentAccount
            | Self::PayoutTender => Figure::Money(Money(number)),
            Self::SubsidyOrder
            | Self::CumulativeAmount
            | Self::ClosingSettled
            | Self::RefundedAmount
            | Self::RefundConfirmed
            | Self::Suspense
            | Self::ConsoleRefundPosting
            | Self::RefundTotal
            | Self::DayTotal
            | Self::ClosedDayTotal
            | Self::CommandAmount
            | Self::InvoiceAmount
            | Self::InvoiceReversals
            | Self::InvoiceBatch => Figure::Money(Money(number * 100)),
            Self::ChargedEnergy
            | Self::ChargedCounter
            | Self::UnchargedEnergy
            | Self::ChargeDays
            | Self::EnergyOfDay
            | Self::EnergyOfHour
            | Self::EnergyOfPlace
            | Self::EnergyOfMonth => Figure::Energy(Energy(number)),
            Self::ChargedUntil => Figure::Instant(Timestamp(number)),
            Self::ChargeCost => Figure::Cost(number),
            Self::CreditCommand
            | Self::PaidEvent
            | Self::DebitCommand
            | Self::EmergencyCredit
            | Self::ReceiptNumbers
            | Self::OpeningReceipt
            | Self::PurchaseCount
            | Self::NewestReading
            | Self::ReadingSequence
            | Self::ClosedMeters
            | Self::ClosedResidents
            | Self::OrderRefund
            | Self::ClosedDay
            | Self::OrderCount
            | Self::CommandCounts
            | Self::SaleReceipt
            | Self::ReturnReceipt
            | Self::RefundReceipt
            | Self::AuditChain
            | Self::AuditAnchor
            | Self::SealedRow
            | Self::SealSum
            | Self::Schema => Figure::Count(number),
        }
    }
}
