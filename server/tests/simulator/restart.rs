//! A meter that loses power keeps its memory: restarts by the book, and by SIGKILL.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use domain::operation::Operation;
use domain::serial::AccountNumber;
use meters::frame::{FrameVersion, Header, seal};
use simulator::command::throw_away_keys;
use simulator::{Defect, LineFault, StartError, estate, start};
use tokio::net::TcpStream;

use super::line::{Line, read, write};
use super::{config, monday};

#[tokio::test]
async fn a_restart_continues_money_time_and_energy() {
    let directory = tempfile::tempdir().unwrap();
    let (mut first, clock) = config();
    first.state_file = Some(directory.path().join("state"));
    first.speed = 60.0;
    let simulator = start(first).await.unwrap();
    let mut line = Line::to(simulator.addresses()[0]).await;
    assert_eq!(line.operate(2, FrameVersion::Aes, &Operation::Credit { order: 6, count: 2, amount: 100 }).await, 0);
    simulator.meter(0, 3).unwrap().defect(Defect::CoverOpen, true).await.unwrap();
    clock.advance(30_000);
    let challenge = line.read(2, 0x0110, 2).await;
    simulator.stop().await;
    clock.advance(30_000);

    let (mut second, _) = config();
    second.state_file = Some(directory.path().join("state"));
    second.speed = 60.0;
    second.clock = clock;
    let simulator = start(second).await.unwrap();
    let mut line = Line::to(simulator.addresses()[0]).await;
    let view = simulator.meter(0, 2).unwrap().view().unwrap();
    assert_eq!((view.count, view.cumulative, view.order), (2, 10_100, 6));
    // One real minute is an hour at the site, half of it while the simulator was stopped: 1 kWh, 0.50 yuan.
    assert_eq!((view.total, view.remaining, view.clock), (100, 10_050, monday().plus(3_600_000)));
    let renewed = line.read(2, 0x0110, 2).await;
    assert_ne!(renewed, challenge, "the challenge is drawn anew");
    assert_eq!(line.read(2, 0x0112, 1).await, [0], "no frame was received since");
    assert_eq!(line.read(3, 0x011f, 1).await, [1]);
    simulator.stop().await;

    let (mut third, _) = config();
    third.state_file = Some(directory.path().join("state"));
    let simulator = start(third).await.unwrap();
    let again = Line::to(simulator.addresses()[0]).await.read(2, 0x0110, 2).await;
    assert!(again != renewed && again != challenge, "no challenge comes back");
}

#[tokio::test]
async fn a_state_file_of_another_site_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (mut first, _) = config();
    first.state_file = Some(directory.path().join("state"));
    start(first).await.unwrap().stop().await;
    let (mut second, _) = config();
    second.state_file = Some(directory.path().join("state"));
    second.estate.gateways[0].meters[1].serial = estate::serial(8, 0, 2);
    let Err(error) = start(second).await else { panic!("started") };
    assert!(matches!(error, StartError::OtherSite { unit: 2, .. }), "{error}");
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let (simulator, _) = super::site().await;
    let (mut second, _) = config();
    second.base_port = simulator.addresses()[0].port();
    let Err(error) = start(second).await else { panic!("started") };
    assert!(error.to_string().starts_with(&format!("cannot listen on {}", simulator.addresses()[0])), "{error}");
}

/// `dormwatt simulate` with one version 1 meter on a free port.
struct Process(Child);

impl Process {
    fn spawn(port: u16, state: &Path) -> Self {
        Self::start(&mut Command::new(env!("CARGO_BIN_EXE_dormwatt")), port, state)
    }

