//! The TCP side of a gateway: connections, and what happens to answers on them.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::gateway::{Delivery, Gateway};
use super::modbus::{HEADER, Header, frame};

/// Listens on an address; a restart may take the address of its predecessor at once.
///
/// # Errors
/// As the operating system says: in use, not permitted.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(1024)
}

/// Serves a gateway until `stop`; while it refuses, nothing listens and nobody is connected.
pub async fn serve(gateway: Arc<Gateway>, listener: TcpListener, address: SocketAddr, stop: CancellationToken) {
    let mut refused = gateway.refused.subscribe();
    let mut listener = Some(listener);
    while !stop.is_cancelled() {
        let Some(open) = listener.take().or_else(|| listen(address).ok()) else {
            tracing::warn!(gateway = gateway.index, %address, "sim.gateway.cannot_listen");
            tokio::time::sleep(Duration::from_millis(200)).await;
            continue;
        };
        let connections = stop.child_token();
        tokio::select! {
            () = stop.cancelled() => return,
            _ = refused.wait_for(|&refused| refused) => {}
            () = accept(&gateway, &open, &connections) => {}
        }
        connections.cancel();
        drop(open);
        tokio::select! {
            () = stop.cancelled() => return,
            _ = refused.wait_for(|&refused| !refused) => {}
        }
    }
}

async fn accept(gateway: &Arc<Gateway>, listener: &TcpListener, connections: &CancellationToken) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let (gateway, stop) = (Arc::clone(gateway), connections.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        () = stop.cancelled() => {}
                        _ = converse(&gateway, stream, &stop) => {}
                    }
                });
            }
            // Out of descriptors, most likely: others may close some.
            Err(error) => {
                tracing::warn!(gateway = gateway.index, %error, "sim.gateway.accept_failed");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Answers one connection's requests in their order, until it ends or speaks something else than Modbus.
async fn converse(gateway: &Gateway, stream: TcpStream, stop: &CancellationToken) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut reader, writer) = stream.into_split();
    let writer = Arc::new(Mutex::new(writer));
    loop {
        let mut bytes = [0; HEADER];
        reader.read_exact(&mut bytes).await?;
        let Some(header) = Header::parse(bytes) else { return Ok(()) };
        let mut pdu = vec![0; header.length];
        reader.read_exact(&mut pdu).await?;
        match gateway.transact(header, &pdu).await {
            Delivery::Answer(unit, answer) => send(&writer, &frame(header.transaction, unit, &answer)).await?,
            Delivery::Raw(bytes) => send(&writer, &bytes).await?,
            Delivery::Nothing => {}
            Delivery::Cut(answer) => {
                let whole = frame(header.transaction, header.unit, &answer);
                let half = whole.get(..whole.len() / 2).unwrap_or_default();
                return send(&writer, half).await;
            }
            Delivery::Late(after, answer) => {
                let (writer, stop) = (Arc::clone(&writer), stop.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = tokio::time::sleep(after) => {
                            // The client may be gone by now; then nobody misses the answer.
                            send(&writer, &frame(header.transaction, header.unit, &answer)).await.ok();
                        }
                    }
                });
            }
        }
    }
}

async fn send(writer: &Mutex<OwnedWriteHalf>, bytes: &[u8]) -> io::Result<()> {
    writer.lock().await.write_all(bytes).await
}
