//! One command at a time, and its answer; what comes in between is kept apart.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::timeout;

use crate::at::{Failure, Final, Token, Unsolicited};
use crate::error::{ModemFailure, SendError};
use crate::port::Port;

/// More lines than a full SIM has messages.
const MOST_LINES: usize = 1_024;
/// PDUs that wait to be looked at; the network sends a report again, and a message is on the SIM.
const MOST_PDUS: usize = 64;
const ESCAPE: &[u8] = &[0x1b];
const END_OF_PDU: &[u8] = &[0x1a];

/// How long a modem has for what it does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeLimits {
    pub answer: Duration,
    /// Handing a message to the network.
    pub network: Duration,
}

pub(crate) struct Dialog {
    port: Port,
    patience: TimeLimits,
    /// PDUs that came by themselves.
    pub pdus: VecDeque<String>,
    /// Whether the modem has stored a message since this was taken.
    pub has_stored: bool,
    pdu_follows: bool,
}

impl Dialog {
    pub fn new(port: Port, patience: TimeLimits) -> Self {
        Self { port, patience, pdus: VecDeque::new(), has_stored: true, pdu_follows: false }
    }

    /// Ends whatever the modem waits for, and drops what it says.
    pub async fn interrupt(&mut self, quiet: Duration) -> Result<(), ModemFailure> {
        self.pdu_follows = false;
        self.port.write(ESCAPE).await?;
        self.port.write(b"\r").await?;
        self.port.drain(quiet, self.patience.answer).await
    }

    /// Sends a command; gives the lines of its answer, or how it failed.
    pub async fn command(&mut self, command: &str) -> Result<Result<Vec<String>, Failure>, ModemFailure> {
        self.port.write(format!("{command}\r").as_bytes()).await?;
        let patience = self.patience.answer;
        timeout(patience, self.answer(command)).await.map_err(|_| ModemFailure::Silent)?
    }

    /// As [`Self::command`], where a refusal means that the modem must be set up again.
    pub async fn require(&mut self, command: &str) -> Result<Vec<String>, ModemFailure> {
        self.command(command).await?.map_err(ModemFailure::Refused)
    }

    /// Hands a PDU over; gives the reference under which the network reports about it.
    ///
    /// # Errors
    /// Outside, why the modem must be set up again, where the PDU was not handed over; inside, why it was not sent.
    pub async fn submit(&mut self, pdu: &str, length: usize) -> Result<Result<u8, SendError>, ModemFailure> {
        let command = format!("AT+CMGS={length}");
        self.port.write(format!("{command}\r").as_bytes()).await?;
        let TimeLimits { answer, network } = self.patience;
        let refusal = timeout(answer, self.prompt(&command)).await.map_err(|_| ModemFailure::Silent)??;
        if let Some(failure) = refusal {
            return Ok(Err(SendError::of(failure)));
        }
        // From here on nobody knows whether it was sent until the modem says so.
        let handed_over = async {
            self.port.write(pdu.as_bytes()).await?;
            self.port.write(END_OF_PDU).await?;
            self.answer(pdu).await
        };
        Ok(match timeout(network, handed_over).await {
            Ok(Ok(Ok(lines))) => reference(&lines).ok_or(SendError::Unconfirmed),
            Ok(Ok(Err(failure))) => Err(SendError::of(failure)),
            Ok(Err(_)) | Err(_) => Err(SendError::Unconfirmed),
        })
    }

    /// Waits until something comes by itself. Nothing is lost where this is dropped.
    pub async fn idle(&mut self) -> Result<(), ModemFailure> {
        loop {
            if let Token::Line(line) = self.port.token().await?
                && self.takes(&line)?
            {
                return Ok(());
            }
        }
    }

    /// The lines up to the end of an answer, without the echo of what was sent.
    async fn answer(&mut self, sent: &str) -> Result<Result<Vec<String>, Failure>, ModemFailure> {
        let mut lines = Vec::new();
        loop {
            let Token::Line(line) = self.port.token().await? else { continue };
            if is_echo(&line, sent) || self.takes(&line)? {
                continue;
            }
            match Final::of(&line) {
                Some(Final::Ok) => return Ok(Ok(lines)),
                Some(Final::Failed(failure)) => return Ok(Err(failure)),
                None if lines.len() < MOST_LINES => lines.push(line),
                None => return Err(ModemFailure::Garbage),
            }
        }
    }

    /// Waits for the prompt; gives why none comes.
    async fn prompt(&mut self, sent: &str) -> Result<Option<Failure>, ModemFailure> {
        loop {
            let line = match self.port.token().await? {
                Token::Prompt => return Ok(None),
                Token::Line(line) => line,
            };
            if is_echo(&line, sent) || self.takes(&line)? {
                continue;
            }
            match Final::of(&line) {
                Some(Final::Failed(failure)) => return Ok(Some(failure)),
                // It answers something else, so it is not known what it would do with a PDU.
                Some(Final::Ok) => return Err(ModemFailure::Garbage),
                None => {}
            }
        }
    }

    /// Takes a line that no command asked for, and the PDU behind one.
    fn takes(&mut self, line: &str) -> Result<bool, ModemFailure> {
        if std::mem::take(&mut self.pdu_follows) {
            if self.pdus.len() < MOST_PDUS {
                self.pdus.push_back(line.to_owned());
            }
            return Ok(true);
        }
        match Unsolicited::of(line) {
            Some(Unsolicited::Stored) => self.has_stored = true,
            Some(Unsolicited::PduFollows) => self.pdu_follows = true,
            Some(Unsolicited::Restarted) => return Err(ModemFailure::Restarted),
            Some(Unsolicited::Other) => {}
            None => return Ok(false),
        }
        Ok(true)
    }
}

/// A modem that echoes repeats what was sent, behind the prompt too.
fn is_echo(line: &str, sent: &str) -> bool {
    line.trim_matches(|c: char| c.is_control() || c == '>' || c == ' ') == sent
}

fn reference(lines: &[String]) -> Option<u8> {
    crate::at::fields(lines, "+CMGS")?.first()?.parse().ok()
}
