//! A relay command is sent once and done when the relay is observed; the meter only measures and switches, and may be welded.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use ::meters::keys::MasterKeys;
use ::meters::live::Live;
use ::meters::profile::Profiles;
use ::meters::{GatewayHandle, Meters};
use domain::clock::{Clock, SystemClock};
use domain::command_args::CommandArgs;
use estate::places::{self, NewPlace};
use model::command::CommandReason;
use model::ids::MeterId;
use model::issue::Issue;
use model::meter::{ControlMode, Wallet};
use model::order::CommandState;
use store::commands::{self, Command, NewCommand};
use store::meters::{NewMeter, add_meter};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use story_support::site::{SOON, enqueue, quick, until};
use story_support::{World, both};

/// A Hiking DDS238-2 ZN/SR on a socket of its own.
#[derive(Default)]
struct Dds238 {
    closed: AtomicBool,
    /// The contacts do not part.
    welded: AtomicBool,
    /// The register does not change either.
    deaf: AtomicBool,
    /// Executes the next write and does not answer it.
    mute_once: AtomicBool,
    said: Mutex<Vec<u16>>,
}

impl Dds238 {
    async fn start(self: &Arc<Self>) -> std::net::SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let meter = Arc::clone(self);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(Arc::clone(&meter).serve(stream));
            }
        });
        address
    }

    async fn serve(self: Arc<Self>, mut stream: TcpStream) {
        let mut head = [0; 12];
        while stream.read_exact(&mut head).await.is_ok() {
            let (address, count) = (u16::from_be_bytes([head[8], head[9]]), u16::from_be_bytes([head[10], head[11]]));
            let pdu = if head[7] == 16 {
                let mut data = vec![0; 1 + 2 * usize::from(count)];
                stream.read_exact(&mut data).await.unwrap();
                assert_eq!((address, count), (0x1a, 1), "nothing but its relay is ever written");
                self.apply(u16::from_be_bytes([data[1], data[2]]));
                if self.mute_once.swap(false, Ordering::SeqCst) {
                    continue;
                }
                head[7..].to_vec()
            } else {
                let words = self.registers();
                let asked = words.iter().skip(address.into()).take(count.into()).flat_map(|word| word.to_be_bytes());
                [vec![3, u8::try_from(2 * count).unwrap()], asked.collect()].concat()
            };
            let length = u16::try_from(1 + pdu.len()).unwrap().to_be_bytes();
            let answer = [&head[..4], &length, &head[6..7], &pdu].concat();
            if stream.write_all(&answer).await.is_err() {
                return;
            }
        }
    }

    fn apply(&self, word: u16) {
        self.said.lock().unwrap().push(word);
        if !self.deaf.load(Ordering::SeqCst) {
            self.closed.store(word == 1, Ordering::SeqCst);
        }
    }

    fn registers(&self) -> Vec<u16> {
        let closed = self.closed.load(Ordering::SeqCst);
        let mut words = vec![0; 0x1b];
        words[1] = 4_200;
        words[0x0c] = 2_300;
        if closed || self.welded.load(Ordering::SeqCst) {
            (words[0x0d], words[0x0e]) = (435, 1_000);
        }
        words[0x1a] = closed.into();
        words
    }
}

struct Room {
    w: World,
    dds238: Arc<Dds238>,
    meter: MeterId,
    engine: GatewayHandle,
}

impl Room {
    async fn new(w: World) -> Self {
        let dds238 = Arc::new(Dds238::default());
        dds238.closed.store(true, Ordering::SeqCst);
        let address = dds238.start().await;
        let gateway = w.gateways(&[address]).await[0];
        let at = SystemClock.now();
        let (place, meter) = (model::ids::PlaceId(w.rng.id(at)), MeterId(w.rng.id(at)));
        let mut tx = w.db.begin().await.unwrap();
        places::add(&mut tx, &NewPlace { id: place, parent: None, kind: model::place::PlaceKind::Room, name: "101", sort: 1 })
            .await
            .unwrap();
        let serial = "000000000238".to_owned();
        let new =
            NewMeter { id: meter, place, gateway, unit: 1, serial, profile: "hiking-dds238".into(), wallet: Wallet::Server };
        add_meter(&mut tx, at, &new).await.unwrap();
        tx.commit().await.unwrap();
        let clock: domain::clock::SharedClock = Arc::new(SystemClock);
        let live = Live::load(&w.db, clock.clone()).await.unwrap();
        let keys = MasterKeys { enc: [1; 16], mac: [2; 16], aes: [3; 32] };
        let (db, rng, profiles) = (w.db.clone(), w.rng.clone(), Profiles::load(None).unwrap());
        let engine = Meters { db, clock, rng, live, keys, config: quick(), profiles }.start().await.unwrap();
        Self { w, dds238, meter, engine }
    }

