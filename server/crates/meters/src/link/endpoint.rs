//! The task that owns one TCP endpoint: connects, works through the queue, drops connections that are out of step, and connects
//! again after a pause.

mod dial_in;

use std::collections::BinaryHeap;
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::connection::Connection;
use super::mbap::Transactions;
use super::target::Target;
use super::transport::Disturbance;
use super::{LinkError, LinkState, Request};
use crate::config::Config;
use domain::rng::Rng;

/// Gateways and firewalls drop idle connections silently, and a request on such a connection would be lost.
const IDLE_LIMIT: Duration = Duration::from_secs(60);
/// A gateway that ended so many connections in a row without an answer accepts connections and does not serve them.
const UNANSWERED_LIMIT: u32 = 3;
const FIRST_PAUSE_MS: u64 = 500;
/// A gateway that serves one connection may need this long after its end until it accepts the next one.
const SLOT_GRACE: Duration = Duration::from_secs(4);
/// Pauses between attempts to connect within that time: a quarter of the time since the connection ended, within these bounds.
const SLOT_PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(500));

pub(super) struct Endpoint {
    target: Target,
    config: Arc<Config>,
    rng: Rng,
    stop: CancellationToken,
    requests: mpsc::UnboundedReceiver<Request>,
    retry: Arc<Notify>,
    distrusted: Arc<AtomicBool>,
    noise: Arc<AtomicU64>,
    state: watch::Sender<LinkState>,
    waiting: BinaryHeap<Request>,
    turn: u64,
    /// They continue from one connection to the next.
    transactions: Transactions,
}

/// Why a connection was ended.
enum End {
    Stop,
    /// It was idle too long to be trusted; no request is pending on its bus.
    Idle,
    /// A caller found an answer on it that was not its own.
    Distrusted,
    /// The gateway closed it before anything was requested, as it does while its only slot is still taken by an earlier one.
    Refused,
    /// It fell out of step or broke.
    Dropped {
        /// Whether the gateway served anything on it.
        served: bool,
    },
}

impl Endpoint {
    pub(super) fn new(
        target: Target,
        config: Arc<Config>,
        rng: Rng,
        stop: CancellationToken,
        requests: mpsc::UnboundedReceiver<Request>,
        (retry, distrusted, noise): (Arc<Notify>, Arc<AtomicBool>, Arc<AtomicU64>),
        state: watch::Sender<LinkState>,
    ) -> Self {
        let transactions = Transactions::new(&rng);
        let waiting = BinaryHeap::new();
        Self { target, config, rng, stop, requests, retry, distrusted, noise, state, waiting, turn: 0, transactions }
    }

    pub(super) async fn run(mut self) {
        let stop = self.stop.clone();
        let (mut failures, mut unanswered) = (0, 0);
        // Requests of an earlier process may still be answered.
        let mut unsettled = true;
        // When a connection that had served requests ended, and whether the gateway refused the next one for a while.
        let (mut ended, mut refuses_for_a_while) = (None::<Instant>, false);
        while !stop.is_cancelled() {
            let opening = Connection::open(&self.target, Duration::from_millis(self.config.connect_timeout_ms));
            let opened = tokio::select! {
                opened = opening => opened,
                () = stop.cancelled() => break,
            };
            let in_grace = ended.filter(|ended| ended.elapsed() < SLOT_GRACE);
            let refusal = match opened {
                Ok(connection) => {
                    let listen = if in_grace.is_some() && refuses_for_a_while { SLOT_PAUSE.0 } else { Duration::ZERO };
                    let end = self.serve(connection, unsettled, listen).await;
                    unsettled = !matches!(end, End::Idle);
                    match end {
                        End::Stop => break,
                        End::Idle | End::Distrusted | End::Dropped { served: true } => {
                            unanswered = 0;
                            ended = Some(Instant::now());
                        }
                        End::Refused if in_grace.is_some() => {}
                        End::Refused | End::Dropped { served: false } => {
                            unanswered += 1;
                            refuses_for_a_while |= in_grace.is_some();
                        }
                    }
                    let refused = matches!(end, End::Refused) && in_grace.is_some();
                    if !refused && unanswered < UNANSWERED_LIMIT {
                        failures = 0;
                        continue;
                    }
                    None
                }
                Err(error) => Some(error),
            };
            if let Some(ended) = in_grace
                && unanswered < UNANSWERED_LIMIT
            {
                refuses_for_a_while = true;
                tracing::debug!(host = self.target.host, port = self.target.port, "gateway.slot_taken");
                let pause = (ended.elapsed() / 4).clamp(SLOT_PAUSE.0, SLOT_PAUSE.1);
                tokio::select! {
                    () = sleep(pause) => continue,
                    () = stop.cancelled() => break,
                }
            }
            if let Some(error) = refusal
                && *self.state.borrow() != LinkState::Down
            {
                tracing::warn!(host = self.target.host, port = self.target.port, %error, "gateway.unreachable");
            }
            ended = None;
            self.state.send_replace(LinkState::Down);
            failures += 1;
            if !self.pause(failures).await {
                break;
            }
        }
    }

