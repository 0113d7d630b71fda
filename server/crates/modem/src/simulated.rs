//! A simulated modem behind a pseudo-terminal: it sends nothing anywhere, keeps what it was given, and can be given faults.

mod answers;
mod encode;

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::clock::SharedClock;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::pty::OpenptFlags;
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use crate::pdu::{Body, DeliveryStatus, UserData};

const WAIT: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// What is wrong with the modem. Those that restart it end with the restart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ModemFault {
    #[default]
    None,
    /// It answers nothing.
    Silent,
    /// It repeats what it gets, and cannot be told not to.
    Echoes,
    /// It answers what is no answer.
    Garbage,
    /// Calls and messages come in the middle of its answers.
    Chatters,
    /// It never asks for the PDU.
    NoPrompt,
    /// It restarts instead of asking for the PDU.
    RestartsAtPrompt,
    /// It sends the message, and restarts before it says so.
    RestartsAfterPdu,
    /// It sends the message, and says nothing more.
    HangsAfterPdu,
    /// It sends the first part of a message and refuses the others.
    RefusesFrom {
        part: usize,
        code: u16,
    },
    NoSim,
    /// The SIM wants the PIN 1234.
    PinNeeded,
    NoNetwork,
}

/// A message, or a part of one, that the modem sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentPart {
    pub to: String,
    pub data: UserData,
    pub reference: u8,
}

impl SentPart {
    #[must_use]
    pub fn text(&self) -> String {
        let Body::Text(units) = &self.data.body else { return String::new() };
        String::from_utf16_lossy(units)
    }
}

#[derive(Default)]
struct State {
    fault: ModemFault,
    sent: Vec<SentPart>,
    /// PDUs on the SIM.
    stored: BTreeMap<u16, String>,
    /// PINs that were tried.
    pins: Vec<String>,
    reference: u8,
    /// What has arrived of a command or a PDU.
    input: Vec<u8>,
    waits_for_pdu: bool,
    /// Whether the network reports that each message was delivered.
    reports: bool,
}

struct Line {
    master: OwnedFd,
    /// Kept open, so that the line stays up while nobody else has it.
    _slave: OwnedFd,
    path: PathBuf,
    clock: SharedClock,
    state: Mutex<State>,
}

/// Cheap to clone; all clones are the same modem.
#[derive(Clone)]
pub struct SimulatedModem(Arc<Line>);

impl SimulatedModem {
    /// A modem without faults, in a network that delivers.
    ///
    /// # Errors
    /// Where no pseudo-terminal can be had.
    pub fn start(clock: SharedClock) -> std::io::Result<Self> {
        let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        rustix::pty::grantpt(&master)?;
        rustix::pty::unlockpt(&master)?;
        let path = PathBuf::from(std::ffi::OsString::from_vec(rustix::pty::ptsname(&master, Vec::new())?.into_bytes()));
        let slave = rustix::fs::open(&path, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
        // A serial line is no terminal: nothing is echoed or translated.
        let mut settings = tcgetattr(&slave)?;
        settings.make_raw();
        tcsetattr(&slave, OptionalActions::Now, &settings)?;
        rustix::io::ioctl_fionbio(&master, true)?;
        let state = Mutex::new(State { reports: true, ..State::default() });
        let modem = Self(Arc::new(Line { master, _slave: slave, path, clock, state }));
        let line = Arc::downgrade(&modem.0);
        // Until nobody has the modem any more.
        std::thread::spawn(move || while line.upgrade().is_some_and(|line| Self(line).serve()) {});
        Ok(modem)
    }

    /// The device that stands for the serial port.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    pub fn set_fault(&self, fault: ModemFault) {
        self.lock().fault = fault;
    }

    /// Whether the network reports by itself what it delivered.
    pub fn set_reports(&self, reports: bool) {
        self.lock().reports = reports;
    }

    #[must_use]
    pub fn sent(&self) -> Vec<SentPart> {
        self.lock().sent.clone()
    }

    /// Messages on the SIM.
    #[must_use]
    pub fn stored(&self) -> usize {
        self.lock().stored.len()
    }

    #[must_use]
    pub fn pins(&self) -> Vec<String> {
        self.lock().pins.clone()
    }

    /// Somebody sends a message to the modem, in as many parts as it needs.
    pub fn receive(&self, from: &str, text: &str) {
        encode::deliver(from, text, self.0.clock.now()).into_iter().for_each(|pdu| self.store(pdu));
    }

    /// A PDU arrives, whatever it is.
    pub fn store(&self, pdu: String) {
        let index = {
            let mut state = self.lock();
            let index = state.stored.last_key_value().map_or(1, |(last, _)| last + 1);
            state.stored.insert(index, pdu);
            index
        };
        self.write(&format!("\r\n+CMTI: \"SM\",{index}\r\n"));
    }

    /// The network says what became of a message.
    pub fn report(&self, sent: &SentPart, status: DeliveryStatus) {
        let pdu = encode::report(sent, status, self.0.clock.now());
        self.write(&format!("\r\n+CDS: {}\r\n{pdu}\r\n", pdu.len() / 2 - 1));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the other side does not read in time is lost, as on a serial line.
    fn write(&self, text: &str) {
        let _ = rustix::io::write(&self.0.master, text.as_bytes());
    }

    /// Takes what arrives, and ends the wait after a while; `false` where the line has ended.
    fn serve(&self) -> bool {
        let mut waiting = [PollFd::new(&self.0.master, PollFlags::IN)];
        match rustix::event::poll(&mut waiting, Some(&WAIT)) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error == Errno::INTR,
        }
        let mut chunk = [0; 512];
        let Ok(read) = rustix::io::read(&self.0.master, &mut chunk) else { return false };
        for byte in chunk.get(..read).unwrap_or_default() {
            let answer = self.lock().take(*byte);
            if let Some(answer) = answer {
                self.write(&answer.text);
                if let Some(sent) = answer.to_report {
                    self.report(&sent, DeliveryStatus::Delivered);
                }
            }
        }
        true
    }
}
