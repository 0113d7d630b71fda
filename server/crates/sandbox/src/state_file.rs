//! Saves the sandbox's state, so that a demo's statements do not change after a restart.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use model::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::books::Trade;
use super::unionpay::TransactionRequest;
use super::{Sandbox, SandboxError};

#[derive(Default, Serialize, Deserialize)]
pub(super) struct SavedState {
    pub trades: Vec<Trade>,
    /// Trade number, refund number and time of each refund.
    pub refunded: Vec<(String, String, Timestamp)>,
    pub asked: BTreeMap<String, TransactionRequest>,
}

impl Sandbox {
    /// Restores the state; does nothing if the file does not exist.
    ///
    /// # Errors
    /// [`SandboxError::State`] if the file cannot be read or parsed.
    pub fn restore_state(&self, file: &Path) -> Result<(), SandboxError> {
        let keep = |error| SandboxError::State(file.to_owned(), error);
        let text = match fs::read_to_string(file) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            read => read.map_err(keep)?,
        };
        let state = serde_json::from_str(&text).map_err(|error| keep(std::io::Error::new(ErrorKind::InvalidData, error)))?;
        self.bank.restore(state);
        Ok(())
    }

    /// # Errors
    /// [`SandboxError::State`] if the file cannot be written.
    pub fn save_state(&self, file: &Path) -> Result<(), SandboxError> {
        let keep = |error| SandboxError::State(file.to_owned(), error);
        let text = serde_json::to_string(&self.bank.saved_state()).map_err(|error| keep(std::io::Error::other(error)))?;
        fs::write(file, text).map_err(keep)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};
    use std::sync::Arc;

    use model::money::Fen;
    use model::order::Tender;

    use super::super::books::Status;
    use super::super::{Config, Keys, start};
    use super::*;
    use domain::clock::SystemClock;
    use domain::rng::Rng;

    fn trade() -> Trade {
        Trade {
            tender: Tender::Alipay,
            out_trade_no: "A1".into(),
            trade_no: "T1".into(),
            token: "t".into(),
            amount: Fen(5_000),
            subject: "3-101".into(),
            way: String::new(),
            notify_url: String::new(),
            return_url: String::new(),
            quit_url: String::new(),
            status: Status::TradeSuccess,
            expires_at: Timestamp(2),
            paid_at: Some(Timestamp(1)),
            refunds: BTreeMap::new(),
            pending: BTreeMap::new(),
            notified: 1,
            acknowledged: 1,
        }
    }

    #[tokio::test]
    async fn state_survives_a_restart() {
        let (keys, dir) = (Keys::generate().unwrap(), tempfile::tempdir().unwrap());
        let file = dir.path().join("books.json");
        let sandbox = async || {
            let (address, clock) = (SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Arc::new(SystemClock));
            start(Config { address, keys: keys.clone(), speed: 1, clock, rng: Rng::from_system() }).await.unwrap()
        };
        let first = sandbox().await;
        first.restore_state(&file).unwrap();
        assert!(first.books().is_empty(), "nothing was kept yet");
        first.bank.trades().insert("A1".into(), trade());
        assert!(first.refund("A1", "R1", Fen(1_000)));
        first.save_state(&file).unwrap();
        let second = sandbox().await;
        second.restore_state(&file).unwrap();
        let text = |sandbox: &Sandbox| serde_json::to_value(sandbox.bank.saved_state()).unwrap();
        assert_eq!(text(&second)["refunded"], text(&first)["refunded"]);
        assert_eq!(second.books()[0].refunded(), Fen(1_000));
        std::fs::write(&file, "{").unwrap();
        assert!(second.restore_state(&file).is_err());
    }
}
