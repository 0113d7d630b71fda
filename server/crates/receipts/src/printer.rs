//! A receipt printer in the network: asked whether it can print, sent to, and asked whether it has.

use std::io;
use std::time::Duration;

use escpos::utils::{RealTimeStatusRequest, RealTimeStatusResponse};
use model::receipt_sheet::{PrintOutcome, PrinterTrouble};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

/// For a connection, and for an answer that needs no paper to move.
const SOON: Duration = Duration::from_secs(4);
/// For everything to be printed: 40 cm at the slowest 50 mm/s, and cut.
const PRINTED: Duration = Duration::from_secs(20);

/// `DLE EOT n`, answered at once, also while it prints or is out of paper.
const fn ask(n: u8) -> [u8; 3] {
    [0x10, 0x04, n]
}

/// `GS r 1`, answered in its turn: when everything sent before has been taken up.
const CONFIRM: [u8; 3] = [0x1d, b'r', 1];

/// Set in the answers to `DLE EOT`, and never in that to [`CONFIRM`].
const REAL_TIME: u8 = 0b1_0000;
/// In the answer to [`CONFIRM`].
const PAPER_ENDED: u8 = 0b1100;

/// Prints the bytes, once. It never repeats anything: what is known of the paper is in the outcome, and the caller decides.
pub async fn print(host: &str, port: u16, bytes: &[u8]) -> PrintOutcome {
    let Ok(Ok(mut stream)) = timeout(SOON, TcpStream::connect((host, port))).await else {
        return PrintOutcome::NotPrinted(PrinterTrouble::Unreachable);
    };
    if let Err(trouble) = ready(&mut stream).await {
        return PrintOutcome::NotPrinted(trouble);
    }
    // From the first byte on, something may be on the paper.
    if send(&mut stream, bytes).await.is_err() {
        return PrintOutcome::Unknown(PrinterTrouble::Unreachable);
    }
    match confirmed(&mut stream).await {
        Ok(()) => PrintOutcome::Printed,
        Err(trouble) => PrintOutcome::Unknown(trouble),
    }
}

/// Whether it would print now.
async fn ready(stream: &mut TcpStream) -> Result<(), PrinterTrouble> {
    for (request, n, good, trouble) in [
        // What hinders it, before the fact that it is hindered.
        (RealTimeStatusRequest::OfflineCause, 2, RealTimeStatusResponse::CoverClosed, PrinterTrouble::CoverOpen),
        (
            RealTimeStatusRequest::RollPaperSensor,
            4,
            RealTimeStatusResponse::RollPaperEndSensorPaperPresent,
            PrinterTrouble::PaperOut,
        ),
        (RealTimeStatusRequest::Printer, 1, RealTimeStatusResponse::Online, PrinterTrouble::Offline),
    ] {
        send(stream, &ask(n)).await.map_err(|_| PrinterTrouble::Unreachable)?;
        let byte = answer(stream, SOON).await?;
        let status = RealTimeStatusResponse::parse(request, byte).map_err(|_| PrinterTrouble::Silent)?;
        if status.get(&good) != Some(&true) {
            return Err(trouble);
        }
    }
    Ok(())
}

/// Waits until everything before was taken up, and says what stopped it otherwise.
async fn confirmed(stream: &mut TcpStream) -> Result<(), PrinterTrouble> {
    send(stream, &CONFIRM).await.map_err(|_| PrinterTrouble::Unreachable)?;
    let until = Instant::now() + PRINTED;
    loop {
        let byte = match answer(stream, SOON).await {
            Ok(byte) => byte,
            Err(PrinterTrouble::Silent) => {
                // If it stands still, real-time questions are answered nevertheless.
                ready(stream).await?;
                if Instant::now() < until {
                    continue;
                }
                return Err(PrinterTrouble::Silent);
            }
            Err(trouble) => return Err(trouble),
        };
        // Dots of a picture can look like a real-time question, whose answers have this bit.
        if byte & REAL_TIME != 0 {
            continue;
        }
        return if byte & PAPER_ENDED == 0 { Ok(()) } else { Err(PrinterTrouble::PaperOut) };
    }
}

async fn send(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    timeout(PRINTED, stream.write_all(bytes)).await??;
    stream.flush().await
}

async fn answer(stream: &mut TcpStream, wait: Duration) -> Result<u8, PrinterTrouble> {
    match timeout(wait, stream.read_u8()).await {
        Ok(Ok(byte)) => Ok(byte),
        Ok(Err(_)) => Err(PrinterTrouble::Unreachable),
        Err(_) => Err(PrinterTrouble::Silent),
    }
}
