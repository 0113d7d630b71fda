//! Open walls of 700 meters that a server on one processor serves: real streams over HTTP, 100 changes a second.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::clock::{Clock, SystemClock};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::database::Engine;
use crate::figure::{Figure, quantile};
use crate::site::{PORT, Plan, Site};
use crate::{Length, Outcome};

/// 700 meters, each read every seven seconds.
const SITE: Plan = Plan { gateways: 28, meters: 25, bus: None, sweep_s: 7, sells: true, records: false, engine: Engine::Sqlite };
/// Numbers of walls that are tried, until one is too many.
const STEPS: [usize; 6] = [125, 250, 500, 1_000, 2_000, 4_000];
/// How late a change may be at a wall, s.
const LONGEST: f64 = 1.0;
const RUNS: usize = 3;

/// What the walls have seen.
#[derive(Default)]
struct Seen {
    /// From the encoding of each change to its arrival, s.
    delays: Vec<f64>,
    /// Walls that lagged behind and got everything anew.
    snapshots: usize,
}

pub async fn run(length: Length) -> Outcome<Vec<Figure>> {
    let site = Site::start(SITE).await?;
    site.all_read(Duration::from_secs(60)).await?;
    site.server.confine(0)?;
    let (mut most, mut said) = (Vec::new(), Vec::new());
    for _ in 0..if length.short { 1 } else { RUNS } {
        let mut served = 0;
        for walls in STEPS {
            let (fits, words) = serve(&site, walls, length.seconds(20)).await?;
            said.push(words);
            if !fits {
                break;
            }
            served = walls;
        }
        most.push(served as f64);
    }
    let against = format!("700 meters, server on one processor, p99 of a change at the wall <= {LONGEST} s: {}", said.join("; "));
    Ok(vec![Figure::at_least("wall.streams", 500.0, "walls", against, most)])
}

/// Whether that many walls are served in time, and how it went.
async fn serve(site: &Site, walls: usize, during: Duration) -> Outcome<(bool, String)> {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let mut open = JoinSet::new();
    for _ in 0..walls {
        let stream = match open_wall(&site.cookie).await {
            Ok(stream) => stream,
            Err(error) => return Ok((false, format!("{walls} walls cannot be opened: {error}"))),
        };
        open.spawn(watch(stream, Arc::clone(&seen)));
    }
    // Each has its first picture.
    tokio::time::sleep(Duration::from_secs(3)).await;
    take(&seen);
    let cpu = site.server.cpu()?;
    tokio::time::sleep(during).await;
    let share = (site.server.cpu()? - cpu) / during.as_secs_f64() * 100.0;
    let Seen { delays, snapshots } = take(&seen);
    let closed = std::iter::from_fn(|| open.try_join_next()).count();
    // Changes are sent four times a second.
    let expected = walls as f64 * during.as_secs_f64() * 4.0;
    let p99 = quantile(&delays, 0.99);
    let fits = p99 <= LONGEST && delays.len() as f64 >= 0.9 * expected && snapshots == 0 && closed == 0;
    Ok((fits, format!("{walls}: {} events, p99 {p99:.3} s, {share:.0} % CPU, {} fell behind", delays.len(), snapshots + closed)))
}

fn take(seen: &Mutex<Seen>) -> Seen {
    std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The stream of a wall, after the head of the answer.
async fn open_wall(cookie: &str) -> Outcome<TcpStream> {
    let mut stream = timeout(Duration::from_secs(10), TcpStream::connect((Ipv4Addr::LOCALHOST, PORT))).await??;
    let request =
        format!("GET /live HTTP/1.1\r\nHost: 127.0.0.1:{PORT}\r\nAccept: text/event-stream\r\nCookie: {cookie}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut status = [0; 12];
    timeout(Duration::from_secs(10), stream.read_exact(&mut status)).await??;
    if &status == b"HTTP/1.1 200" { Ok(stream) } else { Err(String::from_utf8_lossy(&status).into()) }
}

/// Notes events until the stream ends.
async fn watch(mut stream: TcpStream, seen: Arc<Mutex<Seen>>) {
    let (mut held, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        held.extend_from_slice(buffer.get(..count).unwrap_or_default());
        let now = SystemClock.now().0;
        while let Some(end) = held.windows(2).position(|pair| pair == b"\n\n") {
            let event: Vec<u8> = held.drain(..end + 2).collect();
            note(&event, now, &seen);
        }
    }
}

fn note(event: &[u8], now: i64, seen: &Mutex<Seen>) {
    let text = String::from_utf8_lossy(event);
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    if text.contains("event: snapshot") {
        seen.snapshots += 1;
    } else if let Some((_, rest)) = text.split_once("\"at\":") {
        let digits = rest.split(|letter: char| !letter.is_ascii_digit()).next().unwrap_or_default();
        if let Ok(at) = digits.parse::<i64>() {
            seen.delays.push((now - at) as f64 / 1_000.0);
        }
    }
}
