//! Statement download (`txnType` 76). The file is in the response itself: base64 of a zlib-compressed zip archive.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::time::{Date, HOUR};

use super::sign::fields;
use super::{UnionPay, statement_file, wire_time};
use crate::channel::ChannelError;
use crate::response_body::{STATEMENT_TIMEOUT, file};
use crate::statement::fields::Lines;
use crate::statement::{StatementError, StatementResponse};
use crate::unpack::{UnpackError, inflate};
use crate::verified;
use domain::statement::Statement;

/// UnionPay's settlement day lasts from 23:00 of the day before to 23:00.
fn window(day: Date) -> (model::time::Timestamp, model::time::Timestamp) {
    (day.start().plus(-HOUR), day.plus(1).start().plus(-HOUR))
}

impl UnionPay {
    pub(super) async fn fetch_statement(&self, day: Date) -> Result<StatementResponse, ChannelError> {
        let (_, month, of) = day.ymd();
        let request = fields([
            ("txnType", "76"),
            ("txnSubType", "01"),
            ("bizType", "000000"),
            ("fileType", "00"),
            ("txnTime", &wire_time(self.clock.now())),
            ("settleDate", &format!("{month:02}{of:02}")),
        ]);
        let response = self.send(format!("{}/", self.files), request, Some(STATEMENT_TIMEOUT)).await?;
        let message = self.verify(&file(response).await?)?;
        let window = window(day);
        match message.get("respCode") {
            "00" => {}
            // No file: a day without transactions, or not ready yet. The caller knows whether payments are expected.
            "98" => return Ok(StatementResponse::Ready(Statement { window, ..Statement::empty(day) })),
            "02" | "03" | "04" | "05" => return Ok(StatementResponse::NotYet),
            code => return Err(ChannelError::Refused(code.chars().take(8).collect())),
        }
        // Neither requests nor lines contain the year.
        if !message.get("settleDate").is_empty() && message.get("settleDate") != format!("{month:02}{of:02}") {
            return Err(StatementError::Day.into());
        }
        let packed = STANDARD.decode(message.get("fileContent")).map_err(|_| StatementError::Packed(UnpackError::Form))?;
        let zip = inflate(&packed).map_err(StatementError::from)?;
        let Lines { ours: lines, foreign } = statement_file::read(&self.signer.mer_id, window, &zip)?;
        Ok(StatementResponse::Ready(Statement { day, window, digest: verified::sha256(&zip), lines, foreign }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unionpay_settlement_day_starts_at_23_00() {
        let (from, to) = window(Date::from_ymd(2026, 11, 23).unwrap());
        assert_eq!((from.to_string().as_str(), to.to_string().as_str()), ("2026-11-22 23:00:00", "2026-11-23 23:00:00"));
    }
}
