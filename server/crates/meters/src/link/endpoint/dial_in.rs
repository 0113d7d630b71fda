//! The endpoint of a gateway that dials in: waits for its connection, works through the queue on it, and takes a newer one at
//! once.
//!
//! Calling back costs a gateway on a mobile network many seconds, so a connection that is out of step is not ended: the line is
//! listened to until no request that timed out can be answered any more, as on a fresh connection of a transparent gateway. One
//! on which nothing is heard for three requests has died unnoticed and is ended. Probes of lost meters and scans do not count:
//! most of what they ask for is not there.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use super::super::Priority;
use super::super::connection::Connection;
use super::super::target::Incoming;
use super::super::transport::Disturbance;
use super::{Endpoint, LinkError, LinkState};
use crate::dial_in::{Accepted, Mailbox};

/// So many requests in a row that nothing was heard after end a connection.
const MOST_UNHEARD: u32 = 3;

/// Why a connection is not used any more.
enum IncomingEnd {
    Stop,
    /// It broke, closed or died.
    Ended,
    /// A newer one is there.
    Replaced,
}

impl Endpoint {
    pub(in crate::link) async fn run_dial_in(mut self, incoming: Incoming) {
        while let Some(Accepted { stream, peer, seat }) = self.await_connection(&incoming.mailbox).await {
            let connection = Connection::incoming(stream, &self.target.carrier, incoming.heartbeat.clone());
            let end = self.serve_dial_in(connection, &incoming.mailbox).await;
            tracing::info!(registration = %incoming.registration, %peer, "gateway.hung-up");
            // Its end is noted before the next one begins.
            drop(seat);
            if matches!(end, IncomingEnd::Stop) {
                return;
            }
            self.reconnecting();
        }
    }

    /// Waits until the gateway dials in; `None` to stop. It is lost after its connection time-out.
    async fn await_connection(&mut self, mailbox: &Mailbox) -> Option<Accepted> {
        let stop = self.stop.clone();
        let lost_at = Instant::now() + Duration::from_millis(self.config.connect_timeout_ms);
        loop {
            let is_down = *self.state.borrow() == LinkState::Down;
            tokio::select! {
                accepted = mailbox.take() => return Some(accepted),
                () = stop.cancelled() => return None,
                () = sleep_until(lost_at), if !is_down => {
                    self.state.send_replace(LinkState::Down);
                    for request in self.waiting.drain() {
                        drop(request.reply.send(Err(LinkError::Unreachable)));
                    }
                }
                request = self.requests.recv(), if is_down => drop(request?.reply.send(Err(LinkError::Unreachable))),
            }
        }
    }

    async fn serve_dial_in(&mut self, mut connection: Connection, mailbox: &Mailbox) -> IncomingEnd {
        let stop = self.stop.clone();
        let mut unsettled = true;
        let mut unheard = 0;
        loop {
            if unsettled {
                let settled = tokio::select! {
                    settled = connection.quiet(Duration::from_millis(self.config.late_ms)) => settled,
                    () = mailbox.wait() => return IncomingEnd::Replaced,
                    () = stop.cancelled() => return IncomingEnd::Stop,
                };
                if let Err(error) = settled {
                    tracing::debug!(%error, "gateway.unsettled");
                    return IncomingEnd::Ended;
                }
                unsettled = false;
                self.state.send_replace(LinkState::Up);
            }
            let request = tokio::select! {
                request = self.next() => match request {
                    Some(request) => request,
                    None => return IncomingEnd::Stop,
                },
                () = mailbox.wait() => return IncomingEnd::Replaced,
                heard = connection.listen() => match heard {
                    Ok(()) => {
                        unheard = 0;
                        continue;
                    }
                    Err(LinkError::Broken) => return IncomingEnd::Ended,
                    Err(_) => {
                        unsettled = true;
                        self.reconnecting();
                        continue;
                    }
                },
            };
            if request.reply.is_closed() {
                continue;
            }
            let distrusted = self.distrusted.swap(false, Ordering::Relaxed);
            let disturbance = connection.disturbance();
            self.noise.fetch_add(connection.take_noise(), Ordering::Relaxed);
            if distrusted || disturbance.is_some() {
                self.waiting.push(request);
                if disturbance == Some(Disturbance::Closed) {
                    return IncomingEnd::Ended;
                }
                unsettled = true;
                self.reconnecting();
                continue;
            }
            let within = self.config.timeout(request.action.registers(), request.priority);
            let transaction = self.transactions.next();
            let config = Arc::clone(&self.config);
            let (answer, is_replaced) = tokio::select! {
                answer = connection.exchange(transaction, &request.action, &config.dlt645, within) => (answer, false),
                // The old connection is dead, or about to be: what it may still bring counts for nothing.
                () = mailbox.wait() => (Err(LinkError::Broken), true),
            };
            self.noise.fetch_add(connection.take_noise(), Ordering::Relaxed);
            let in_step = answer.as_ref().err().is_none_or(|error| error.is_in_step());
            let is_broken = matches!(answer, Err(LinkError::Broken));
            unheard = match answer {
                Err(LinkError::Timeout) if request.priority < Priority::Probe => unheard + 1,
                Err(LinkError::Timeout) => unheard,
                _ => 0,
            };
            if !in_step {
                // Before the caller hears of it, so that the caller can wait until the bus is free again.
                self.reconnecting();
                unsettled = true;
            }
            // The caller may be gone by now.
            drop(request.reply.send(answer));
            if is_replaced {
                return IncomingEnd::Replaced;
            }
            if is_broken || unheard >= MOST_UNHEARD {
                return IncomingEnd::Ended;
            }
            if self.config.gap_ms > 0 && in_step {
                sleep(Duration::from_millis(self.config.gap_ms)).await;
            }
        }
    }
}
