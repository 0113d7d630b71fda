//! The sandbox's statements, out of its own books, and how they are wrong when they are told to be.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use model::money::Fen;
use model::order::Tender;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};
use zip::write::{SimpleFileOptions, ZipWriter};

use super::bank::Bank;
use domain::statement::LineKind;

/// What is wrong with statements. The default is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StatementFaults {
    /// They are not made yet.
    pub not_ready: bool,
    /// What the channel says instead is that there was nothing.
    pub reports_empty: bool,
    /// The payment of this number is not in it.
    pub missing: Option<String>,
    /// A payment that nobody made is in it, yuan.
    pub extra: Option<String>,
    /// These payments are in it with another amount, yuan.
    pub amounts: BTreeMap<String, String>,
    /// These payments are in it as given back too.
    pub refunded: Option<String>,
    /// The payment of this number is in it twice.
    pub duplicated: Option<String>,
    /// Fees are this many fen higher a payment.
    pub fee_fen: i64,
    /// The sum of payments is a fen too high.
    pub wrong_sum: bool,
    /// The digest is of something else; where the channel has none, the file is cut off.
    pub wrong_hash: bool,
    /// It unpacks to much more than it is.
    pub bomb: bool,
    /// It is another merchant's.
    pub wrong_merchant: bool,
}

/// One line of a statement, before it is written as the channel writes it.
pub(super) struct StatementRow {
    pub kind: LineKind,
    pub out_trade_no: String,
    pub trade_no: String,
    pub refund_no: Option<String>,
    pub amount: Fen,
    /// What is kept, or given back of it.
    pub fee: Fen,
    pub at: Timestamp,
    pub subject: String,
}

/// What a statement's lines add up to.
pub(super) struct StatementTotals {
    pub paid: (usize, Fen),
    pub refunded: (usize, Fen),
}

impl StatementTotals {
    pub fn of(rows: &[StatementRow], faults: &StatementFaults) -> Self {
        let sum = |kind| {
            let of_kind: Vec<Fen> = rows.iter().filter(|row| row.kind == kind).map(|row| row.amount).collect();
            (of_kind.len(), of_kind.into_iter().sum::<Fen>())
        };
        let (paid, refunded) = (sum(LineKind::Paid), sum(LineKind::Refunded));
        let wrong = Fen(i64::from(faults.wrong_sum));
        Self { paid: (paid.0, paid.1 + wrong), refunded }
    }
}

/// Sixty parts in ten thousand, rounded to a fen, as channels keep it.
fn fee_of(amount: Fen) -> Fen {
    Fen((amount.0 * 60 + 5_000) / 10_000)
}

impl Bank {
    /// What happened at a channel in a window of time, as its statement tells it.
    pub(super) fn statement_rows(&self, tender: Tender, (from, to): (Timestamp, Timestamp)) -> Vec<StatementRow> {
        let faults = self.faults().statement;
        let mut rows = Vec::new();
        for trade in self.books().into_iter().filter(|trade| trade.tender == tender) {
            let row = |kind, refund_no, amount, fee, at| StatementRow {
                kind,
                out_trade_no: trade.out_trade_no.clone(),
                trade_no: trade.trade_no.clone(),
                refund_no,
                amount,
                fee,
                at,
                subject: trade.subject.clone(),
            };
            if let Some(at) = trade.paid_at.filter(|_| faults.missing.as_ref() != Some(&trade.out_trade_no)) {
                let told = faults.amounts.get(&trade.out_trade_no).and_then(|text| Fen::parse_yuan(text).ok());
                let amount = told.unwrap_or(trade.amount);
                let copies = if faults.duplicated.as_ref() == Some(&trade.out_trade_no) { 2 } else { 1 };
                for _ in 0..copies {
                    rows.push(row(LineKind::Paid, None, amount, fee_of(amount) + Fen(faults.fee_fen), at));
                }
                if faults.refunded.as_ref() == Some(&trade.out_trade_no) {
                    rows.push(row(LineKind::Refunded, Some("BYNOBODY1".to_owned()), amount, Fen::ZERO, at));
                }
            }
            for (number, amount) in &trade.refunds {
                // Only one of the channels gives its fee back.
                let fee = if tender == Tender::Alipay { Fen::ZERO } else { -fee_of(*amount) };
                let at = self.refunded_at(&trade.out_trade_no, number).or(trade.paid_at).unwrap_or(from);
                rows.push(row(LineKind::Refunded, Some(number.clone()), *amount, fee, at));
            }
        }
        if let Some(amount) = faults.extra.as_deref().and_then(|text| Fen::parse_yuan(text).ok()) {
            let (out_trade_no, trade_no) = ("ELSEWHERE1".to_owned(), "99990000000000000000000001".to_owned());
            let (fee, at, subject) = (fee_of(amount), from, "别处".to_owned());
            rows.push(StatementRow { kind: LineKind::Paid, out_trade_no, trade_no, refund_no: None, amount, fee, at, subject });
        }
        rows.retain(|row| from <= row.at && row.at < to);
        rows.sort_by_key(|row| row.at);
        rows
    }
}

/// A bomb of its kind: zeros, sixty-four megabytes of them.
pub(super) fn zip_bomb_content() -> Vec<u8> {
    vec![0; 64 << 20]
}

/// A zip of files by their names.
pub(super) fn zipped(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let written = || -> zip::result::ZipResult<Vec<u8>> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, plain) in files {
            writer.start_file(*name, SimpleFileOptions::default())?;
            writer.write_all(plain)?;
        }
        Ok(writer.finish()?.into_inner())
    };
    written().unwrap_or_default()
}

/// A gzip file.
pub(super) fn gzipped(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    match encoder.write_all(plain) {
        Ok(()) => encoder.finish().unwrap_or_default(),
        Err(_) => Vec::new(),
    }
}
