use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

use super::*;

/// What the scripted gateway does with the next request.
enum Behaviour {
    /// Answers the registers 0, 1, 2, ...
    Answer,
    /// Answers after so many ms.
    Late(u64),
    Silent,
    Exception(u8),
    /// One register less than requested.
    Short,
    WrongUnit,
    WrongTransaction,
    WrongProtocol,
    /// One register more than requested.
    Longer,
    /// The answer, and behind it a late one.
    FollowedByAnother,
    Garbage,
    HalfThenClose,
}

/// The requests received: unit, function, address, count.
type Received = Arc<Mutex<Vec<(u8, u8, u16, u16)>>>;

/// A gateway that follows a script, and answers properly afterwards.
async fn gateway(script: Vec<Behaviour>) -> (u16, Received) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Received::default();
    let script = Arc::new(Mutex::new(VecDeque::from(script)));
    let log = Arc::clone(&seen);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (script, log) = (Arc::clone(&script), Arc::clone(&log));
            tokio::spawn(async move {
                loop {
                    let mut head = [0; 12];
                    if stream.read_exact(&mut head).await.is_err() {
                        return;
                    }
                    let count = u16::from_be_bytes([head[10], head[11]]);
                    if head[7] == 16 {
                        let mut rest = vec![0; 1 + 2 * usize::from(count)];
                        stream.read_exact(&mut rest).await.unwrap();
                    }
                    log.lock().unwrap().push((head[6], head[7], u16::from_be_bytes([head[8], head[9]]), count));
                    let what = script.lock().unwrap().pop_front().unwrap_or(Behaviour::Answer);
                    if !act(what, &head, count, &mut stream).await {
                        return;
                    }
                }
            });
        }
    });
    (port, seen)
}

async fn act(what: Behaviour, head: &[u8; 12], count: u16, stream: &mut tokio::net::TcpStream) -> bool {
    let words = |n: u16| (0..n).flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    let pdu = |n: u16| match head[7] {
        3 => [vec![3, (2 * n) as u8], words(n)].concat(),
        _ => head[7..12].to_vec(),
    };
    let frame = |transaction: [u8; 2], unit: u8, pdu: Vec<u8>| {
        [&transaction[..], &[0, 0], &(pdu.len() as u16 + 1).to_be_bytes()[..], &[unit], &pdu].concat()
    };
    let own = [head[0], head[1]];
    let proper = frame(own, head[6], pdu(count));
    let out = match what {
        Behaviour::Answer => proper,
        Behaviour::Late(ms) => {
            sleep(Duration::from_millis(ms)).await;
            proper
        }
        Behaviour::Silent => return true,
        Behaviour::Exception(code) => frame(own, head[6], vec![head[7] | 0x80, code]),
        Behaviour::Short => frame(own, head[6], pdu(count - 1)),
        Behaviour::WrongUnit => frame(own, head[6] + 1, pdu(count)),
        Behaviour::WrongTransaction => frame([own[0], own[1] ^ 1], head[6], pdu(count)),
        Behaviour::WrongProtocol => [&own[..], &[0, 1], &proper[4..]].concat(),
        Behaviour::Longer => frame(own, head[6], pdu(count + 1)),
        Behaviour::FollowedByAnother => [&proper[..], &frame([own[0], own[1] ^ 1], head[6], pdu(count))].concat(),
        Behaviour::Garbage => vec![0xff; 40],
        Behaviour::HalfThenClose => {
            stream.write_all(&proper[..proper.len() / 2]).await.unwrap();
            return false;
        }
    };
    stream.write_all(&out).await.is_ok()
}

fn quick() -> Arc<Config> {
    Arc::new(Config { request_timeout_ms: 150, baud: 0, reconnect_cap_ms: 600, ..Config::default() })
}

fn tcp(port: u16) -> Target {
    Target::dialled("127.0.0.1".into(), port, Carrier::Tcp)
}

fn link(port: u16) -> (Link, CancellationToken) {
    let stop = CancellationToken::new();
    let (link, _) = Link::start(tcp(port), quick(), Rng::from_seed([1; 32]), stop.clone());
    (link, stop)
}

