//! A simulated receipt printer: keeps what is on its paper, answers questions about its state, and can be given faults.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What is wrong with the printer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PrinterFault {
    #[default]
    None,
    PaperOut,
    CoverOpen,
    Offline,
    /// It takes everything and answers nothing.
    Silent,
    /// The paper ends when this many bytes more were printed; what follows stays in its buffer.
    PaperEndsAfter(usize),
    /// The connection breaks when this many bytes more were printed.
    BreaksAfter(usize),
}

#[derive(Debug, Default)]
struct Paper {
    printed: Vec<u8>,
    fault: PrinterFault,
}

/// Cheap to clone; all clones are the same printer.
#[derive(Clone, Debug)]
pub struct SimulatedPrinter {
    address: SocketAddr,
    paper: Arc<Mutex<Paper>>,
}

impl SimulatedPrinter {
    /// A printer on a free port of this machine, without faults.
    ///
    /// # Errors
    /// Where no port can be had.
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let printer = Self { address: listener.local_addr()?, paper: Arc::default() };
        let serving = printer.clone();
        tokio::spawn(async move {
            // Receipt printers serve one connection at a time.
            while let Ok((stream, _)) = listener.accept().await {
                serving.serve(stream).await;
            }
        });
        Ok(printer)
    }

    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn set_fault(&self, fault: PrinterFault) {
        self.lock().fault = fault;
    }

    /// Everything that came out, without questions.
    #[must_use]
    pub fn printed(&self) -> Vec<u8> {
        self.lock().printed.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Paper> {
        self.paper.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn serve(&self, mut stream: TcpStream) {
        let (mut waiting, mut chunk) = (Vec::new(), [0; 512]);
        loop {
            match stream.read(&mut chunk).await {
                Ok(0) | Err(_) => return,
                Ok(read) => waiting.extend_from_slice(chunk.get(..read).unwrap_or_default()),
            }
            while let Some(step) = self.step(&mut waiting) {
                let sent = match step {
                    Step::Answer(byte) => stream.write_all(&[byte]).await,
                    Step::Break => return,
                };
                if sent.is_err() {
                    return;
                }
            }
        }
    }

    /// Takes what has arrived up to the next thing to do; `None`: more must arrive.
    fn step(&self, waiting: &mut Vec<u8>) -> Option<Step> {
        let mut paper = self.lock();
        loop {
            // Real-time questions are answered at once, wherever they stand behind what waits.
            if let Some(at) = waiting.windows(3).position(|part| part.starts_with(&[0x10, 0x04])) {
                let n = waiting.get(at + 2).copied().unwrap_or_default();
                waiting.drain(at..at + 3);
                if let Some(byte) = paper.status(n) {
                    return Some(Step::Answer(byte));
                }
                continue;
            }
            if matches!(paper.fault, PrinterFault::PaperOut | PrinterFault::CoverOpen | PrinterFault::Offline) {
                return None;
            }
            if waiting.starts_with(&[0x1d, b'r']) && waiting.len() >= 3 {
                waiting.drain(..3);
                if paper.fault != PrinterFault::Silent {
                    return Some(Step::Answer(0));
                }
                continue;
            }
            // A question of which only the beginning has arrived.
            if waiting.is_empty() || [&[0x10][..], &[0x10, 0x04], &[0x1d], &[0x1d, b'r']].contains(&&waiting[..]) {
                return None;
            }
            let byte = waiting.remove(0);
            paper.printed.push(byte);
            match &mut paper.fault {
                PrinterFault::PaperEndsAfter(left) if *left <= 1 => paper.fault = PrinterFault::PaperOut,
                PrinterFault::BreaksAfter(left) if *left <= 1 => {
                    paper.fault = PrinterFault::None;
                    return Some(Step::Break);
                }
                PrinterFault::PaperEndsAfter(left) | PrinterFault::BreaksAfter(left) => *left -= 1,
                _ => {}
            }
        }
    }
}

enum Step {
    Answer(u8),
    Break,
}

impl Paper {
    /// The answer to `DLE EOT n`.
    fn status(&self, n: u8) -> Option<u8> {
        const FIXED: u8 = 0b1_0010;
        let stands = matches!(self.fault, PrinterFault::PaperOut | PrinterFault::CoverOpen | PrinterFault::Offline);
        match (n, self.fault) {
            (_, PrinterFault::Silent) => None,
            (1, _) => Some(FIXED | if stands { 0b1000 } else { 0 }),
            (2, PrinterFault::CoverOpen) => Some(FIXED | 0b100),
            (2, PrinterFault::PaperOut) => Some(FIXED | 0b10_0000),
            (4, PrinterFault::PaperOut) => Some(FIXED | 0b110_0000),
            _ => Some(FIXED),
        }
    }
}
