//! The rules against late answers, tried on a gateway that holds every third answer back until its request has timed out, and
//! passes it on to whoever is connected next. None may be taken for the answer to another request. `DORMWATT_LATE_ROUNDS=10`
//! sends ten times as many requests.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_modbus::client::{Reader, tcp};
use tokio_modbus::slave::Slave;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::tls::tests::identity;
use super::{Carrier, Link, Priority, Target, Tls, TlsSettings, rtu};
use crate::config::Config;
use domain::rng::Rng;

/// What came of the requests.
#[derive(Debug, Default)]
struct Outcome {
    answered: u32,
    /// Answers that were passed on late.
    late: u32,
    /// Answers that were taken for another request's.
    misattributed: u32,
}

impl Outcome {
    fn count(&mut self, right: bool) {
        *(if right { &mut self.answered } else { &mut self.misattributed }) += 1;
    }
}

#[derive(Default)]
struct Gateway {
    is_bus: bool,
    tls: Option<TlsAcceptor>,
    requests: AtomicU32,
    late: AtomicU32,
    held: Mutex<Option<Vec<u8>>>,
    /// By turns: passes the answer on to a new connection at once, or in place of the answer to its first request.
    at_once: AtomicBool,
}

impl Gateway {
    async fn accept(self: Arc<Self>, listener: TcpListener) {
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            connections.spawn(Arc::clone(&self).serve(stream));
        }
    }

    async fn serve(self: Arc<Self>, stream: TcpStream) -> io::Result<()> {
        match &self.tls {
            Some(tls) => self.answer(tls.accept(stream).await?).await,
            None => self.answer(stream).await,
        }
    }

    fn held(&self) -> Option<Vec<u8>> {
        self.held.lock().unwrap().take()
    }

    async fn answer(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
        let mut held = self.held();
        // On a bus an answer can be late by less than the silence alone.
        if self.is_bus || self.at_once.fetch_not(Ordering::Relaxed) {
            self.pass_on(held.take(), &mut stream).await?;
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
            self.pass_on(held.take(), &mut stream).await?;
            if self.requests.fetch_add(1, Ordering::Relaxed).is_multiple_of(3) {
                *self.held.lock().unwrap() = Some(answer);
            } else {
                stream.write_all(&answer).await?;
                stream.flush().await?;
            }
        }
    }

    async fn pass_on(&self, held: Option<Vec<u8>>, stream: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        if let Some(answer) = held {
            stream.write_all(&answer).await?;
            stream.flush().await?;
            self.late.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Sends so many requests to one meter behind such a gateway: nothing but the number of a request or the silence before it tells
/// its answer from a late one.
async fn run(carrier: Carrier, tls: Option<TlsAcceptor>, requests: u16, config: Arc<Config>, rng: Rng) -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let gateway = Arc::new(Gateway { is_bus: matches!(carrier, Carrier::Transparent), tls, ..Gateway::default() });
    let accepting = tokio::spawn(Arc::clone(&gateway).accept(listener));
    let stop = CancellationToken::new();
    let (link, task) = Link::start(Target::dialled("127.0.0.1".into(), port, carrier), config, rng, stop.clone());
    let mut outcome = Outcome::default();
    for address in 0..requests {
        if let Ok(words) = link.read(Priority::Sweep, 1, address, 2).await {
            outcome.count(words == [1, address]);
        }
    }
    stop.cancel();
    task.await.unwrap();
    accepting.abort();
    outcome.late = gateway.late.load(Ordering::Relaxed);
    outcome
}

fn rounds() -> u16 {
    std::env::var("DORMWATT_LATE_ROUNDS").map_or(1, |rounds| rounds.parse().unwrap())
}

/// So many such gateways at once, so that time-outs and silences pass together.
async fn run_all(carrier: Carrier, tls: Option<TlsAcceptor>, gateways: u8, requests: u16) -> Outcome {
    let config = Arc::new(Config { request_timeout_ms: 60, late_ms: 700, baud: 0, ..Config::default() });
    let one = |n| run(carrier.clone(), tls.clone(), requests * rounds(), Arc::clone(&config), Rng::from_seed([n; 32]));
    let all = futures::future::join_all((0..gateways).map(one)).await;
    let sum = all.into_iter().fold(Outcome::default(), |sum, one| Outcome {
        answered: sum.answered + one.answered,
        late: sum.late + one.late,
        misattributed: sum.misattributed + one.misattributed,
    });
    eprintln!("{carrier:?}: {sum:?}");
    sum
}

#[tokio::test]
async fn no_late_answer_is_believed_on_a_bus() {
    let outcome = run_all(Carrier::Transparent, None, 100, 4).await;
    assert_eq!(outcome.misattributed, 0, "{outcome:?}");
    assert!(outcome.late > 50 && outcome.answered > 50, "{outcome:?}");
}

#[tokio::test]
async fn no_late_answer_is_believed_over_modbus_tcp() {
    let outcome = run_all(Carrier::Tcp, None, 100, 400).await;
    assert_eq!(outcome.misattributed, 0, "{outcome:?}");
    // A late answer costs the request that it meets, too: most meet one.
    assert!(outcome.late > 10_000 && outcome.answered > 0, "{outcome:?}");
}

#[tokio::test]
async fn no_late_answer_is_believed_inside_tls() {
    let (acceptor, pin) = identity();
    let tls = Tls::new(&TlsSettings::default(), "localhost", Some(&pin)).unwrap();
    let outcome = run_all(Carrier::Tls(tls), Some(acceptor), 50, 40).await;
    assert_eq!(outcome.misattributed, 0, "{outcome:?}");
    assert!(outcome.late > 400 && outcome.answered > 0, "{outcome:?}");
}

/// Where this fails, the library may have learnt to tell late answers from others.
#[tokio::test]
async fn tokio_modbus_alone_believes_late_answers() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let gateway = Arc::new(Gateway::default());
    let accepting = tokio::spawn(Arc::clone(&gateway).accept(listener));
    let mut outcome = Outcome::default();
    let mut client = None;
    for register in 0..60 {
        let mut connected = match client.take() {
            Some(connected) => connected,
            None => tcp::connect_slave(address, Slave(1)).await.unwrap(),
        };
        if let Ok(Ok(Ok(words))) = timeout(Duration::from_millis(20), connected.read_holding_registers(register, 2)).await {
            outcome.count(words == [1, register]);
            client = Some(connected);
        }
    }
    accepting.abort();
    outcome.late = gateway.late.load(Ordering::Relaxed);
    assert!(outcome.misattributed > 0, "{outcome:?}");
}