#[tokio::test]
async fn a_wrong_answer_is_refused_and_the_next_request_answered() {
    let cases = [
        (Behaviour::Exception(0x0b), LinkError::Exception(0x0b)),
        (Behaviour::Exception(0x06), LinkError::Exception(0x06)),
        (Behaviour::Silent, LinkError::Timeout),
        (Behaviour::Late(250), LinkError::Timeout),
        (Behaviour::Short, LinkError::Garbled),
        (Behaviour::WrongUnit, LinkError::Garbled),
        (Behaviour::WrongTransaction, LinkError::Garbled),
        (Behaviour::WrongProtocol, LinkError::Garbled),
        (Behaviour::Longer, LinkError::Garbled),
        (Behaviour::FollowedByAnother, LinkError::Garbled),
        (Behaviour::Garbage, LinkError::Garbled),
        (Behaviour::HalfThenClose, LinkError::Broken),
    ];
    for (what, error) in cases {
        let (port, _) = gateway(vec![Behaviour::Answer, what]).await;
        let (link, _stop) = link(port);
        assert_eq!(link.read(Priority::Sweep, 7, 0, 3).await, Ok(vec![0, 1, 2]));
        let got = link.read(Priority::Sweep, 7, 0, 3).await.unwrap_err();
        assert_eq!(got, error);
        sleep(Duration::from_millis(130)).await;
        assert_eq!(link.read(Priority::Sweep, 8, 0, 2).await, Ok(vec![0, 1]), "after {error:?}");
    }
}

#[tokio::test]
async fn a_write_is_sent_once_whatever_happens() {
    for what in [Behaviour::Silent, Behaviour::Late(250), Behaviour::HalfThenClose, Behaviour::Exception(3), Behaviour::WrongUnit]
    {
        let (port, seen) = gateway(vec![what]).await;
        let (link, _stop) = link(port);
        assert!(link.write(Priority::Money, 9, 0x200, vec![1, 2, 3]).await.is_err());
        sleep(Duration::from_millis(300)).await;
        assert_eq!(*seen.lock().unwrap(), [(9, 16, 0x200, 3)]);
        assert_eq!(link.write(Priority::Money, 9, 0x200, vec![1, 2, 3]).await, Ok(()));
    }
}

#[tokio::test]
async fn money_goes_before_relay_before_sweep() {
    let (port, seen) = gateway(vec![Behaviour::Late(80)]).await;
    let (link, _stop) = link(port);
    let read = |priority, unit| {
        let link = link.clone();
        tokio::spawn(async move { link.read(priority, unit, 0, 1).await })
    };
    let mut all = vec![read(Priority::Sweep, 1)];
    sleep(Duration::from_millis(40)).await;
    for (priority, unit) in [
        (Priority::Instrument, 60),
        (Priority::Sweep, 50),
        (Priority::Sweep, 51),
        (Priority::ReadNow, 40),
        (Priority::Settings, 30),
        (Priority::Relay, 20),
        (Priority::Money, 10),
        (Priority::Money, 11),
    ] {
        all.push(read(priority, unit));
        tokio::task::yield_now().await;
    }
    for one in all {
        one.await.unwrap().unwrap();
    }
    let units: Vec<u8> = seen.lock().unwrap().iter().map(|s| s.0).collect();
    assert_eq!(units, [1, 10, 11, 20, 30, 40, 50, 51, 60]);
}

#[tokio::test]
async fn a_purchase_waits_for_at_most_the_request_in_flight() {
    const BUS_MS: u64 = 15;
    let (port, seen) = gateway((0..2_000).map(|_| Behaviour::Late(BUS_MS)).collect()).await;
    let (link, stop) = link(port);
    // More than the bus can carry, of everything that is less urgent.
    for priority in [Priority::Relay, Priority::Settings, Priority::ReadNow, Priority::Sweep, Priority::Sweep, Priority::Probe] {
        let (link, stop) = (link.clone(), stop.clone());
        tokio::spawn(async move {
            while !stop.is_cancelled() {
                let _ = link.read(priority, 1, 0, 1).await;
            }
        });
    }
    for _ in 0..20 {
        sleep(Duration::from_millis(BUS_MS * 3 / 2)).await;
        let before = seen.lock().unwrap().len();
        let sent = Instant::now();
        link.read(Priority::Money, 99, 0, 1).await.unwrap();
        let waited = sent.elapsed();
        let at = seen.lock().unwrap().iter().skip(before).position(|request| request.0 == 99);
        // The one in flight was seen before, unless its bytes were still on their way.
        assert!(at.is_some_and(|others| others <= 1), "{at:?} went before, in {waited:?}");
    }
    stop.cancel();
}

