//! A simulated mail server: keeps what it is given, and can be given faults. It speaks the part of SMTP (RFC 5321) that a client
//! without TLS needs.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Bytes of a line, and of an e-mail.
const LINE: u64 = 2_000;
const MAIL: usize = 16 << 20;

/// What is wrong with the mail server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MailFault {
    #[default]
    None,
    /// It takes no e-mail now (451).
    Busy,
    /// It knows no such address (550).
    NoSuchAddress(String),
    /// It takes an e-mail and ends the connection before it says so.
    BreaksAfterMail,
    /// It answers what is no SMTP.
    Garbage,
}

/// An e-mail that the mail server took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenMail {
    pub recipient: String,
    /// Head and body, as they came.
    pub text: String,
}

#[derive(Debug, Default)]
struct State {
    taken: Vec<TakenMail>,
    fault: MailFault,
}

/// Cheap to clone; all clones are the same mail server.
#[derive(Clone, Debug)]
pub struct SimulatedMailServer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl SimulatedMailServer {
    /// A mail server on a free port of this machine, without faults.
    ///
    /// # Errors
    /// Where no port can be had.
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let server = Self { address: listener.local_addr()?, state: Arc::default() };
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serving = serving.clone();
                tokio::spawn(async move {
                    // A client that goes away is none of the server's business.
                    let _ = serving.serve(stream).await;
                });
            }
        });
        Ok(server)
    }

    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn set_fault(&self, fault: MailFault) {
        self.lock().fault = fault;
    }

    /// Everything that was taken, also what the client was not told of.
    #[must_use]
    pub fn taken(&self) -> Vec<TakenMail> {
        self.lock().taken.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        let (read, mut write) = stream.into_split();
        let mut read = BufReader::new(read);
        if self.lock().fault == MailFault::Garbage {
            return write.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
        write.write_all(b"220 simulated mail server\r\n").await?;
        let mut recipients: Vec<String> = Vec::new();
        while let Some(line) = line(&mut read).await? {
            let (command, rest) = line.split_once(' ').unwrap_or((&line, ""));
            let fault = self.lock().fault.clone();
            let answer = match (command.to_ascii_uppercase().as_str(), fault) {
                ("EHLO" | "HELO", _) => "250 ready\r\n",
                ("MAIL", MailFault::Busy) => "451 try again later\r\n",
                ("MAIL" | "RSET" | "NOOP", _) => {
                    recipients.clear();
                    "250 fine\r\n"
                }
                ("RCPT", fault) => {
                    let address = rest.trim_start_matches("TO:").trim_matches(['<', '>']).to_owned();
                    if fault == MailFault::NoSuchAddress(address.clone()) {
                        "550 no such address here\r\n"
                    } else {
                        recipients.push(address);
                        "250 fine\r\n"
                    }
                }
                ("DATA", fault) => {
                    write.write_all(b"354 go on\r\n").await?;
                    let text = mail(&mut read).await?;
                    let taken = recipients.drain(..).map(|recipient| TakenMail { recipient, text: text.clone() });
                    self.lock().taken.extend(taken);
                    if fault == MailFault::BreaksAfterMail {
                        return Ok(());
                    }
                    "250 taken\r\n"
                }
                ("QUIT", _) => {
                    write.write_all(b"221 bye\r\n").await?;
                    return Ok(());
                }
                _ => "502 not known here\r\n",
            };
            write.write_all(answer.as_bytes()).await?;
        }
        Ok(())
    }
}

/// The next line without its end; `None` at the end of the connection.
async fn line(read: &mut (impl AsyncBufReadExt + Unpin)) -> std::io::Result<Option<String>> {
    let mut bytes = Vec::new();
    (&mut *read).take(LINE).read_until(b'\n', &mut bytes).await?;
    Ok((!bytes.is_empty()).then(|| String::from_utf8_lossy(&bytes).trim_end().to_owned()))
}

/// An e-mail up to the line with one dot. What is longer than an e-mail may be is cut off.
async fn mail(read: &mut (impl AsyncBufReadExt + Unpin)) -> std::io::Result<String> {
    let mut text = String::new();
    while let Some(line) = line(read).await? {
        if line == "." {
            break;
        }
        if text.len() + line.len() < MAIL {
            text += line.strip_prefix('.').unwrap_or(&line);
            text.push('\n');
        }
    }
    Ok(text)
}
