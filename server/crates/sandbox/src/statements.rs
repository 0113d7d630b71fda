//! Statement lines from the sandbox's books, and faults in them.

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

/// Faults in statements; none by default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StatementFaults {
    /// The channel answers that the statement is not ready.
    pub not_ready: bool,
    /// The channel answers that there were no transactions.
    pub reports_empty: bool,
    /// Omits the payment with this number.
    pub missing: Option<String>,
    /// Adds a payment of this amount (yuan) that does not exist.
    pub extra: Option<String>,
    /// Other amounts (yuan) by payment number.
    pub amounts: BTreeMap<String, String>,
    /// Adds a refund of the payment with this number.
    pub refunded: Option<String>,
    /// Lists the payment with this number twice.
    pub duplicated: Option<String>,
    /// Added to the fee of each payment, fen.
    pub fee_fen: i64,
    /// The total of payments is one fen too high.
    pub wrong_sum: bool,
    /// The digest is wrong; for channels without a digest the file is truncated.
    pub wrong_hash: bool,
    /// The file is a decompression bomb.
    pub bomb: bool,
    /// The statement is of another merchant.
    pub wrong_merchant: bool,
    /// So many payments of another system under the same merchant number, 10.00 yuan each. At WeChat Pay they are of another
    /// application, and every second has a number like ours.
    pub foreign: u32,
    /// WeChat Pay: the payment with this number was reversed (`REVOKED`).
    pub revoked: Option<String>,
    /// WeChat Pay: a refund of the payment with this number failed (`FAIL`).
    pub failed_refund: Option<String>,
    /// WeChat Pay: the columns have their older names.
    pub old_columns: bool,
    /// WeChat Pay: the state of the first row is unknown.
    pub unknown_state: bool,
}

/// A statement line before it is written in a channel's format.
pub(super) struct StatementRow {
    pub kind: LineKind,
    pub out_trade_no: String,
    pub trade_no: String,
    pub refund_no: Option<String>,
    pub amount: Fen,
    /// Fee; negative if returned.
    pub fee: Fen,
    pub at: Timestamp,
    pub subject: String,
    /// Of another system under the same merchant number.
    pub foreign: bool,
    /// The state of a refund that is none of the usual ones: `REVOKED` or `FAIL`.
    pub special: Option<&'static str>,
}

/// Number and total amount of payments and refunds.
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

/// 0.6 %, rounded to a fen.
fn fee_of(amount: Fen) -> Fen {
    Fen((amount.0 * 60 + 5_000) / 10_000)
}

impl Bank {
    /// The transactions of a channel from (included) to (excluded), with the configured faults.
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
                foreign: false,
                special: None,
            };
            if let Some(at) = trade.paid_at.filter(|_| faults.missing.as_ref() != Some(&trade.out_trade_no)) {
                let other_amount = faults.amounts.get(&trade.out_trade_no).and_then(|text| Fen::parse_yuan(text).ok());
                let amount = other_amount.unwrap_or(trade.amount);
                let copies = if faults.duplicated.as_ref() == Some(&trade.out_trade_no) { 2 } else { 1 };
                for _ in 0..copies {
                    rows.push(row(LineKind::Paid, None, amount, fee_of(amount) + Fen(faults.fee_fen), at));
                }
                if faults.refunded.as_ref() == Some(&trade.out_trade_no) {
                    rows.push(row(LineKind::Refunded, Some("BYNOBODY1".to_owned()), amount, Fen::ZERO, at));
                }
            }
            for (fault, special) in [(&faults.revoked, "REVOKED"), (&faults.failed_refund, "FAIL")] {
                if let Some(at) = trade.paid_at.filter(|_| fault.as_ref() == Some(&trade.out_trade_no)) {
                    let refund = row(LineKind::Refunded, Some("0".to_owned()), trade.amount, Fen::ZERO, at);
                    rows.push(StatementRow { special: Some(special), ..refund });
                }
            }
            for (number, amount) in &trade.refunds {
                // Alipay keeps its fee on refunds.
                let fee = if tender == Tender::Alipay { Fen::ZERO } else { -fee_of(*amount) };
                let at = self.refunded_at(&trade.out_trade_no, number).or(trade.paid_at).unwrap_or(from);
                rows.push(row(LineKind::Refunded, Some(number.clone()), *amount, fee, at));
            }
        }
        if let Some(amount) = faults.extra.as_deref().and_then(|text| Fen::parse_yuan(text).ok()) {
            let (out_trade_no, trade_no) = ("D99999999N1".to_owned(), "99990000000000000000000001".to_owned());
            let (fee, at, subject) = (fee_of(amount), from, "别处".to_owned());
            rows.push(StatementRow {
                kind: LineKind::Paid,
                out_trade_no,
                trade_no,
                refund_no: None,
                amount,
                fee,
                at,
                subject,
                foreign: false,
                special: None,
            });
        }
        for n in 0..faults.foreign {
            // Alipay's and UnionPay's files do not name the application.
            let looks_like_ours = tender == Tender::WechatPay && n % 2 == 0;
            rows.push(StatementRow {
                kind: LineKind::Paid,
                out_trade_no: if looks_like_ours { format!("D{n}N1") } else { format!("SHOP{n:08}") },
                trade_no: format!("8888{n:024}"),
                refund_no: None,
                amount: Fen(1_000),
                fee: fee_of(Fen(1_000)),
                at: from,
                subject: "别处".to_owned(),
                foreign: true,
                special: None,
            });
        }
        rows.retain(|row| from <= row.at && row.at < to);
        rows.sort_by_key(|row| row.at);
        rows
    }
}

/// 64 MiB of zeros.
pub(super) fn zip_bomb_content() -> Vec<u8> {
    vec![0; 64 << 20]
}

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

pub(super) fn gzipped(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    match encoder.write_all(plain) {
        Ok(()) => encoder.finish().unwrap_or_default(),
        Err(_) => Vec::new(),
    }
}