#[tokio::test]
async fn a_refusing_gateway_is_reported_at_once_and_found_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let (link, _stop) = link(port);
    let mut state = link.state();
    state.wait_for(|&s| s == LinkState::Down).await.unwrap();
    let sent = Instant::now();
    assert_eq!(link.read(Priority::Money, 1, 0, 1).await, Err(LinkError::Unreachable));
    assert!(sent.elapsed() < Duration::from_millis(100));

    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    link.retry();
    let waited = Instant::now();
    state.wait_for(|&s| s == LinkState::Up).await.unwrap();
    assert!(waited.elapsed() < Duration::from_millis(1_000));
    drop(listener);
}

/// A gateway with one slot that serves no new connection for so long after the last one ended: it accepts and closes it (`true`),
/// or refuses it.
async fn single_slot(refuse: Duration, accepts: bool) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut listener = Some(listener);
        loop {
            let open = match listener.take() {
                Some(open) => open,
                None => TcpListener::bind(("127.0.0.1", port)).await.unwrap(),
            };
            let (mut stream, _) = open.accept().await.unwrap();
            let kept = accepts.then_some(open);
            let mut request = [0; 12];
            // Unit 9 is silent.
            while stream.read_exact(&mut request).await.is_ok() {
                if request[6] != 9 {
                    stream.write_all(&[request[0], request[1], 0, 0, 0, 5, request[6], 3, 2, 0, 0]).await.unwrap();
                }
            }
            let free = Instant::now() + refuse;
            match &kept {
                Some(open) => while tokio::time::timeout_at(free, open.accept()).await.is_ok() {},
                None => tokio::time::sleep_until(free).await,
            }
            listener = kept;
        }
    });
    port
}

#[tokio::test]
async fn a_refusal_after_our_own_close_does_not_lose_the_gateway() {
    for (refuse_ms, accepts) in [(200, false), (200, true), (2_000, false), (2_000, true)] {
        let port = single_slot(Duration::from_millis(refuse_ms), accepts).await;
        let (link, _stop) = link(port);
        for round in 0..2 {
            assert_eq!(link.read(Priority::Sweep, 9, 0, 1).await, Err(LinkError::Timeout));
            link.settled().await;
            // A gateway that accepts and closes costs one request, until it is known for that.
            let mut answer = link.read(Priority::Sweep, 1, 0, 1).await;
            if accepts && round == 0 && answer == Err(LinkError::Broken) {
                answer = link.read(Priority::Sweep, 1, 0, 1).await;
            }
            assert_eq!(answer, Ok(vec![0]), "{refuse_ms} ms, accepts: {accepts}, round {round}");
            assert_eq!(*link.state().borrow(), LinkState::Up);
        }
    }
}

#[tokio::test]
async fn stopping_ends_the_task_and_answers_every_caller() {
    let (port, _) = gateway(vec![Behaviour::Silent]).await;
    let stop = CancellationToken::new();
    let (link, task) = Link::start(tcp(port), quick(), Rng::from_seed([1; 32]), stop.clone());
    let pending = tokio::spawn({
        let link = link.clone();
        async move { link.read(Priority::Sweep, 1, 0, 1).await }
    });
    sleep(Duration::from_millis(30)).await;
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(1), task).await.unwrap().unwrap();
    assert_eq!(pending.await.unwrap(), Err(LinkError::Timeout), "the current request is finished");
    assert_eq!(link.read(Priority::Sweep, 1, 0, 1).await, Err(LinkError::Stopped));
}
