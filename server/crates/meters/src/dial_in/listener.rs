//! A shared port: accepts connections, within limits, and waits until each says who it is.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use model::gateway::{BytePattern, PortState};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{self, ServerConfig, crypto};
use tokio_util::sync::CancellationToken;

use super::{ConnectionPermit, DialInConfig, Hub};
use crate::link::Stream;
use crate::own_certificates::{OwnCertificateError, ReplaceableCertificate};
use domain::dial_in::Recognition;

/// After so long without another byte a packet is over; one that may still become a registration is waited for longer, as it may
/// arrive in pieces.
const PACKET_GAP: Duration = Duration::from_millis(300);
const PIECE_GAP: Duration = Duration::from_secs(3);
/// Pauses of a listener that cannot listen, or cannot accept for lack of file descriptors.
const LISTEN_PAUSE: Duration = Duration::from_secs(5);
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Why gateways cannot dial in over TLS.
#[derive(Debug, thiserror::Error)]
pub enum DialInError {
    #[error(transparent)]
    Own(#[from] OwnCertificateError),
    #[error("meters.dial_in: TLS cannot be set up")]
    Tls(#[from] rustls::Error),
}

/// What a listener does with a connection first.
#[derive(Clone, Default)]
pub struct Acceptor(Option<TlsAcceptor>);

impl Acceptor {
    /// For TLS, with the certificate and the key of the configuration.
    ///
    /// # Errors
    /// [`DialInError`].
    pub fn tls(config: &DialInConfig) -> Result<Self, DialInError> {
        let [certificate, key] =
            [&config.certificate_file, &config.key_file].map(|file| file.as_deref().unwrap_or(Path::new("")));
        let provider = Arc::new(crypto::aws_lc_rs::default_provider());
        let own = ReplaceableCertificate::load("meters.dial_in", certificate, key, Arc::clone(&provider))?;
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(own);
        Ok(Self(Some(TlsAcceptor::from(Arc::new(config)))))
    }
}

/// Listens at an address until `stop`. One that is taken is tried again: the port may be free later.
pub async fn serve(hub: Hub, address: SocketAddr, acceptor: Acceptor, stop: CancellationToken) {
    let mut is_said = false;
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => {
                let at = listener.local_addr().unwrap_or(address);
                tracing::info!(address = %at, tls = acceptor.0.is_some(), "dial-in.listening");
                hub.note_port(address, Some(PortState::Listening));
                accept(&hub, &listener, &acceptor, &stop).await;
                // While the port is still taken: whoever listens there next notes it after this.
                return hub.note_port(address, None);
            }
            Err(error) => {
                let state = match error.kind() {
                    io::ErrorKind::AddrInUse => PortState::InUse,
                    io::ErrorKind::PermissionDenied => PortState::NotAllowed,
                    _ => PortState::Failed,
                };
                hub.note_port(address, Some(state));
                if !std::mem::replace(&mut is_said, true) {
                    tracing::error!(%address, %error, "dial-in.cannot-listen");
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => return hub.note_port(address, None),
            () = sleep(LISTEN_PAUSE) => {}
        }
    }
}

async fn accept(hub: &Hub, listener: &TcpListener, acceptor: &Acceptor, stop: &CancellationToken) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => match hub.admit(peer.ip()) {
                Ok(seat) => {
                    let (hub, acceptor, stop) = (hub.clone(), acceptor.clone(), stop.clone());
                    tokio::spawn(async move {
                        tokio::select! {
                            () = stop.cancelled() => {}
                            () = register(&hub, stream, peer, acceptor, seat) => {}
                        }
                    });
                }
                Err(refusal) => hub.turn_away(refusal, peer),
            },
            Err(error) => {
                tracing::warn!(%error, "dial-in.accept-failed");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Finds out who a connection is, in the time that it has.
async fn register(hub: &Hub, stream: TcpStream, peer: SocketAddr, acceptor: Acceptor, seat: Arc<ConnectionPermit>) {
    let within = Duration::from_millis(hub.config().registration_timeout_ms);
    let named = timeout(within, async {
        // A request is one small segment; waiting for more to fill it would add 40 ms to each.
        stream.set_nodelay(true)?;
        let mut stream: Box<dyn Stream> = match acceptor.0 {
            Some(tls) => Box::new(tls.accept(stream).await?),
            None => Box::new(stream),
        };
        let found = first_packet(hub, &mut stream).await?;
        io::Result::Ok((stream, found))
    });
    match named.await {
        Ok(Ok((stream, Registration::Named(gateway)))) => hub.hand_over(gateway, stream, peer, seat),
        Ok(Ok((_, Registration::Unknown(received)))) if !received.is_empty() => hub.refuse(received, peer),
        Ok(Ok(_)) => tracing::debug!(%peer, "dial-in.nothing-sent"),
        Ok(Err(error)) => tracing::debug!(%peer, %error, "dial-in.broken"),
        Err(_) => tracing::info!(%peer, "dial-in.no-registration"),
    }
}

/// What the first packet of a connection is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Registration {
    Named(model::ids::GatewayId),
    /// The bytes that name no gateway; none where it closed before.
    Unknown(Vec<u8>),
}

/// Reads until the bytes name a gateway, or it is clear that they do not. Bytes behind a registration are left out: nothing was
/// requested on this connection, so they answer nothing.
///
/// # Errors
/// Where the connection breaks.
pub(super) async fn first_packet(hub: &Hub, stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Registration> {
    let mut received: Vec<u8> = Vec::with_capacity(BytePattern::MOST_BYTES);
    let mut buffer = [0; BytePattern::MOST_BYTES];
    let mut gap = None;
    loop {
        let room = BytePattern::MOST_BYTES - received.len();
        let Some(free) = buffer.get_mut(..room).filter(|free| !free.is_empty()) else {
            return Ok(Registration::Unknown(received));
        };
        let read = stream.read(free);
        let count = match gap {
            // The first byte has the time of the whole registration.
            None => read.await?,
            Some(gap) => match timeout(gap, read).await {
                Ok(read) => read?,
                Err(_) => 0,
            },
        };
        received.extend(free.iter().take(count));
        match hub.recognise(&received) {
            Recognition::Named(gateway) => return Ok(Registration::Named(gateway)),
            // No byte for a while: no more of the packet comes, or the peer has closed.
            _ if count == 0 => return Ok(Registration::Unknown(received)),
            Recognition::Incomplete => gap = Some(PIECE_GAP),
            Recognition::Unknown => gap = Some(PACKET_GAP),
        }
    }
}
