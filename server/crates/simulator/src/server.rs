//! The TCP listener of a gateway.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_util::sync::CancellationToken;

use super::connection::{LatestConnection, serve_connection};
use super::gateway::Gateway;
use domain::framing::Framing;

/// Listens on an address; the address can be reused immediately after a restart.
///
/// # Errors
/// As reported by the operating system: address in use, permission denied.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(1024)
}

/// Serves a gateway until `stop`. While it refuses connections, or its only slot is taken, nothing listens.
pub async fn serve(gateway: Arc<Gateway>, listener: TcpListener, address: SocketAddr, stop: CancellationToken) {
    let (mut refused, mut slot) = (gateway.refused.subscribe(), gateway.single_slot.subscribe());
    let mut listener = Some(listener);
    while !stop.is_cancelled() {
        let Some(open) = listener.take().or_else(|| listen(address).ok()) else {
            tracing::warn!(gateway = gateway.index, %address, "sim.gateway.cannot_listen");
            tokio::time::sleep(Duration::from_millis(200)).await;
            continue;
        };
        let connections = stop.child_token();
        let refuse_for = *slot.borrow_and_update();
        let accepting = async {
            match refuse_for {
                Some(refuse_for) => accept_one(&gateway, open, &connections, refuse_for).await,
                None => accept(&gateway, &open, &connections).await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            _ = refused.wait_for(|&refused| refused) => {}
            _ = slot.changed() => {}
            () = accepting => {}
        }
        connections.cancel();
        tokio::select! {
            () = stop.cancelled() => return,
            _ = refused.wait_for(|&refused| !refused) => {}
        }
    }
}

async fn accept(gateway: &Arc<Gateway>, listener: &TcpListener, connections: &CancellationToken) {
    let newest = LatestConnection::default();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let (gateway, newest, stop) = (Arc::clone(gateway), newest.clone(), connections.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        () = stop.cancelled() => {}
                        _ = handshake(&gateway, stream, newest, &stop) => {}
                    }
                });
            }
            // Most likely out of file descriptors; other connections may close.
            Err(error) => {
                tracing::warn!(gateway = gateway.index, %error, "sim.gateway.accept_failed");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Serves one connection, while nothing listens, and for so long after its end nothing listens either.
async fn accept_one(gateway: &Gateway, listener: TcpListener, stop: &CancellationToken, refuse_for: Duration) {
    let accepted = listener.accept().await;
    drop(listener);
    if let Ok((stream, _)) = accepted {
        // The client may be gone at any time.
        drop(handshake(gateway, stream, LatestConnection::default(), stop).await);
    }
    tokio::time::sleep(refuse_for).await;
}

async fn handshake(gateway: &Gateway, stream: TcpStream, newest: LatestConnection, stop: &CancellationToken) -> io::Result<()> {
    stream.set_nodelay(true)?;
    match (gateway.framing, &gateway.site().tls) {
        (Framing::ModbusTls, Some(tls)) => {
            let stream = tls.acceptor.accept(stream).await?;
            serve_connection(gateway, stream, newest, &[], stop).await
        }
        _ => serve_connection(gateway, stream, newest, &[], stop).await,
    }
}
