//! A proxy between the server and a gateway that records each request with its instant.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::Outcome;

/// A recorded request.
#[derive(Clone, Copy)]
pub struct Request {
    pub at: Instant,
    pub unit: u8,
    pub function: u8,
}

/// The requests so far. Cheap to clone.
#[derive(Clone, Default)]
pub struct RequestRecorder(Arc<Mutex<Vec<Request>>>);

impl RequestRecorder {
    /// Listens on any free port and forwards to `gateway`; gives the port too.
    pub async fn start(gateway: SocketAddr) -> Outcome<(Self, u16)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let recorder = Self::default();
        let log = recorder.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(log.clone().pass(client, gateway));
            }
        });
        Ok((recorder, port))
    }

    pub fn requests(&self) -> Vec<Request> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn pass(self, client: TcpStream, gateway: SocketAddr) {
        let Ok(server) = TcpStream::connect(gateway).await else { return };
        // The end of either side is the end of both.
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let ((mut from_client, mut to_client), (mut from_gateway, mut to_gateway)) = (client.into_split(), server.into_split());
        let forward = async {
            let mut frame = [0; 7 + 253];
            loop {
                let (head, body) = frame.split_at_mut(7);
                from_client.read_exact(head).await?;
                let at = Instant::now();
                let [_, _, _, _, high, low, unit] = *head else { return Ok::<(), std::io::Error>(()) };
                let length = usize::from(u16::from_be_bytes([high, low])).saturating_sub(1).min(body.len());
                let Some(body) = body.get_mut(..length) else { return Ok(()) };
                from_client.read_exact(body).await?;
                let function = body.first().copied().unwrap_or_default();
                self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Request { at, unit, function });
                to_gateway.write_all(frame.get(..7 + length).unwrap_or_default()).await?;
            }
        };
        tokio::select! {
            _ = forward => {}
            _ = tokio::io::copy(&mut from_gateway, &mut to_client) => {}
        }
    }
}
