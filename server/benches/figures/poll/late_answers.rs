//! Late answers: a gateway that answers after the time-out, on the connection of the request and on the one that follows it, as
//! gateways do that know only one client. None may be taken for the answer to another request.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use domain::rng::Rng;
use meters::config::Config;
use meters::link::{Carrier, Link, Priority, Target};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::figure::Figure;
use crate::{Length, Outcome};

/// Concurrent buses, and late answers in all; a third of the answers is late.
const BUSES: usize = 100;
const LATE: usize = 100_000;
const TIMEOUT_MS: u64 = 30;

/// Counts of the answers.
#[derive(Default)]
struct Tally {
    late: AtomicUsize,
    right: AtomicUsize,
    wrong: AtomicUsize,
}

pub async fn run(length: Length) -> Outcome<Vec<Figure>> {
    let (tally, stop) = (Arc::new(Tally::default()), CancellationToken::new());
    let each = length.count(LATE) / BUSES;
    let mut buses = Vec::new();
    for _ in 0..BUSES {
        buses.push(tokio::spawn(bus(Arc::clone(&tally), each, stop.clone())));
    }
    for bus in buses {
        bus.await??;
    }
    stop.cancel();
    let count = |of: &AtomicUsize| of.load(Ordering::Relaxed);
    let against = format!("of {} late answers; {} others were right", count(&tally.late), count(&tally.right));
    Ok(vec![Figure::at_most("poll.misattributed", 0.0, "", against, vec![count(&tally.wrong) as f64])])
}

/// Sends requests until this many answers were late.
async fn bus(tally: Arc<Tally>, late: usize, stop: CancellationToken) -> Outcome<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let said = Arc::new(AtomicUsize::new(0));
    tokio::spawn(gateway(listener, Arc::clone(&said)));
    let target = Target::dialled("127.0.0.1".into(), port, Carrier::Tcp);
    let config = Config { request_timeout_ms: TIMEOUT_MS, baud: 0, ..Config::default() };
    let (link, _task) = Link::start(target, Arc::new(config), Rng::from_system(), stop);
    let mut address: u16 = 0;
    while said.load(Ordering::Relaxed) < late {
        address = address.wrapping_add(1);
        let unit = 1 + (address % 3) as u8;
        if let Ok(words) = link.read(Priority::Sweep, unit, address, 2).await {
            let right = words == [address, u16::from(unit)];
            (if right { &tally.right } else { &tally.wrong }).fetch_add(1, Ordering::Relaxed);
        }
    }
    tally.late.fetch_add(said.load(Ordering::Relaxed), Ordering::Relaxed);
    Ok(())
}

/// Answers with address and unit of the request, every third time late.
async fn gateway(listener: TcpListener, late: Arc<AtomicUsize>) {
    // The newest connection, which receives late answers too.
    let newest: Arc<Mutex<Option<Arc<Mutex<OwnedWriteHalf>>>>> = Arc::default();
    let rng = Rng::from_system();
    while let Ok((stream, _)) = listener.accept().await {
        let (mut requests, answers) = stream.into_split();
        let answers = Arc::new(Mutex::new(answers));
        *newest.lock().await = Some(Arc::clone(&answers));
        let (newest, late, rng) = (Arc::clone(&newest), Arc::clone(&late), rng.clone());
        tokio::spawn(async move {
            let mut request = [0; 12];
            while requests.read_exact(&mut request).await.is_ok() {
                let [t0, t1, _, _, _, _, unit, _, a0, a1, _, _] = request;
                let answer = [t0, t1, 0, 0, 0, 7, unit, 3, 4, a0, a1, 0, unit];
                if rng.below(3) > 0 {
                    if answers.lock().await.write_all(&answer).await.is_err() {
                        return;
                    }
                    continue;
                }
                let (own, newest, late) = (Arc::clone(&answers), Arc::clone(&newest), Arc::clone(&late));
                let after = Duration::from_millis(TIMEOUT_MS + 2 + rng.below(30));
                tokio::spawn(async move {
                    tokio::time::sleep(after).await;
                    // The first connection is usually closed by then, as expected.
                    let _ = own.lock().await.write_all(&answer).await;
                    let current = newest.lock().await.clone();
                    if let Some(current) = current {
                        let _ = current.lock().await.write_all(&answer).await;
                    }
                    late.fetch_add(1, Ordering::Relaxed);
                });
            }
        });
    }
}
