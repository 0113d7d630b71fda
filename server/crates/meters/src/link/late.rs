//! A trial of the rule against late answers: a gateway that holds every other answer back until its request was given up, and
//! passes it on to whoever is connected next. None may be taken for the answer to another request.

use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Carrier, Link, Priority, Target, rtu};
use crate::config::Config;
use domain::rng::Rng;

/// What came of a trial.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Requests that got an answer.
    pub answered: u32,
    /// Answers that were passed on late.
    pub late: u32,
    /// Answers that were taken for another request's.
    pub misattributed: u32,
}

/// Sends so many requests to such a gateway, by turns to `units` meters; it answers each with its unit and address.
/// `carrier` is [`Carrier::Tcp`] or [`Carrier::Transparent`].
///
/// # Errors
/// Where there is no port for the gateway.
pub async fn trial(carrier: Carrier, units: u8, requests: u16, config: Arc<Config>, rng: Rng) -> io::Result<Outcome> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let gateway = Arc::new(Gateway { is_bus: matches!(carrier, Carrier::Transparent), ..Gateway::default() });
    let accepting = tokio::spawn(Arc::clone(&gateway).accept(listener));
    let stop = CancellationToken::new();
    let (link, task) = Link::start(Target { host: "127.0.0.1".into(), port, carrier }, config, rng, stop.clone());
    let mut outcome = Outcome::default();
    for address in 0..requests {
        let unit = u8::try_from(address % u16::from(units.clamp(1, 247))).unwrap_or(0) + 1;
        match link.read(Priority::Sweep, unit, address, 2).await {
            Ok(words) if words == [u16::from(unit), address] => outcome.answered += 1,
            Ok(_) => outcome.misattributed += 1,
            Err(_) => {}
        }
    }
    stop.cancel();
    // A task that was cancelled has nothing to say.
    let _ = task.await;
    accepting.abort();
    outcome.late = gateway.late.load(Ordering::Relaxed);
    Ok(outcome)
}

#[derive(Default)]
struct Gateway {
    is_bus: bool,
    asked: AtomicU32,
    late: AtomicU32,
    held: Mutex<Option<Vec<u8>>>,
}

impl Gateway {
    async fn accept(self: Arc<Self>, listener: TcpListener) {
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            connections.spawn(Arc::clone(&self).serve(stream));
        }
    }

    async fn serve(self: Arc<Self>, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(answer) = held {
            stream.write_all(&answer).await?;
            self.late.fetch_add(1, Ordering::Relaxed);
        }
        loop {
            let answer = if self.is_bus {
                let mut request = [0; 8];
                stream.read_exact(&mut request).await?;
                let [unit, function, high, low, ..] = request;
                let frame = [unit, function, 4, 0, unit, high, low];
                [&frame[..], &rtu::crc(&frame).to_le_bytes()].concat()
            } else {
                let mut request = [0; 12];
                stream.read_exact(&mut request).await?;
                let [t0, t1, _, _, _, _, unit, function, high, low, ..] = request;
                vec![t0, t1, 0, 0, 0, 7, unit, function, 4, 0, unit, high, low]
            };
            if self.asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
                stream.write_all(&answer).await?;
            } else {
                *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many such gateways at once, so that time-outs and silences pass together.
    async fn trials(carrier: Carrier, gateways: u8, requests: u16) -> Outcome {
        let config = Arc::new(Config { request_timeout_ms: 60, late_ms: 700, baud: 0, ..Config::default() });
        // All requests to one meter: nothing but the number of a request tells its answer from a late one.
        let one = |n| trial(carrier.clone(), 1, requests, Arc::clone(&config), Rng::from_seed([n; 32]));
        let all = futures::future::try_join_all((0..gateways).map(one)).await.unwrap();
        all.into_iter().fold(Outcome::default(), |sum, one| Outcome {
            answered: sum.answered + one.answered,
            late: sum.late + one.late,
            misattributed: sum.misattributed + one.misattributed,
        })
    }

    #[tokio::test]
    async fn on_a_bus_no_late_answer_is_taken_for_the_next_even_of_the_same_meter() {
        let outcome = trials(Carrier::Transparent, 24, 12).await;
        assert_eq!(outcome.misattributed, 0, "{outcome:?}");
        assert!(outcome.late > 50 && outcome.answered > 50, "{outcome:?}");
    }

    #[tokio::test]
    async fn over_modbus_tcp_no_late_answer_is_taken_for_the_next_even_of_the_same_meter() {
        let outcome = trials(Carrier::Tcp, 100, 90).await;
        assert_eq!(outcome.misattributed, 0, "{outcome:?}");
        // A late answer costs the request that it meets, too: most meet one.
        assert!(outcome.late > 2_000 && outcome.answered > 0, "{outcome:?}");
    }
}