    async fn command(&self, args: impl Into<CommandArgs>, stored: Option<&'static str>) -> Command {
        let at = SystemClock.now();
        let id = model::ids::CommandId(self.w.rng.id(at));
        enqueue(&self.w, at, &NewCommand::setting(id, self.meter, args.into(), None), stored).await;
        let ended = || async {
            let command = commands::find(&self.w.db, id).await.unwrap().unwrap();
            command.state.is_final()
        };
        until(SOON, "the command to end", ended).await;
        commands::find(&self.w.db, id).await.unwrap().unwrap()
    }

    async fn cases(&self) -> i64 {
        self.w.number("SELECT COUNT(*) FROM cases WHERE kind = 'relay' AND closed_at IS NULL").await
    }

    fn writes(&self) -> Vec<u16> {
        self.dds238.said.lock().unwrap().clone()
    }
}

const OPEN: CommandArgs = CommandArgs::Relay { closed: false };
const CLOSE: CommandArgs = CommandArgs::Relay { closed: true };

both!(a_relay_command_is_sent_once_and_done_when_observed, |w| async move {
    let room = Room::new(w).await;
    let command = room.command(OPEN, None).await;
    assert_eq!((command.state.as_str(), command.reason, command.attempts), ("done", None, 1));
    // The relay is already in that position: nothing is sent.
    let command = room.command(OPEN, None).await;
    assert_eq!((command.state.as_str(), command.attempts), ("done", 0));
    assert_eq!(room.command(CLOSE, None).await.state, CommandState::Done);
    assert_eq!((room.writes(), room.cases().await), (vec![0, 1], 0));
    // What was read back is a reading like any other, and the wall shows it.
    let status = "SELECT COUNT(*) FROM meter_latest WHERE power_w = 1000 AND status % 2 = 1";
    until(SOON, "the closed relay", || async { room.w.number(status).await == 1 }).await;
    room.engine.stop().await;
});

both!(a_command_with_a_lost_answer_is_not_resent_if_applied, |w| async move {
    let room = Room::new(w).await;
    room.dds238.mute_once.store(true, Ordering::SeqCst);
    let command = room.command(OPEN, None).await;
    assert_eq!((command.state.as_str(), command.attempts), ("done", 1));
    assert_eq!(room.writes(), [0]);
    room.engine.stop().await;
});

both!(a_welded_relay_opens_a_case, |w| async move {
    let room = Room::new(w).await;
    room.dds238.welded.store(true, Ordering::SeqCst);
    let command = room.command(OPEN, None).await;
    assert_eq!((command.state.as_str(), command.reason.map(CommandReason::as_str)), ("failed", Some("relay")));
    let detail = room.w.word("SELECT detail FROM cases WHERE kind = 'relay'").await;
    assert!(detail.contains(r#""power_w":1000"#) && detail.contains(r#""closed":false"#), "{detail}");
    assert_eq!(room.writes(), [0], "told once");
    room.engine.stop().await;
});

both!(a_stuck_relay_opens_a_case, |w| async move {
    let room = Room::new(w).await;
    room.dds238.deaf.store(true, Ordering::SeqCst);
    let command = room.command(OPEN, None).await;
    assert_eq!((command.state.as_str(), command.reason.map(CommandReason::as_str)), ("failed", Some("relay")));
    assert_eq!((room.writes(), room.cases().await), (vec![0], 1));
    room.engine.stop().await;
});

both!(an_unsupported_command_is_refused_and_never_sent, |w| async move {
    let room = Room::new(w).await;
    for (args, stored) in [
        (Issue::Mode(ControlMode::ForcedOff).into(), None),
        (Issue::DayTable { table: 1, slots: Vec::new() }.into(), None),
        (CLOSE, Some("{}")),
    ] {
        let command = room.command(args, stored).await;
        let reason = command.reason.map(CommandReason::as_str);
        assert_eq!((command.state.as_str(), reason), ("failed", Some("invalid")), "{:?}", command.kind);
    }
    assert!(room.writes().is_empty());
    room.engine.stop().await;
});
