//! Seals over the rows of the books: a change that did not come through this server shows.
//!
//! While a transaction runs, triggers note each row of [`TABLES`] that it changes, as it was and as it is. Before the commit
//! [`seal`] stores a keyed hash of each of these rows, and moves on the head of the audit chain, which holds the number and the
//! sum of all seals. A person with write access to the database has not got the key: a changed row no longer fits its seal, an
//! added one has none, a removed one leaves its seal behind, and rows that are put back together with their old seals no longer
//! make up the sum.

mod changes;
mod notes;
mod rows;
mod write;

use aws_lc_rs::hmac;
use model::time::Timestamp;

use super::audit::AuditLine;
use super::{Result, StoreError, Tx};
use changes::RowChange;
use notes::Noted;
pub(super) use notes::{BEGIN, SETTING, watch};
pub use rows::{NAMED, RowFault, SealReport, faults};

/// The tables whose rows are sealed. What is not here is a reading, a session, or follows from these; `tests/schema/unsealed.rs`
/// says why for each.
pub const TABLES: [&str; 73] = [
    "account_batch_rooms",
    "account_batches",
    "account_closure_meters",
    "account_closures",
    "account_meters",
    "account_residents",
    "accounts",
    "approval_requests",
    "batches",
    "calendar_days",
    "case_notes",
    "cases",
    "charge_days",
    "charges",
    "circuits",
    "commands",
    "counter_decisions",
    "emergency_credits",
    "events",
    "foreign_statement_lines",
    "friendly_hours",
    "gateways",
    "group_defaults",
    "instruments",
    "invitations",
    "invoice_batches",
    "invoice_buyers",
    "invoice_manual_reversals",
    "invoice_rows",
    "invoice_settings",
    "ledger_transfers",
    "meter_acceptances",
    "meter_consumption",
    "meter_journal",
    "meter_overdrafts",
    "meter_parameters",
    "meters",
    "operator_buildings",
    "orders",
    "payment_attempts",
    "payment_events",
    "place_defaults",
    "place_group_members",
    "place_groups",
    "places",
    "price_groups",
    "price_places",
    "price_plans",
    "price_versions",
    "print_jobs",
    "printers",
    "receipt_logo",
    "receipt_numbers",
    "receipt_templates",
    "receipts",
    "recovery_codes",
    "refunds",
    "returns",
    "role_permissions",
    "roles",
    "second_factors",
    "settlement_days",
    "settlement_differences",
    "settlement_receipts",
    "settlement_statements",
    "shifts",
    "statement_lines",
    "statements",
    "subsidies",
    "subsidy_rules",
    "uncharged",
    "users",
    "wallets",
];

/// Bytes of a seal: HMAC-SHA-256, cut to its first half.
const SEAL: usize = 16;

/// The secret that audit lines and seals are hashed with.
#[derive(Clone)]
pub struct SealKey {
    hmac: hmac::Key,
    given: bool,
}

impl SealKey {
    /// Without a secret: mistakes show, and whoever computes the hashes anew is not noticed.
    #[must_use]
    pub fn none() -> Self {
        Self { hmac: hmac::Key::new(hmac::HMAC_SHA256, &[]), given: false }
    }

    /// From 32 bytes in hexadecimal; space around them is ignored.
    #[must_use]
    pub fn parse(hex: &str) -> Option<Self> {
        let secret = hex::decode(hex.trim()).ok().filter(|secret| secret.len() == 32)?;
        Some(Self { hmac: hmac::Key::new(hmac::HMAC_SHA256, &secret), given: true })
    }

    /// Whether there is a secret.
    #[must_use]
    pub const fn is_given(&self) -> bool {
        self.given
    }

    /// Over each part with its length, so that no two lists of parts give the same bytes. `domain` keeps lines, rows
    /// and the head apart.
    pub(super) fn hash(&self, domain: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.hmac);
        for part in [domain.as_bytes()].iter().chain(parts) {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut hash = [0; 32];
        let tag = context.sign();
        hash.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
        hash
    }

    /// The seal of a row as its text gives it.
    fn seal(&self, table: &str, key: &str, image: &str) -> Seal {
        let hash = self.hash("row", &[table.as_bytes(), key.as_bytes(), image.as_bytes()]);
        let mut seal = [0; SEAL];
        seal.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        Seal(seal)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seal([u8; SEAL]);

impl Seal {
    const fn number(self) -> u128 {
        u128::from_be_bytes(self.0)
    }
}

/// The head of the audit chain, and what all seals make up.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Head {
    /// Of the last line; 0 before the first.
    pub seq: i64,
    pub hash: Vec<u8>,
    pub sealed_rows: i64,
    /// Of all seals as numbers, modulo 2^128.
    pub seal_sum: Vec<u8>,
    /// Over the four; empty before the first commit.
    pub mac: Vec<u8>,
}

impl Head {
    /// Whether the server wrote it, or the migration did.
    pub(super) fn is_genuine(&self, key: &SealKey) -> bool {
        let new = self.seq == 0 && self.sealed_rows == 0 && self.sum() == 0;
        if self.mac.is_empty() { new } else { self.mac == self.mac(key) }
    }

    pub(super) fn sum(&self) -> u128 {
        self.seal_sum.iter().fold(0, |sum, byte| sum << 8 | u128::from(*byte))
    }

