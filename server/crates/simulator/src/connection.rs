//! One connection to a gateway: requests in order, and delivery of the replies.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio_util::sync::CancellationToken;

use super::gateway::{Gateway, GatewayResponse};
use super::wire::{ParsedInput, encode_reply, encode_with_bad_check, parse_request};

type Writer = Arc<tokio::sync::Mutex<Box<dyn AsyncWrite + Send + Unpin>>>;

/// The newest connection to a gateway, shared by all its connections.
#[derive(Clone, Default)]
pub struct LatestConnection(Arc<Mutex<Option<Writer>>>);

impl LatestConnection {
    fn set(&self, writer: &Writer) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(writer));
    }

    pub fn get(&self) -> Option<Writer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Serves requests until the connection ends or receives bytes that do not match the framing. `ignored` are no request, such as
/// the answer to a heartbeat; empty for none.
///
/// # Errors
/// An error of the connection.
pub async fn serve_connection<S>(
    gateway: &Gateway,
    stream: S,
    newest: LatestConnection,
    ignored: &[u8],
    stop: &CancellationToken,
) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let framing = gateway.framing;
    let (mut reader, writer) = split(stream);
    let writer: Writer = Arc::new(tokio::sync::Mutex::new(Box::new(writer)));
    newest.set(&writer);
    let mut received = Vec::new();
    loop {
        while !ignored.is_empty() && received.starts_with(ignored) {
            received.drain(..ignored.len());
        }
        if !received.is_empty() && ignored.len() > received.len() && ignored.starts_with(&received) {
            match reader.read_buf(&mut received).await? {
                0 => return Ok(()),
                _ => continue,
            }
        }
        let (transaction, request) = match parse_request(framing, &mut received) {
            ParsedInput::Request(transaction, request) => (transaction, request),
            ParsedInput::Foreign => return writer.lock().await.shutdown().await,
            ParsedInput::Incomplete => match reader.read_buf(&mut received).await? {
                0 => return Ok(()),
                _ => continue,
            },
        };
        match gateway.transact(&request).await {
            GatewayResponse::Answer(reply) => send(&writer, &encode_reply(framing, transaction, &reply)).await?,
            GatewayResponse::BadCheck(reply) => send(&writer, &encode_with_bad_check(framing, transaction, &reply)).await?,
            GatewayResponse::Stray(reply, around) => {
                let [before, after] = around.map(|count| vec![0; count.into()]);
                send(&writer, &[before, encode_reply(framing, transaction, &reply), after].concat()).await?;
            }
            GatewayResponse::Raw(bytes) => send(&writer, &bytes).await?,
            GatewayResponse::Nothing => {}
            GatewayResponse::Cut(reply) => {
                let whole = encode_reply(framing, transaction, &reply);
                send(&writer, whole.get(..whole.len() / 2).unwrap_or_default()).await?;
                return writer.lock().await.shutdown().await;
            }
            GatewayResponse::Late(after, reply) => {
                let (newest, stop) = (newest.clone(), stop.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        () = stop.cancelled() => return,
                        () = tokio::time::sleep(after) => {}
                    }
                    let Some(newest) = newest.get() else { return };
                    // The client may be gone by now.
                    send(&newest, &encode_reply(framing, transaction, &reply)).await.ok();
                });
            }
        }
    }
}

async fn send(writer: &Writer, bytes: &[u8]) -> io::Result<()> {
    let mut writer = writer.lock().await;
    writer.write_all(bytes).await?;
    writer.flush().await
}
