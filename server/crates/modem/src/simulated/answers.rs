//! What the simulated modem answers.

use super::{ModemFault, SentPart, State};
use crate::pdu::decode_submit;

const RESTARTED: &str = "\r\n^SYSSTART\r\n";
const PROMPT: &str = "\r\n> ";
const OK: &str = "\r\nOK\r\n";
const ERROR: &str = "\r\nERROR\r\n";
const NO_SIM: &str = "\r\n+CME ERROR: 10\r\n";
const CHATTER: &str = "\r\nRING\r\n\r\n+CREG: 0\r\n\r\n+CMTI: \"SM\",1\r\n";
const PIN: &str = "1234";

/// What is written, and what the network reports afterwards.
#[derive(Default)]
pub struct Answer {
    pub text: String,
    pub to_report: Option<SentPart>,
}

impl From<&str> for Answer {
    fn from(text: &str) -> Self {
        Self { text: text.to_owned(), to_report: None }
    }
}

impl State {
    /// Takes a byte; gives the answer to the command or PDU that it ends.
    pub fn take(&mut self, byte: u8) -> Option<Answer> {
        let ends = match byte {
            0x1b => {
                (self.waits_for_pdu, self.input) = (false, Vec::new());
                return None;
            }
            0x1a => self.waits_for_pdu,
            b'\r' => !self.waits_for_pdu,
            _ => false,
        };
        if !ends {
            self.input.push(byte);
            return None;
        }
        let input = String::from_utf8_lossy(&std::mem::take(&mut self.input)).trim().to_owned();
        let mut answer = match self.fault {
            ModemFault::Silent => return None,
            ModemFault::Garbage => Answer::from("\r\n\u{1}}#*!\r\n"),
            _ if std::mem::take(&mut self.waits_for_pdu) => self.submit(&input),
            _ if input.is_empty() => return None,
            _ => Answer::from(&*self.command(&input)),
        };
        match self.fault {
            ModemFault::Echoes => answer.text.insert_str(0, &format!("{input}\r")),
            ModemFault::Chatters => answer.text.insert_str(0, CHATTER),
            _ => {}
        }
        Some(answer)
    }

    fn command(&mut self, command: &str) -> String {
        let value = |text: &str| format!("\r\n{text}\r\n{OK}");
        let is_locked = self.fault == ModemFault::PinNeeded && self.pins.last().is_none_or(|pin| pin != PIN);
        match command {
            "AT+CPIN?" if self.fault == ModemFault::NoSim => NO_SIM.to_owned(),
            "AT+CPIN?" if is_locked => value("+CPIN: SIM PIN"),
            "AT+CPIN?" => value("+CPIN: READY"),
            "AT+CSQ" => value("+CSQ: 21,99"),
            "AT+CREG?" if self.fault == ModemFault::NoNetwork => value("+CREG: 0,2"),
            "AT+CREG?" => value("+CREG: 0,1"),
            "AT+COPS?" => value("+COPS: 0,0,\"Simulated\""),
            "AT+CMGL=4" => {
                let stored =
                    self.stored.iter().map(|(index, pdu)| format!("\r\n+CMGL: {index},0,,{}\r\n{pdu}", pdu.len() / 2 - 1));
                format!("{}\r\n{OK}", stored.collect::<String>())
            }
            "AT" | "ATE0" | "AT+CMEE=1" | "AT+CMGF=0" | "AT+CSMS=0" | "AT+COPS=3,0" | "AT+CNUM" => OK.to_owned(),
            _ if command.starts_with("AT+CPMS=") || command.starts_with("AT+CNMI=2,1,0,1") => OK.to_owned(),
            _ => self.command_with_value(command),
        }
    }

    fn command_with_value(&mut self, command: &str) -> String {
        if let Some(pin) = command.strip_prefix("AT+CPIN=") {
            self.pins.push(pin.trim_matches('"').to_owned());
            return if pin.trim_matches('"') == PIN { OK } else { "\r\n+CME ERROR: 16\r\n" }.to_owned();
        }
        if let Some(index) = command.strip_prefix("AT+CMGD=") {
            index.parse().ok().and_then(|index: u16| self.stored.remove(&index));
            return OK.to_owned();
        }
        if !command.starts_with("AT+CMGS=") {
            return ERROR.to_owned();
        }
        match self.fault {
            ModemFault::NoPrompt => String::new(),
            ModemFault::RestartsAtPrompt => {
                self.fault = ModemFault::None;
                RESTARTED.to_owned()
            }
            _ => {
                self.waits_for_pdu = true;
                PROMPT.to_owned()
            }
        }
    }

    fn submit(&mut self, pdu: &str) -> Answer {
        let Ok((to, data, wants_report)) = decode_submit(pdu) else { return "\r\n+CMS ERROR: 304\r\n".into() };
        let part = data.concatenation.map_or(1, |concatenation| usize::from(concatenation.part));
        if let ModemFault::RefusesFrom { part: first, code } = self.fault
            && part >= first
        {
            return Answer { text: format!("\r\n+CMS ERROR: {code}\r\n"), to_report: None };
        }
        self.reference = self.reference.wrapping_add(1);
        let sent = SentPart { to: to.text(), data, reference: self.reference };
        self.sent.push(sent.clone());
        match self.fault {
            ModemFault::HangsAfterPdu => {
                self.fault = ModemFault::Silent;
                Answer::default()
            }
            ModemFault::RestartsAfterPdu => {
                self.fault = ModemFault::None;
                RESTARTED.into()
            }
            _ => {
                let text = format!("\r\n+CMGS: {}\r\n{OK}", self.reference);
                Answer { text, to_report: (wants_report && self.reports).then_some(sent) }
            }
        }
    }
}
