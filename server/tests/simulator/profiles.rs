//! Every profile over real frames: what driver and link read of a simulated meter is what that meter says.

use std::sync::Arc;

use domain::clock::{SharedClock, TestClock};
use domain::meter_state::MeterStatus;
use domain::rng::Rng;
use meters::config::Config;
use meters::directory::Meter;
use meters::driver::{self, Reading};
use meters::link::{Carrier, Link, Priority, Target};
use meters::profile::{MeterField, Profile, Profiles, Protocol};
use model::ids::{GatewayId, MeterId};
use model::meter::Wallet;
use simulator::{Defect, GatewayPlan, Load, MeterPlan, Simulator, start};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{config, monday};

/// A meter of a profile and the server's link to it.
struct Bench {
    simulator: Simulator,
    clock: Arc<TestClock>,
    meter: Meter,
    stop: CancellationToken,
}

impl Bench {
    async fn new(profiles: &Profiles, profile: &Arc<Profile>) -> Self {
        let (mut config, clock) = config();
        let mut plan = MeterPlan::new(7, 0, 1);
        if profile.abilities.wallet != Wallet::Meter {
            plan = plan.plain(profile.name.clone());
        }
        plan.energy = 123_456;
        let serial = plan.serial;
        config.estate.gateways = vec![GatewayPlan { meters: vec![plan], ..GatewayPlan::default() }];
        config.profiles = Some(profiles.clone());
        config.load = Load::Constant { watts: 1_500 };
        let simulator = start(config).await.unwrap();
        let address = simulator.addresses()[0];
        let (stop, rng) = (CancellationToken::new(), Rng::from_seed([5; 32]));
        let settings = Arc::new(Config { baud: 0, ..Config::default() });
        let target = Target::dialled(address.ip().to_string(), address.port(), Carrier::Tcp);
        let (link, _) = Link::start(target, settings, rng, stop.clone());
        let (poll, _) = tokio::sync::mpsc::unbounded_channel();
        let (id, gateway) = (MeterId(Uuid::from_u128(1)), GatewayId(Uuid::from_u128(2)));
        let profile = Arc::clone(profile);
        let meter = Meter { id, room: "301".into(), gateway, unit: 1, serial, profile, sweep_interval_ms: 0, link, poll };
        Self { simulator, clock, meter, stop }
    }

    async fn read(&self) -> Reading {
        let clock: SharedClock = self.clock.clone();
        let name = &self.meter.profile.name;
        driver::read(&self.meter, Priority::Sweep, &clock).await.unwrap_or_else(|error| panic!("{name}: {error:?}"))
    }

