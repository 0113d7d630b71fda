//! Gateways of each framing against the simulator: RTU and DL/T 645 mixed on one bus, and Modbus over TLS.

use std::io::Write;
use std::sync::Arc;

use domain::bcd::BcdTime;
use domain::clock::TestClock;
use domain::framing::Framing;
use domain::meter_state::{MeterStatus, PlainStatus};
use domain::rng::Rng;
use domain::serial::Serial;
use meters::config::Config;
use meters::directory::Meter;
use meters::dlt645::{Answer, Credentials, Dlt645Request, Refusal};
use meters::driver;
use meters::keys::MasterKeys;
use meters::link::{Carrier, Link, LinkError, LinkState, Priority, Target, Tls, TlsSettings};
use meters::profile::Profiles;
use model::energy::Energy;
use model::ids::{GatewayId, MeterId};
use model::time::{Date, HOUR};
use simulator::{Estate, LineFault, Load, MeterPlan, MeterView, Simulator};
use tokio_util::sync::{CancellationToken, DropGuard};

use story_support::fingerprint;

/// The password of the simulated meters.
const PASSWORD: &str = "02563412";

/// One gateway; unit 1 is a reference meter, unit 2 speaks DL/T 645. Each draws 1 kW; time stands still until it is moved.
struct Site {
    simulator: Simulator,
    profiles: Profiles,
    plans: Vec<MeterPlan>,
}

