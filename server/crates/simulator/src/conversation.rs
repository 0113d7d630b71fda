//! One connection to a gateway: requests in order, and delivery of the replies.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio_util::sync::CancellationToken;

use super::gateway::{Delivery, Gateway};
use super::wire::{Step, put, put_broken, take};

type Writer = Arc<tokio::sync::Mutex<Box<dyn AsyncWrite + Send + Unpin>>>;

/// The newest connection to a gateway, shared by all its connections.
#[derive(Clone, Default)]
pub struct Newest(Arc<Mutex<Option<Writer>>>);

impl Newest {
    fn set(&self, writer: &Writer) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(writer));
    }

    fn get(&self) -> Option<Writer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Serves requests until the connection ends or receives bytes that do not match the framing.
///
/// # Errors
/// An error of the connection.
pub async fn converse<S>(gateway: &Gateway, stream: S, newest: Newest, stop: &CancellationToken) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let framing = gateway.framing;
    let (mut reader, writer) = split(stream);
    let writer: Writer = Arc::new(tokio::sync::Mutex::new(Box::new(writer)));
    newest.set(&writer);
    let mut came = Vec::new();
    loop {
        let (transaction, ask) = match take(framing, &mut came) {
            Step::Ask(transaction, ask) => (transaction, ask),
            Step::Foreign => return writer.lock().await.shutdown().await,
            Step::More => match reader.read_buf(&mut came).await? {
                0 => return Ok(()),
                _ => continue,
            },
        };
        match gateway.transact(&ask).await {
            Delivery::Answer(reply) => send(&writer, &put(framing, transaction, &reply)).await?,
            Delivery::BadCheck(reply) => send(&writer, &put_broken(framing, transaction, &reply)).await?,
            Delivery::Raw(bytes) => send(&writer, &bytes).await?,
            Delivery::Nothing => {}
            Delivery::Cut(reply) => {
                let whole = put(framing, transaction, &reply);
                send(&writer, whole.get(..whole.len() / 2).unwrap_or_default()).await?;
                return writer.lock().await.shutdown().await;
            }
            Delivery::Late(after, reply) => {
                let (newest, stop) = (newest.clone(), stop.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        () = stop.cancelled() => return,
                        () = tokio::time::sleep(after) => {}
                    }
                    let Some(newest) = newest.get() else { return };
                    // The client may be gone by now.
                    send(&newest, &put(framing, transaction, &reply)).await.ok();
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
