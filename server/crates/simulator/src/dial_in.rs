//! Gateways that dial in to a server instead of listening.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::gateway::{BytePattern, Heartbeat};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

use super::connection::{LatestConnection, serve_connection};
use super::gateway::Gateway;

/// Where and how gateways dial in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialIn {
    /// Host and port of the server.
    pub server: String,
    /// What a gateway sends first; `{n}` is its number, from 1.
    pub registration: String,
    pub heartbeat: Option<Heartbeat>,
    pub heartbeat_every: Duration,
    /// Pause before it dials again.
    pub redial_after: Duration,
}

impl DialIn {
    /// Registers as `GW-1`, `GW-2` and so on, without a heartbeat.
    #[must_use]
    pub fn to(server: impl Into<String>) -> Self {
        Self {
            server: server.into(),
            registration: "GW-{n}".to_owned(),
            heartbeat: None,
            heartbeat_every: Duration::from_secs(30),
            redial_after: Duration::from_millis(500),
        }
    }

    /// What the gateway at this index sends; `None` where that is no pattern of 1 to 64 bytes.
    #[must_use]
    pub fn registration_of(&self, index: usize) -> Option<BytePattern> {
        BytePattern::parse(&self.registration.replace("{n}", &(index + 1).to_string()))
    }
}

/// What can be done to the line of a gateway that dials in.
#[derive(Default)]
pub struct DialInFaults {
    /// It hangs up and dials again.
    pub hang_up: Notify,
    /// Its connection dies without an end, and it dials again.
    pub half_open: Notify,
    /// What it registers as in the place of its own.
    pub registration: Mutex<Option<BytePattern>>,
}

type Serving = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

/// Dials and serves until `stop`.
pub async fn serve(gateway: Arc<Gateway>, plan: DialIn, registration: BytePattern, stop: CancellationToken) {
    let mut refused = gateway.refused.subscribe();
    // They are not served any more, and their sockets stay open.
    let mut dead: Vec<Serving> = Vec::new();
    loop {
        let served = async {
            // Its sender lives as long as the gateway.
            let _ = refused.wait_for(|refused| !refused).await;
            let own = gateway.dial_in.registration.lock().unwrap_or_else(PoisonError::into_inner).clone();
            match connect(&plan, &own.unwrap_or_else(|| registration.clone())).await {
                Ok(stream) => connection(&gateway, &plan, stream, &stop).await,
                Err(error) => {
                    tracing::debug!(gateway = gateway.index, %error, "sim.gateway.cannot_dial");
                    None
                }
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            ended = served => dead.extend(ended),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = sleep(plan.redial_after) => {}
        }
    }
}

async fn connect(plan: &DialIn, registration: &BytePattern) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(&plan.server).await?;
    stream.set_nodelay(true)?;
    stream.write_all(registration.bytes()).await?;
    Ok(stream)
}

/// Serves a connection until it ends; returns one that died without an end.
async fn connection(gateway: &Arc<Gateway>, plan: &DialIn, stream: TcpStream, stop: &CancellationToken) -> Option<Serving> {
    let newest = LatestConnection::default();
    let (of, answers, line, until) = (Arc::clone(gateway), plan.answer(), newest.clone(), stop.clone());
    let mut serving: Serving = Box::pin(async move { serve_connection(&of, stream, line, &answers, &until).await });
    let mut refused = gateway.refused.subscribe();
    let mut beat = interval(plan.heartbeat_every);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    beat.reset();
    loop {
        tokio::select! {
            _ = &mut serving => return None,
            () = gateway.dial_in.hang_up.notified() => return None,
            () = gateway.dial_in.half_open.notified() => return Some(serving),
            _ = refused.wait_for(|&refused| refused) => return None,
            _ = beat.tick() => {}
        }
        if let (Some(heartbeat), Some(writer)) = (&plan.heartbeat, newest.get()) {
            // The server may be gone; serving ends then.
            drop(writer.lock().await.write_all(heartbeat.pattern.bytes()).await);
        }
    }
}

impl DialIn {
    /// The bytes of the server that are no request.
    fn answer(&self) -> Vec<u8> {
        let answer = self.heartbeat.as_ref().and_then(|heartbeat| heartbeat.answer.as_ref());
        answer.map(|answer| answer.bytes().to_vec()).unwrap_or_default()
    }
}