    fn start(command: &mut Command, port: u16, state: &Path) -> Self {
        let command = command.args(["simulate", "--gateways", "1", "--meters", "1", "--port", &port.to_string(), "--state"]);
        Self(command.arg(state).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    async fn line(port: u16) -> Line {
        for _ in 0..200 {
            if let Ok(stream) = TcpStream::connect(("127.0.0.1", port)).await {
                return Line(stream);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the simulator does not listen");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn account() -> AccountNumber {
    "1000000000000001".parse().unwrap()
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Sends an operation to the meter of the process, sealed with its default keys.
async fn operate(line: &mut Line, operation: &Operation) -> Result<(), Vec<u8>> {
    let block = line.read(1, 0x0109, 9).await;
    let challenge = [block[7].to_be_bytes(), block[8].to_be_bytes()].concat().try_into().unwrap();
    let header = Header { epoch: block[0], challenge, frame_number: 0 };
    let frame = seal(&throw_away_keys(1), FrameVersion::Tdes, &header, estate::serial(1, 0, 1), operation).unwrap();
    let pdu = write(0x0200, &frame);
    let answer = line.ask(1, &pdu).await;
    if answer == pdu[..5] { Ok(()) } else { Err(answer) }
}

#[tokio::test]
async fn answered_commands_survive_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let (state, port) = (directory.path().join("state"), free_port());
    let mut process = Process::spawn(port, &state);
    let mut line = Process::line(port).await;
    assert_eq!(operate(&mut line, &Operation::Open { account: account() }).await, Ok(()));
    for n in 1..=10 {
        assert_eq!(operate(&mut line, &Operation::Credit { order: n.into(), count: n, amount: 100 }).await, Ok(()));
        if n % 3 == 0 {
            drop(process);
            process = Process::spawn(port, &state);
            line = Process::line(port).await;
        }
        assert_eq!(line.read(1, 0x0106, 4).await, [0, 100 * n, n, 1], "after {n} credits");
    }
}

#[tokio::test]
async fn a_full_disk_refuses_the_command_and_changes_no_meter() {
    let directory = tempfile::tempdir().unwrap();
    let (state, port) = (directory.path().join("state"), free_port());
    // Files may not grow beyond a few kilobytes; the write fails where the signal is ignored.
    let _process = Process::start(
        Command::new("sh").args(["-c", "trap '' XFSZ; ulimit -f 24; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_dormwatt")]),
        port,
        &state,
    );
    let mut line = Process::line(port).await;
    assert_eq!(operate(&mut line, &Operation::Open { account: account() }).await, Ok(()));
    for n in 1..100 {
        let done = operate(&mut line, &Operation::Credit { order: n.into(), count: n, amount: 100 }).await;
        if done.is_err() {
            assert_eq!(done, Err(vec![0x90, 4]));
            assert_eq!(line.read(1, 0x0106, 4).await, [0, 100 * (n - 1), n - 1, 1]);
            return;
        }
    }
    panic!("the disk never was full");
}

#[test]
fn a_state_path_that_is_not_a_file_is_refused() {
    let (mut config, _) = config();
    config.state_file = Some("/dev/zero".into());
    let started = tokio::runtime::Runtime::new().unwrap().block_on(start(config));
    let Err(error) = started else { panic!("started") };
    assert_eq!(error.to_string(), "state file /dev/zero: not a regular file");
}

#[tokio::test]
async fn a_meter_with_line_faults_still_saves_its_state() {
    let directory = tempfile::tempdir().unwrap();
    let (mut first, _) = config();
    first.state_file = Some(directory.path().join("state"));
    let simulator = start(first).await.unwrap();
    let mut line = Line::to(simulator.addresses()[0]).await;
    let pdu = line.seal(2, FrameVersion::Aes, &Operation::Credit { order: 6, count: 2, amount: 100 }).await;
    simulator.meter(0, 2).unwrap().fault(LineFault::LostAnswer, 1.0).unwrap();
    line.send(1, 2, &pdu).await;
    assert_eq!(line.rest().await, (vec![], false));
    simulator.stop().await;
    let (mut second, _) = config();
    second.state_file = Some(directory.path().join("state"));
    let simulator = start(second).await.unwrap();
    let mut line = Line::to(simulator.addresses()[0]).await;
    assert_eq!(line.ask(2, &read(0x0108, 1)).await, [3, 2, 0, 2]);
}