    /// Compares what was read with the simulator's own values.
    async fn compare(&self) {
        let (profile, view) = (&self.meter.profile, self.simulator.meter(0, 1).unwrap().view().unwrap());
        let Reading { measurement: m, meter_status, .. } = self.read().await;
        let name = &profile.name;
        // Our units in one count of the field, which is the resolution of the meter.
        let count = |field| {
            let value = profile.values().find(|value| value.field == field)?;
            Some((value.step.numerator / value.step.denominator).max(1))
        };
        let same = |field, read: i64, truth: i64, what: &str| {
            assert!((read - truth).abs() < count(field).unwrap_or(1).max(2), "{name}: {what} {read} is {truth}");
        };
        let forward = i64::from(view.total) * 10;
        same(MeterField::Total, m.total.0, forward, "total");
        if let Some(reverse) = m.reverse {
            same(MeterField::Reverse, reverse.0, i64::from(view.reverse) * 10, "reverse");
        }
        for rate in m.rates.iter().flatten().skip(2).take(1) {
            same(MeterField::Flat, rate.0, forward, "rate 3");
        }
        for (field, read, truth) in
            [(MeterField::Power, m.power_w, view.watts), (MeterField::Voltage, m.voltage_dv.map(i32::from), 2_200)]
        {
            assert_eq!(read.is_some(), profile.has(field), "{name}: {field:?}");
            read.into_iter().for_each(|read| same(field, read.into(), truth.into(), &format!("{field:?}")));
        }
        match meter_status {
            MeterStatus::Wallet(state) => {
                assert_eq!((state.serial, state.status.relay_closed()), (view.serial, view.relay_closed))
            }
            MeterStatus::Plain(plain) => {
                assert_eq!(
                    plain.relay_closed,
                    profile.has(MeterField::RelayClosed).then_some(view.relay_closed),
                    "{name}: relay"
                );
                assert_eq!(plain.clock, profile.has(MeterField::Clock).then_some(view.clock), "{name}: clock");
                assert!(plain.relay_fault.is_none_or(|fault| !fault), "{name}: relay fault");
            }
        }
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn modbus(profiles: &Profiles) -> impl Iterator<Item = &Arc<Profile>> {
    profiles.iter().filter(|profile| profile.protocol == Protocol::Modbus)
}

#[tokio::test]
async fn every_shipped_profile_reads_its_meter_correctly() {
    let profiles = Profiles::load(None).unwrap();
    for profile in modbus(&profiles) {
        let bench = Bench::new(&profiles, profile).await;
        bench.compare().await;
        bench.clock.advance(3_600_000);
        bench.compare().await;
    }
}

#[tokio::test]
async fn every_relay_is_switched_by_its_profile() {
    let profiles = Profiles::load(None).unwrap();
    for profile in modbus(&profiles).filter(|profile| profile.relay.is_some()) {
        let bench = Bench::new(&profiles, profile).await;
        for closed in [false, true, false] {
            driver::switch(&bench.meter, Priority::Relay, closed).await.unwrap();
            assert_eq!(bench.simulator.meter(0, 1).unwrap().view().unwrap().relay_closed, closed, "{}", profile.name);
            bench.compare().await;
        }
        bench.simulator.meter(0, 1).unwrap().defect(Defect::RelayWelded, true).await.unwrap();
        assert!(bench.simulator.meter(0, 1).unwrap().view().unwrap().relay_closed, "{}: welded", profile.name);
        bench.compare().await;
    }
}

#[tokio::test]
async fn only_a_dds238_lets_the_bus_erase_its_counters() {
    let profiles = Profiles::load(None).unwrap();
    for profile in modbus(&profiles).filter(|profile| profile.secured.is_none()) {
        let bench = Bench::new(&profiles, profile).await;
        let total = profile.values().find(|value| value.field == MeterField::Total).unwrap();
        let zeros = vec![0; total.kind.registers().into()];
        let written = bench.meter.link.write(Priority::Sweep, 1, total.address, zeros).await;
        let erased = bench.simulator.meter(0, 1).unwrap().view().unwrap().total == 0;
        let expected = profile.name == "hiking-dds238";
        assert_eq!((written.is_ok(), erased), (expected, expected), "{}", profile.name);
    }
}

#[tokio::test]
async fn every_table_of_a_profile_is_read() {
    let profiles = Profiles::load(None).unwrap();
    for profile in modbus(&profiles) {
        let bench = Bench::new(&profiles, profile).await;
        bench.clock.advance(3 * 86_400_000);
        if profile.relay.is_some() {
            driver::switch(&bench.meter, Priority::Relay, false).await.unwrap();
        }
        let frozen = driver::freeze(&bench.meter, Priority::Sweep).await.unwrap();
        assert_eq!(frozen.len(), if profile.freeze.is_some() { 3 } else { 0 }, "{}", profile.name);
        for (newest, day) in frozen.iter().zip((0..3).rev()) {
            assert_eq!(newest.day.start(), monday().plus((day + 1) * 86_400_000), "{}", profile.name);
        }
        let journal = driver::journal(&bench.meter, Priority::Sweep).await.unwrap();
        let told = profile.relay.is_some() && !profile.journals.is_empty();
        assert_eq!(journal.len(), usize::from(told), "{}", profile.name);
    }
}

#[tokio::test]
async fn every_type_is_read_in_both_word_orders() {
    let dir = tempfile::tempdir().unwrap();
    for order in ["high", "low"] {
        for (kind, step, registers) in [
            ("u32", "10", 2),
            ("i32", "10", 2),
            ("u64", "10", 4),
            ("i64", "1", 4),
            ("f32", "1000", 2),
            ("f64", "1000", 4),
            ("bcd8", "10", 2),
            ("bcd12", "10", 3),
            ("bcd16", "\"1/10\"", 4),
        ] {
            let name = format!("t-{order}-{kind}");
            let text = format!(
                "name = \"{name}\"\ntitle = \"T\"\nsource = [\"made up\"]\nword_order = \"{order}\"\nmax_registers = 20\n\
                 [abilities]\nwallet = \"none\"\n\
                 [[block]]\narea = \"input\"\naddress = 0x0100\nregisters = {registers}\n\
                 values = [{{ field = \"total\", address = 0x0100, type = \"{kind}\", step = {step} }}]\n\
                 [[block]]\naddress = 0x0010\nregisters = 5\n\
                 values = [{{ field = \"power\", address = 0x0010, type = \"i16\", step = \"1/10\" }},\n\
                 {{ field = \"voltage\", address = 0x0011, type = \"bcd4\" }},\n\
                 {{ field = \"clock\", address = 0x0012, type = \"clock\" }}]\n"
            );
            std::fs::write(dir.path().join(format!("{name}.toml")), text).unwrap();
        }
    }
    let profiles = Profiles::load(dir.path().to_str()).unwrap();
    let made: Vec<_> = profiles.iter().filter(|profile| profile.name.starts_with("t-")).collect();
    assert_eq!(made.len(), 18);
    for profile in made {
        let bench = Bench::new(&profiles, profile).await;
        bench.compare().await;
        bench.simulator.meter(0, 1).unwrap().defect(Defect::ReverseEnergy, true).await.unwrap();
        bench.clock.advance(3_600_000);
        let read = bench.read().await.measurement;
        assert_eq!((read.power_w, read.total.0), (Some(-1_500), 1_236_060), "{}", profile.name);
    }
}
