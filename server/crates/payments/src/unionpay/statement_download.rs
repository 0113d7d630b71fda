//! The file of a settlement day (`txnType` 76): in the answer itself, as base64 of a deflated zip.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::time::{Date, HOUR};

use super::sign::fields;
use super::{UnionPay, statement_file, wire_time};
use crate::channel::ChannelError;
use crate::response_body::{STATEMENT_TIMEOUT, file};
use crate::statement::{StatementError, StatementResponse};
use crate::unpack::{UnpackError, inflate};
use crate::verified;
use domain::statement::Statement;

/// A settlement day ends this long before midnight.
const BEFORE_MIDNIGHT: i64 = HOUR;

/// What a settlement day covers: from 23:00 of the day before.
fn window(day: Date) -> (model::time::Timestamp, model::time::Timestamp) {
    (day.start().plus(-BEFORE_MIDNIGHT), day.plus(1).start().plus(-BEFORE_MIDNIGHT))
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
            // There is no file: nothing happened, or it is not made yet. Whoever asks knows whether there should be one.
            "98" => return Ok(StatementResponse::Ready(Statement { window, ..Statement::empty(day) })),
            "02" | "03" | "04" | "05" => return Ok(StatementResponse::NotYet),
            code => return Err(ChannelError::Refused(code.chars().take(8).collect())),
        }
        // The year is in no request and no line.
        if !message.get("settleDate").is_empty() && message.get("settleDate") != format!("{month:02}{of:02}") {
            return Err(StatementError::Day.into());
        }
        let packed = STANDARD.decode(message.get("fileContent")).map_err(|_| StatementError::Packed(UnpackError::Form))?;
        let zip = inflate(&packed).map_err(StatementError::from)?;
        let lines = statement_file::read(&self.signer.mer_id, window, &zip)?;
        Ok(StatementResponse::Ready(Statement { day, window, digest: verified::sha256(&zip), lines }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_settlement_day_begins_an_hour_before_its_midnight() {
        let (from, to) = window(Date::from_ymd(2026, 11, 23).unwrap());
        assert_eq!((from.to_string().as_str(), to.to_string().as_str()), ("2026-11-22 23:00:00", "2026-11-23 23:00:00"));
    }
}
