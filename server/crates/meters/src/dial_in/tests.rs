use std::io::Cursor;

use model::ids::Uuid;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::listener::{Registration as Found, first_packet};
use super::*;
use crate::config::Config;
use crate::link::{Carrier, Incoming, Link, LinkError, Priority, Target};
use domain::clock::SystemClock;
use domain::rng::Rng;

const QUICK: DialInConfig = DialInConfig {
    listen: Vec::new(),
    tls_listen: Vec::new(),
    certificate_file: None,
    key_file: None,
    max_connections: 3,
    max_per_address: 2,
    registration_timeout_ms: 1_000,
    replace_after_ms: 300,
};

/// A hub with two gateways.
fn hub() -> (Hub, [Arc<Mailbox>; 2]) {
    let hub = Hub::new(QUICK, Arc::new(SystemClock));
    let mailboxes: [Arc<Mailbox>; 2] = [Arc::default(), Arc::default()];
    let one = |n: u128, mailbox: &Arc<Mailbox>| Registration {
        gateway: id(n),
        name: format!("G{n}"),
        pattern: BytePattern::parse(&format!("GW-{n}")).unwrap(),
        mailbox: Arc::clone(mailbox),
    };
    hub.set((1..).zip(&mailboxes).map(|(n, mailbox)| one(n, mailbox)).collect());
    (hub, mailboxes)
}

fn id(n: u128) -> GatewayId {
    GatewayId(Uuid::from_u128(n))
}

/// A port of a hub, and what stops it.
async fn port(hub: &Hub) -> (SocketAddr, CancellationToken) {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let stop = CancellationToken::new();
    tokio::spawn(serve(hub.clone(), address, Acceptor::default(), stop.clone()));
    (address, stop)
}