    /// Works through the queue until the connection ends; before, waits for so long whether the gateway closes it.
    async fn serve(&mut self, mut connection: Connection, unsettled: bool, listen: Duration) -> End {
        let mut served = false;
        if !listen.is_zero() {
            sleep(listen).await;
            if connection.disturbance() == Some(Disturbance::Closed) {
                return End::Refused;
            }
        }
        if unsettled {
            let stop = self.stop.clone();
            let settled = tokio::select! {
                settled = connection.settle(Duration::from_millis(self.config.late_ms)) => settled,
                () = stop.cancelled() => return End::Stop,
            };
            if let Err(error) = settled {
                if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) {
                    return End::Refused;
                }
                tracing::warn!(host = self.target.host, port = self.target.port, %error, "gateway.unsettled");
                return End::Dropped { served };
            }
        }
        match self.state.send_replace(LinkState::Up) {
            LinkState::Up | LinkState::Reconnecting => {}
            LinkState::Connecting | LinkState::Down => {
                tracing::info!(host = self.target.host, port = self.target.port, "gateway.connected");
            }
        }
        loop {
            let Some(request) = self.next().await else { return End::Stop };
            if request.reply.is_closed() {
                continue;
            }
            let (distrusted, idle) = (self.distrusted.swap(false, Ordering::Relaxed), connection.idle() > IDLE_LIMIT);
            // A late answer that has arrived costs the connection, and not the request that comes after it.
            let disturbance = connection.disturbance();
            self.noise.fetch_add(connection.take_noise(), Ordering::Relaxed);
            if distrusted || idle || disturbance.is_some() {
                self.waiting.push(request);
                self.reconnecting();
                return match (disturbance, distrusted) {
                    (Some(Disturbance::Closed), _) if !served => End::Refused,
                    (Some(_), _) => End::Dropped { served },
                    (_, true) => End::Distrusted,
                    _ => End::Idle,
                };
            }
            let within = self.config.timeout(request.action.registers(), request.priority);
            let transaction = self.transactions.next();
            let answer = connection.exchange(transaction, &request.action, &self.config.dlt645, within).await;
            self.noise.fetch_add(connection.take_noise(), Ordering::Relaxed);
            let in_step = answer.as_ref().err().is_none_or(|error| error.is_in_step());
            served |= in_step || matches!(answer, Err(LinkError::Timeout | LinkError::Garbled));
            if !in_step {
                // Before the caller hears of it, so that the caller can wait until the bus is free again.
                self.reconnecting();
            }
            // The caller may be gone by now.
            drop(request.reply.send(answer));
            if !in_step {
                return End::Dropped { served };
            }
            if self.config.gap_ms > 0 {
                sleep(Duration::from_millis(self.config.gap_ms)).await;
            }
        }
    }

    /// Announces that the connection ends and another one is opened.
    fn reconnecting(&self) {
        self.state.send_replace(LinkState::Reconnecting);
    }

    /// Waits for the most urgent request; `None` to stop.
    async fn next(&mut self) -> Option<Request> {
        loop {
            if self.stop.is_cancelled() {
                return None;
            }
            while let Ok(request) = self.requests.try_recv() {
                self.admit(request);
            }
            if let Some(request) = self.waiting.pop() {
                return Some(request);
            }
            tokio::select! {
                request = self.requests.recv() => self.admit(request?),
                () = self.stop.cancelled() => return None,
            }
        }
    }

    fn admit(&mut self, mut request: Request) {
        self.turn += 1;
        request.turn = self.turn;
        self.waiting.push(request);
    }

    /// Waits before the next attempt to connect and refuses requests meanwhile; `false` to stop.
    async fn pause(&mut self, failures: u32) -> bool {
        let until = Instant::now() + self.backoff(failures);
        for request in self.waiting.drain() {
            drop(request.reply.send(Err(LinkError::Unreachable)));
        }
        loop {
            tokio::select! {
                () = sleep_until(until) => return true,
                () = self.retry.notified() => return true,
                () = self.stop.cancelled() => return false,
                request = self.requests.recv() => match request {
                    Some(request) => drop(request.reply.send(Err(LinkError::Unreachable))),
                    None => return false,
                },
            }
        }
    }

    /// Doubles up to the cap, plus or minus a fifth, so that gateways that failed together are not tried together.
    fn backoff(&self, failures: u32) -> Duration {
        let doubled = FIRST_PAUSE_MS.saturating_mul(1 << failures.saturating_sub(1).min(16));
        let pause = doubled.min(self.config.reconnect_cap_ms);
        Duration::from_millis(pause * 4 / 5 + self.rng.below(pause * 2 / 5 + 1))
    }
}