    fn mac(&self, key: &SealKey) -> Vec<u8> {
        let parts = [&self.seq.to_be_bytes()[..], &self.hash, &self.sealed_rows.to_be_bytes(), &self.seal_sum];
        key.hash("head", &parts).to_vec()
    }
}

/// What a transaction's commit writes.
pub struct Unsealed {
    key: SealKey,
    lines: Vec<(Timestamp, AuditLine)>,
}

impl Unsealed {
    pub(super) fn new(key: &SealKey) -> Self {
        Self { key: key.clone(), lines: Vec::new() }
    }

    pub(super) const fn key(&self) -> &SealKey {
        &self.key
    }

    pub(super) fn push(&mut self, at: Timestamp, line: AuditLine) {
        self.lines.push((at, line));
    }
}

/// Writes the audit lines of a transaction, the seals of the rows that it changed, and the head.
///
/// The head is locked here, last of all: transactions queue for it, so that the chain never forks and the sum loses nothing.
pub(super) async fn seal(tx: &mut Tx) -> Result<()> {
    let lines = std::mem::take(&mut tx.unsealed().lines);
    let key = tx.unsealed().key.clone();
    let Some(Noted { mut head, changes }) = notes::take(tx, &key, !lines.is_empty()).await? else {
        let no_head = StoreError::Inconsistent { table: "audit_head", column: "one" };
        return if lines.is_empty() { Ok(()) } else { Err(no_head) };
    };
    if lines.is_empty() && changes.is_empty() {
        return Ok(());
    }
    let lines = chained(&key, &mut head, lines);
    let seals = reseal(&mut head, changes.net());
    head.mac = head.mac(&key);
    write::write(tx, &head, &lines, &seals).await
}

/// Seals what a long transaction wrote so far, so that not all of it is in memory at its end. Only on SQLite, where nobody else
/// writes meanwhile: on PostgreSQL others would wait for the head, and this transaction perhaps for them.
pub(super) async fn seal_early(tx: &mut Tx) -> Result<()> {
    if matches!(tx, Tx::Postgres(_)) {
        return Ok(());
    }
    seal(tx).await?;
    notes::forget(tx).await
}

/// An audit line in its place of the chain.
struct ChainedLine {
    seq: i64,
    at: Timestamp,
    line: AuditLine,
    hash: Vec<u8>,
}

/// Table and key of a row, the seal that it has to have before, and its new one.
type ChangedSeal = (&'static str, Box<str>, Seal, Seal);

/// The seals of the rows that a transaction changed.
#[derive(Default)]
struct Seals {
    added: Vec<(&'static str, Box<str>, Seal)>,
    changed: Vec<ChangedSeal>,
    removed: Vec<(&'static str, Box<str>)>,
}

fn chained(key: &SealKey, head: &mut Head, lines: Vec<(Timestamp, AuditLine)>) -> Vec<ChainedLine> {
    let chain = |(at, line): (Timestamp, AuditLine)| {
        head.seq += 1;
        head.hash = line.hash(key, &head.hash, head.seq, at);
        ChainedLine { seq: head.seq, at, line, hash: head.hash.clone() }
    };
    lines.into_iter().map(chain).collect()
}

/// Moves the head to the seals that the changes make.
fn reseal(head: &mut Head, changes: Vec<RowChange>) -> Seals {
    let mut seals = Seals::default();
    let mut sum = head.sum();
    for RowChange { table, row_key, before, after } in changes {
        sum = sum.wrapping_sub(before.map_or(0, Seal::number)).wrapping_add(after.map_or(0, Seal::number));
        match (before, after) {
            (None, Some(after)) => seals.added.push((table, row_key, after)),
            (Some(before), Some(after)) => seals.changed.push((table, row_key, before, after)),
            (Some(_), None) => seals.removed.push((table, row_key)),
            (None, None) => {}
        }
    }
    head.sealed_rows += seals.added.len() as i64 - seals.removed.len() as i64;
    head.seal_sum = sum.to_be_bytes().to_vec();
    seals
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_kept_apart() {
        let key = SealKey::none();
        assert_ne!(key.hash("row", &[b"ab", b"c"]), key.hash("row", &[b"a", b"bc"]));
        assert_ne!(key.hash("row", &[b"ab"]), key.hash("head", &[b"ab"]));
    }

    #[test]
    fn the_key_decides_about_the_seal() {
        let key = SealKey::parse(&"0a".repeat(32)).unwrap();
        assert!(key.is_given() && !SealKey::none().is_given());
        assert!(key.seal("a", "b", "c") != SealKey::none().seal("a", "b", "c"));
        assert!(SealKey::parse("0a").is_none() && SealKey::parse(&"zz".repeat(32)).is_none());
    }

    #[test]
    fn a_head_that_was_moved_back_is_not_genuine() {
        let key = SealKey::none();
        let mut head = Head { seq: 2, hash: vec![1], sealed_rows: 1, seal_sum: vec![7], mac: Vec::new() };
        assert!(!head.is_genuine(&key), "no mac");
        head.mac = head.mac(&key);
        assert!(head.is_genuine(&key));
        assert!(!Head { seq: 1, ..head.clone() }.is_genuine(&key));
        assert!(!head.is_genuine(&SealKey::parse(&"0a".repeat(32)).unwrap()));
    }
}