async fn dial(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    for _ in 0..100 {
        if let Ok(mut stream) = TcpStream::connect(address).await {
            stream.write_all(bytes).await.unwrap();
            return stream;
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("nothing listens at {address}");
}

async fn until_port(hub: &Hub, port: u16, wanted: PortState) {
    let is_so = async {
        while hub.port_state(port) != wanted {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(15), is_so).await.unwrap_or_else(|_| panic!("{:?}", hub.port_state(port)));
}

#[tokio::test]
async fn a_port_in_use_is_said_until_it_is_free() {
    let (hub, _) = hub();
    let other = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = other.local_addr().unwrap().port();
    assert_eq!(hub.port_state(port), PortState::Starting);
    let stop = CancellationToken::new();
    let serving = tokio::spawn(serve(hub.clone(), any_address(port), Acceptor::default(), stop.clone()));
    until_port(&hub, port, PortState::InUse).await;
    drop(other);
    until_port(&hub, port, PortState::Listening).await;
    stop.cancel();
    serving.await.unwrap();
    assert_eq!(hub.port_state(port), PortState::Starting);
}

/// Whether the server ends a connection.
async fn is_closed(stream: &mut TcpStream) -> bool {
    let read = timeout(Duration::from_secs(5), stream.read(&mut [0; 8])).await;
    matches!(read, Ok(Ok(0) | Err(_)))
}

#[tokio::test]
async fn a_connection_reaches_the_gateway_that_it_names() {
    let (hub, [first, second]) = hub();
    let (address, stop) = port(&hub).await;
    let mut dialled = dial(address, b"GW-2\r\n").await;
    let mut accepted = timeout(Duration::from_secs(5), second.take()).await.unwrap();
    // What is behind the registration was no answer and is not passed on.
    dialled.write_all(b"x").await.unwrap();
    let mut byte = [0; 3];
    let count = accepted.stream.read(&mut byte).await.unwrap();
    assert!(count > 0 && !byte.starts_with(b"GW"));
    assert!(timeout(Duration::from_millis(50), first.wait()).await.is_err());
    assert_eq!(hub.connections(id(2)).len(), 1);
    assert!(hub.lock().warned.is_none(), "a usual connection leaves the next warning to strangers");
    drop(accepted);
    assert!(hub.connections(id(2))[0].until.is_some());
    stop.cancel();
}

#[tokio::test]
async fn an_unknown_registration_is_refused_and_listed_once() {
    let (hub, _) = hub();
    let (address, stop) = port(&hub).await;
    for _ in 0..2 {
        assert!(is_closed(&mut dial(address, b"GW-9\r\n").await).await);
    }
    assert!(is_closed(&mut dial(address, &[0xff, 0]).await).await);
    let unknown_callers = hub.unknown_callers();
    let seen: Vec<_> = unknown_callers.iter().map(|one| (one.received.clone(), one.times)).collect();
    assert_eq!(seen, [(vec![0xff, 0], 1), (b"GW-9\r\n".to_vec(), 2)]);
    // A gateway of that registration is known.
    let pattern = BytePattern::parse("GW-9").unwrap();
    hub.set(vec![Registration { gateway: id(9), name: "G9".into(), pattern, mailbox: Arc::default() }]);
    assert_eq!(hub.unknown_callers().len(), 1);
    stop.cancel();
}

#[tokio::test]
async fn the_silent_and_the_many_are_cut_off() {
    let (hub, _) = hub();
    let (address, stop) = port(&hub).await;
    let mut silent = dial(address, b"").await;
    let mut half = dial(address, b"GW-").await;
    // The address has as many connections as it may have.
    assert!(is_closed(&mut dial(address, b"GW-1").await).await);
    assert!(is_closed(&mut silent).await && is_closed(&mut half).await);
    assert!(hub.unknown_callers().is_empty(), "neither said who it is");
    let mailbox = hub.lock().gateways[&id(1)].mailbox.clone();
    let _open = dial(address, b"GW-1").await;
    timeout(Duration::from_secs(5), mailbox.wait()).await.unwrap();
    stop.cancel();
}

#[tokio::test]
async fn a_second_connection_replaces_the_first_but_not_at_once() {
    let (hub, [mailbox, _]) = hub();
    let (address, stop) = port(&hub).await;
    let _half_open = dial(address, b"GW-1").await;
    let first = timeout(Duration::from_secs(5), mailbox.take()).await.unwrap();
    assert!(is_closed(&mut dial(address, b"GW-1").await).await, "too soon");
    sleep(Duration::from_millis(350)).await;
    let _redialled = dial(address, b"GW-1").await;
    let second = timeout(Duration::from_secs(5), mailbox.take()).await.unwrap();
    assert_ne!(first.peer, second.peer);
    drop(first);
    let history = hub.connections(id(1));
    assert_eq!(
        history.iter().map(|line| (line.replaces, line.until.is_some())).collect::<Vec<_>>(),
        [(true, false), (false, true)]
    );
    // One that ended is replaced at once.
    drop(second);
    let _again = dial(address, b"GW-1").await;
    timeout(Duration::from_secs(5), mailbox.take()).await.unwrap();
    stop.cancel();
}

#[tokio::test]
async fn a_registration_may_arrive_in_pieces() {
    let (hub, _) = hub();
    let (near, mut far) = duplex(64);
    let pieces = tokio::spawn(async move {
        for byte in b"GW-1" {
            far.write_all(&[*byte]).await.unwrap();
            sleep(Duration::from_millis(30)).await;
        }
        far
    });
    let found = first_packet(&hub, &mut { near }).await.unwrap();
    assert_eq!(found, Found::Named(id(1)));
    drop(pieces);
}

#[tokio::test]
async fn no_first_bytes_make_the_listener_fail() {
    let (hub, _) = hub();
    let rng = Rng::from_seed([9; 32]);
    for n in 0..20_000_usize {
        let mut bytes: Vec<u8> = rng.bytes::<96>().into_iter().take(rng.below(97) as usize).collect();
        if n % 3 == 0 {
            bytes.splice(..0, b"GW-".iter().copied());
        }
        let known = bytes.starts_with(b"GW-1") || bytes.starts_with(b"GW-2");
        match first_packet(&hub, &mut Cursor::new(bytes.clone())).await.unwrap() {
            Found::Named(_) => assert!(known, "{bytes:x?}"),
            Found::Unknown(received) => {
                assert!(!known && bytes.starts_with(&received) && received.len() <= BytePattern::MOST_BYTES, "{bytes:x?}");
            }
        }
    }
}

#[tokio::test]
async fn probes_of_dead_meters_end_no_connection() {
    let (permits, peer) = (Arc::new(ConnectionPermits::new(1, 1)), SocketAddr::from(([127, 0, 0, 1], 1)));
    let (near, mut far) = duplex(1_024);
    let mailbox: Arc<Mailbox> = Arc::default();
    mailbox.put(Accepted { stream: Box::new(near), peer, seat: permits.take(peer.ip()).unwrap() });
    let incoming = Some(Incoming { mailbox, registration: BytePattern::parse("GW-1").unwrap(), heartbeat: None });
    let target = Target { incoming, ..Target::dialled(String::new(), 0, Carrier::Tcp) };
    let config = Arc::new(Config { request_timeout_ms: 60, baud: 0, late_ms: 10, ..Config::default() });
    let stop = CancellationToken::new();
    let (link, _task) = Link::start(target, config, Rng::from_seed([1; 32]), stop.clone());
    let ask = async |priority, times| {
        for _ in 0..times {
            assert_eq!(link.read(priority, 1, 0, 1).await, Err(LinkError::Timeout));
        }
    };
    ask(Priority::Probe, 4).await;
    ask(Priority::Scan, 4).await;
    assert!(permits.take(peer.ip()).is_err(), "it stays open");
    ask(Priority::Sweep, 3).await;
    timeout(Duration::from_secs(5), far.read_to_end(&mut Vec::new())).await.expect("it is ended").unwrap();
    stop.cancel();
}