/// A link that is stopped when dropped.
struct Connection(Link, #[expect(dead_code, reason = "its end stops the link")] DropGuard);

impl Site {
    async fn start(framing: Framing) -> Self {
        let mut estate = Estate::uniform(7, 1, 2);
        let gateway = &mut estate.gateways[0];
        gateway.framing = framing;
        if framing == Framing::Transparent {
            gateway.meters[1] = gateway.meters[1].clone().plain("dlt645");
        }
        gateway.meters[0] = gateway.meters[0].clone().in_use(10_000);
        let plans = gateway.meters.clone();
        let keys = MasterKeys { enc: [1; 16], mac: [2; 16], aes: [3; 32] };
        let clock = TestClock::new(Date::from_ymd(2026, 11, 23).unwrap().start());
        let config = simulator::Config { clock, load: Load::Constant { watts: 1_000 }, ..simulator::Config::new(estate, keys) };
        let simulator = simulator::start(config).await.unwrap();
        Self { simulator, profiles: Profiles::load(None).unwrap(), plans }
    }

    fn connect(&self, carrier: Carrier, password: &str) -> Connection {
        let dlt645 = Credentials { password: password.into(), ..Credentials::default() };
        let config = Config { request_timeout_ms: 500, late_ms: 100, baud: 0, dlt645, ..Config::default() };
        let target = Target::dialled("127.0.0.1".into(), self.simulator.addresses()[0].port(), carrier);
        let stop = CancellationToken::new();
        let (link, _) = Link::start(target, Arc::new(config), Rng::from_seed([1; 32]), stop.clone());
        Connection(link, stop.drop_guard())
    }

    fn meter(&self, unit: u8, connection: &Connection) -> Meter {
        let plan = &self.plans[usize::from(unit) - 1];
        Meter {
            id: MeterId(uuid::Uuid::nil()),
            room: "301".into(),
            gateway: GatewayId(uuid::Uuid::nil()),
            unit,
            serial: plan.serial,
            profile: self.profiles.get(&plan.profile).unwrap(),
            sweep_interval_ms: 0,
            link: connection.0.clone(),
            poll: tokio::sync::mpsc::unbounded_channel().0,
        }
    }

    fn view(&self, unit: u8) -> MeterView {
        self.simulator.meter(0, unit).unwrap().view().unwrap()
    }

    async fn reading(&self, meter: &Meter) -> driver::Reading {
        driver::read(meter, Priority::Sweep, &self.simulator.clock()).await.unwrap()
    }

    async fn plain(&self, meter: &Meter) -> PlainStatus {
        match driver::meter_status(meter, Priority::Sweep, &self.simulator.clock()).await.unwrap().0 {
            MeterStatus::Plain(plain) => plain,
            MeterStatus::Wallet(_) => panic!("no wallet"),
        }
    }
}

#[tokio::test]
async fn a_transparent_gateway_mixes_rtu_and_dlt645_by_meter() {
    let site = Site::start(Framing::Transparent).await;
    site.simulator.advance(5 * HOUR).await.unwrap();
    let connection = site.connect(Carrier::Transparent, "");
    let (rtu, dlt645) = (site.meter(1, &connection), site.meter(2, &connection));
    for _ in 0..3 {
        let (reading, truth) = (site.reading(&rtu).await, site.view(1));
        assert_eq!(reading.measurement.total, Energy::from_centi_kwh(truth.total));
        assert_eq!(reading.meter_status.wallet().unwrap().serial, truth.serial);

        let (reading, truth) = (site.reading(&dlt645).await, site.view(2));
        let measured = reading.measurement;
        assert_eq!((measured.total, measured.total), (Energy::from_centi_kwh(truth.total), Energy(5_000)));
        assert_eq!((measured.reverse, measured.power_w), (Some(Energy(0)), Some(1_000)));
        assert_eq!(measured.rates.unwrap().into_iter().fold(Energy(0), |sum, rate| sum + rate), measured.total);
        assert!(measured.voltage_dv.is_some() && measured.current_ca.is_some() && measured.power_factor.is_some());
        let MeterStatus::Plain(plain) = reading.meter_status else { panic!("no wallet") };
        assert_eq!((plain.relay_closed, plain.clock), (Some(true), Some(truth.clock)));
        assert!(plain.remaining.is_some() && plain.count.is_some());
    }
}

#[tokio::test]
async fn a_dlt645_relay_needs_the_password_and_is_read_back() {
    let site = Site::start(Framing::Transparent).await;
    for (password, error) in [("", LinkError::NoPassword), ("02000000", LinkError::Refused(Refusal::Error(0x04)))] {
        let connection = site.connect(Carrier::Transparent, password);
        assert_eq!(driver::switch(&site.meter(2, &connection), Priority::Relay, false).await, Err(error));
        assert!(site.view(2).relay_closed);
    }
    let connection = site.connect(Carrier::Transparent, PASSWORD);
    let meter = site.meter(2, &connection);
    for closed in [false, true] {
        driver::switch(&meter, Priority::Relay, closed).await.unwrap();
        assert_eq!(site.view(2).relay_closed, closed);
        assert_eq!(site.plain(&meter).await.relay_closed, Some(closed));
    }
}

#[tokio::test]
async fn dlt645_midnight_freezes_are_read_with_their_days() {
    let site = Site::start(Framing::Transparent).await;
    let connection = site.connect(Carrier::Transparent, "");
    let meter = site.meter(2, &connection);
    assert_eq!(driver::freeze(&meter, Priority::Sweep).await.unwrap(), []);
    for _ in 0..3 {
        site.simulator.advance(24 * HOUR).await.unwrap();
    }
    let frozen = driver::freeze(&meter, Priority::Sweep).await.unwrap();
    let day = |day| Date::from_ymd(2026, 11, day).unwrap();
    let seen: Vec<(Date, Energy)> = frozen.iter().map(|frozen| (frozen.day, frozen.total)).collect();
    assert_eq!(seen, [(day(26), Energy(72_000)), (day(25), Energy(48_000)), (day(24), Energy(24_000))]);
}

#[tokio::test]
async fn a_broadcast_sets_all_clocks_of_a_bus_unanswered() {
    let site = Site::start(Framing::Transparent).await;
    site.simulator.advance(10 * HOUR).await.unwrap();
    let connection = site.connect(Carrier::Transparent, "");
    let time = site.simulator.clock().now().plus(90_000);
    let request = Dlt645Request::Time(BcdTime::from_timestamp(time).unwrap());
    assert_eq!(connection.0.dlt645(Priority::Settings, request).await, Ok(Answer::Done));
    assert_eq!(site.view(2).clock, time);
    assert_eq!(site.plain(&site.meter(2, &connection)).await.clock, Some(time), "and the bus is in step");
}

#[tokio::test]
async fn a_disturbed_answer_is_dropped_and_the_next_is_correct() {
    let site = Site::start(Framing::Transparent).await;
    let connection = site.connect(Carrier::Transparent, "");
    for unit in [1, 2] {
        let (meter, handle) = (site.meter(unit, &connection), site.simulator.meter(0, unit).unwrap());
        for fault in
            [LineFault::BadCheck, LineFault::CutMidFrame, LineFault::WrongUnit, LineFault::ShortAnswer, LineFault::Silent]
        {
            handle.fault(fault, 1.0).unwrap();
            assert!(driver::read(&meter, Priority::Sweep, &site.simulator.clock()).await.is_err(), "{fault:?} of unit {unit}");
            handle.heal().unwrap();
            let reading = site.reading(&meter).await;
            assert_eq!(reading.measurement.total, Energy::from_centi_kwh(site.view(unit).total), "after {fault:?}");
        }
    }
}

#[tokio::test]
async fn dlt645_is_refused_over_modbus_tcp() {
    let site = Site::start(Framing::ModbusTcp).await;
    let connection = site.connect(Carrier::Tcp, "");
    let meter: Serial = site.plans[1].serial;
    let asked = connection.0.dlt645(Priority::Sweep, Dlt645Request::Read { meter, di: 0 }).await;
    assert_eq!(asked, Err(LinkError::NotCarried));
    assert!(connection.0.read(Priority::Sweep, 1, 0, 2).await.is_ok(), "and the connection stays");
}

#[tokio::test]
async fn modbus_over_tls_trusts_only_an_authority_or_a_fingerprint() {
    let site = Site::start(Framing::ModbusTls).await;
    let pem = site.simulator.certificate().unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(pem.as_bytes()).unwrap();
    let authority = TlsSettings { ca_file: Some(file.path().into()), ..TlsSettings::default() };
    let pin = fingerprint(pem);
    let other = "00".repeat(32);
    for (settings, name, pin, trusted) in [
        (&authority, "localhost", None, true),
        (&authority, "gateway.example", None, false),
        (&TlsSettings::default(), "localhost", None, false),
        (&TlsSettings::default(), "gateway.example", Some(&pin), true),
        (&authority, "localhost", Some(&other), false),
    ] {
        let connection = site.connect(Carrier::Tls(Tls::new(settings, name, pin.map(String::as_str)).unwrap()), "");
        if trusted {
            let reading = site.reading(&site.meter(1, &connection)).await;
            assert_eq!(reading.meter_status.wallet().unwrap().serial, site.plans[0].serial);
        } else {
            connection.0.state().wait_for(|&state| state == LinkState::Down).await.unwrap();
        }
    }
}
