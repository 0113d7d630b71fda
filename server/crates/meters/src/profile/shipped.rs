//! Every built-in profile against register contents of its meter.

use std::collections::HashMap;

use model::energy::Energy;
use model::meter::Wallet;

use super::{Area, Profile, Profiles, ReadRequest};
use crate::codec::DecodedValues;
use crate::profile::MeterField;
use domain::meter_records::JournalKind;
use domain::meter_state::{Measurement, MeterStatus, PlainStatus};

/// Registers of a meter; unlisted ones hold a pattern that differs from any expected value.
struct Image(HashMap<(Area, u16), u16>);

impl Image {
    fn new(parts: &[(Area, u16, &[u16])]) -> Self {
        let each = |&(area, address, words): &(Area, u16, &[u16])| {
            words.iter().zip(address..).map(|(&word, at)| ((area, at), word)).collect::<Vec<_>>()
        };
        Self(parts.iter().flat_map(each).collect())
    }

    fn answer(&self, read: &ReadRequest) -> Vec<u16> {
        let word = |at| self.0.get(&(read.area, at)).copied().unwrap_or(0xdead);
        (read.address..read.address + read.count).map(word).collect()
    }
}

fn profile(name: &str) -> std::sync::Arc<Profile> {
    Profiles::load(None).unwrap().get(name).unwrap()
}

fn values(profile: &Profile, image: &Image) -> DecodedValues {
    let mut values = DecodedValues::default();
    for read in &profile.plan.whole {
        values.decode_block(profile, read, &image.answer(read)).unwrap();
    }
    values
}

fn reading(name: &str, parts: &[(Area, u16, &[u16])]) -> (Measurement, PlainStatus) {
    let profile = profile(name);
    let values = values(&profile, &Image::new(parts));
    match values.meter_status(profile.abilities.wallet).unwrap() {
        MeterStatus::Plain(plain) => (values.measurement().unwrap(), plain),
        MeterStatus::Wallet(_) => panic!("a plain meter"),
    }
}

fn float(value: f32) -> [u16; 2] {
    let bits = value.to_bits();
    [(bits >> 16) as u16, bits as u16]
}

#[test]
fn built_in_profiles_are_loaded() {
    let names: Vec<String> = Profiles::load(None).unwrap().iter().map(|profile| profile.name.clone()).collect();
    for name in [
        "acrel-ddsy1352",
        "acrel-dtsy1352",
        "chint-ddsu666",
        "eastron-sdm320y",
        "eastron-sdm530y",
        "generic-float",
        "generic-integer",
        "hiking-dds238",
        "rpp",
    ] {
        assert!(names.iter().any(|other| other == name), "{name} of {names:?}");
    }
}

/// 1234.56 kWh of which 12.34 in spike; 220.5 V, 12.34 A, -2 W, 2.721 kVA, power factor 1.
const ACREL: [u16; 17] = [1, 0xe240, 0, 1_234, 0, 0, 1, 0xdd6e, 0, 0, 9_999, 2_205, 1_234, 0xfffe, 7, 2_721, 1_000];

#[test]
fn acrel_ddsy1352() {
    let parts = |forced| [(Area::Holding, 0, &ACREL[..]), (Area::Holding, 0x57, forced)];
    let (measured, plain) = reading("acrel-ddsy1352", &parts(&[1, 1]));
    assert_eq!((measured.total, measured.reverse), (Energy(1_234_560), None));
    assert_eq!(measured.rates, Some([12_340, 0, 1_222_220, 0].map(Energy)));
    assert_eq!((measured.voltage_dv, measured.current_ca, measured.power_w), (Some(2_205), Some(1_234), Some(-2)));
    assert_eq!((measured.reactive_var, measured.apparent_va, measured.power_factor), (None, Some(2_721), Some(1_000)));
    assert_eq!(plain.relay_closed, Some(false));
    assert_eq!(reading("acrel-ddsy1352", &parts(&[1, 0])).1.relay_closed, Some(true));
    assert_eq!(reading("acrel-ddsy1352", &parts(&[0, 1])).1.relay_closed, None, "not forced: the meter decides");
}

#[test]
fn acrel_dtsy1352() {
    let (measured, plain) = reading("acrel-dtsy1352", &[(Area::Holding, 0, &ACREL[..10]), (Area::Holding, 0x57, &[1, 0])]);
    assert_eq!((measured.total, measured.power_w, plain.relay_closed), (Energy(1_234_560), None, Some(true)));
}

#[test]
fn acrel_time_of_use_tables_match_the_manual() {
    use domain::operation::{DayTable, PlanEntry, Slot};
    let profile = profile("acrel-ddsy1352");
    let tables = profile.time_of_use.as_ref().unwrap();
    let slots = vec![Slot { rate: 4, hour: 0, minute: 0 }, Slot { rate: 2, hour: 8, minute: 30 }];
    let (address, words) = tables.day_table(2, &DayTable::try_from(slots).unwrap()).unwrap();
    assert_eq!((address, words.len()), (0x201b, 21));
    assert_eq!(words[..4], [0x0400, 0x0002, 0x1e08, 0], "rate, minute, hour");
    let (address, words) = tables.date_plan(&[PlanEntry { month: 7, day: 1, table: 2 }]).unwrap();
    assert_eq!((address, words), (0x2000, vec![0x0701, 0x0200, 0, 0, 0, 0]));
    assert_eq!(tables.date_plan(&[PlanEntry { month: 7, day: 1, table: 2 }; 5]), None);
}

#[test]
fn hiking_dds238() {
    // 42.00 kWh, 0.30 of it exported; 231.2 V, 0.55 A, -127 W, 3 var, power factor 0.998.
    let registers = [0, 4_200, 0, 0, 0, 0, 0, 0, 0, 30, 0, 4_170, 2_312, 55, 0xff81, 3, 998, 5_001];
    let (measured, plain) = reading("hiking-dds238", &[(Area::Holding, 0, &registers), (Area::Holding, 0x1a, &[0])]);
    assert_eq!((measured.total, measured.reverse), (Energy(42_000), Some(Energy(300))));
    assert_eq!((measured.voltage_dv, measured.current_ca, measured.power_w), (Some(2_312), Some(55), Some(-127)));
    assert_eq!((measured.reactive_var, measured.power_factor, measured.rates), (Some(3), Some(998), None));
    assert_eq!(plain, PlainStatus { relay_closed: Some(false), ..PlainStatus::default() });
}

#[test]
fn eastron_sdm320y() {
    let mut instant = vec![0; 32];
    // The manual's own example: 43 66 33 34 is 230.2.
    instant[..2].copy_from_slice(&[0x4366, 0x3334]);
    instant[6..8].copy_from_slice(&float(5.255));
    instant[12..14].copy_from_slice(&float(1_209.6));
    instant[30..32].copy_from_slice(&float(0.9996));
    let parts: [(Area, u16, &[u16]); 7] = [
        (Area::Input, 0, &instant),
        (Area::Input, 0x4a, &float(0.26)),
        (Area::Input, 0x156, &float(9_876.54)),
        (Area::Holding, 0xfc00, &[0x0134, 0x5678]),
        (Area::Holding, 0xfbfe, &[1]),
        (Area::Holding, 0xfc04, &float(0.6177)),
        (Area::Holding, 0xfc16, &[0x4120, 0, 0x40a0, 0, 0, 0]),
    ];
    let (measured, plain) = reading("eastron-sdm320y", &parts);
    assert_eq!((measured.total, measured.reverse), (Energy(9_876_540), Some(Energy(260))));
    assert_eq!((measured.voltage_dv, measured.current_ca, measured.power_w), (Some(2_302), Some(526), Some(1_210)));
    assert_eq!(measured.power_factor, Some(1_000));
    assert_eq!((plain.relay_closed, plain.relay_fault), (None, Some(true)));

    let profile = profile("eastron-sdm320y");
    let image = Image::new(&parts);
    assert_eq!(values(&profile, &image).serial().unwrap().unwrap().to_string(), "000020207224");
    let mut settings = DecodedValues::default();
    for read in crate::planner::requests(&profile, MeterField::SETTINGS) {
        settings.decode_block(&profile, &read, &image.answer(&read)).unwrap();
    }
    // The manual's example: 41 20 00 00, 40 A0 00 00 are 10 and 5 yuan.
    assert_eq!(
        [MeterField::Alarm1, MeterField::Alarm2, MeterField::Overdraft].map(|field| settings.get(field)),
        [Some(1_000), Some(500), Some(0)]
    );
    assert_eq!(settings.get(MeterField::Price), Some(6_177));
}

#[test]
fn eastron_journals() {
    let profile = profile("eastron-sdm320y");
    let [recharges, switches] = profile.journals.as_slice() else { panic!("two journals") };
    assert_eq!(recharges.reads(60).nth(49), Some(ReadRequest { area: Area::Holding, address: 0x06ea, count: 5 }));
    assert_eq!(switches.reads(60).nth(49), Some(ReadRequest { area: Area::Holding, address: 0x0888, count: 4 }));
    // The manual's example: FF 00, 18 07 16 13 12 20 is off, 2018-07-16 13:12:20.
    let record = DecodedValues::decode_record(&profile, switches, &[0xff00, 0x1807, 0x1613, 0x1220]).unwrap();
    assert_eq!(switches.kind_of(record.get(MeterField::Kind).unwrap()), Some(JournalKind::RelayOpened));
    let at = model::time::Timestamp(i64::try_from(record.get(MeterField::When).unwrap()).unwrap());
    assert_eq!(at.to_string(), "2018-07-16 13:12:20");
    let [high, low] = float(49.99);
    let record = DecodedValues::decode_record(&profile, recharges, &[high, low, 0x1807, 0x1613, 0x1220]).unwrap();
    assert_eq!(record.get(MeterField::Amount), Some(4_999));
}

#[test]
fn eastron_sdm530y() {
    let floats = [231.0, 232.0, 233.0, 1.0, 2.0, 3.0, 100.4, 200.4, -50.0, 101.0, 201.0, 51.0, 5.0, 5.0, 5.0];
    let instant: Vec<u16> = floats.into_iter().flat_map(float).collect();
    let mut energies = vec![0; 14];
    energies[..2].copy_from_slice(&float(-0.75));
    energies[12..].copy_from_slice(&float(1.5));
    let (measured, plain) = reading(
        "eastron-sdm530y",
        &[
            (Area::Input, 0, &instant),
            (Area::Input, 0x3e, &energies),
            (Area::Input, 0x156, &float(100.0)),
            (Area::Holding, 0xfc00, &[0, 1]),
            (Area::Holding, 0xfbfe, &[0]),
        ],
    );
    assert_eq!((measured.voltage_dv, measured.current_ca), (Some(2_310), Some(100)), "the first phase");
    assert_eq!(
        (measured.power_w, measured.apparent_va, measured.reactive_var),
        (Some(250), Some(353), Some(15)),
        "sums of the phases"
    );
    assert_eq!((measured.power_factor, measured.reverse, measured.total), (Some(-750), Some(Energy(1_500)), Energy(100_000)));
    assert_eq!(plain.relay_fault, Some(false));
}

#[test]
fn instruments() {
    let mut instant = [0; 16];
    instant[..2].copy_from_slice(&float(229.87));
    instant[4..6].copy_from_slice(&float(-0.1274));
    let mut energy = [0; 12];
    energy[..2].copy_from_slice(&float(3.21));
    energy[10..].copy_from_slice(&float(0.01));
    let (measured, plain) = reading("chint-ddsu666", &[(Area::Holding, 0x2000, &instant), (Area::Holding, 0x4000, &energy)]);
    assert_eq!((measured.total, measured.reverse), (Energy(3_210), Some(Energy(10))));
    assert_eq!((measured.voltage_dv, measured.power_w), (Some(2_299), Some(-127)));
    assert_eq!(plain, PlainStatus::default());

    let (measured, _) = reading("generic-float", &[(Area::Holding, 0, &float(77.5))]);
    assert_eq!((measured.total, measured.voltage_dv), (Energy(77_500), None));
    let (measured, _) = reading("generic-integer", &[(Area::Holding, 0, &[1, 0])]);
    assert_eq!(measured.total, Energy(655_360));
}

#[test]
fn all_types_in_both_word_orders() {
    let text = include_str!("../../profiles/generic-integer.toml");
    let total = |kind: &str, step: &str, order: &str, words: &[u16]| {
        let registers = words.len().to_string();
        let text = text
            .replace("registers = 2", &format!("registers = {registers}"))
            .replace("max_registers = 2", "max_registers = 4")
            .replace("type = \"u32\", step = 10", &format!("type = \"{kind}\", step = {step}, word_order = \"{order}\""));
        let profile = Profile::parse("a.toml", &text).unwrap();
        let mut values = DecodedValues::default();
        let read = profile.plan.whole.first().unwrap();
        values
            .decode_block(&profile, read, words)
            .map(|()| values.measurement().map(|measured| measured.total.0))
            .and_then(|read| read)
            .ok()
    };
    assert_eq!(total("u16", "10", "high", &[0xffff]), Some(655_350));
    assert_eq!(total("i16", "10", "high", &[0xffff]), Some(-10));
    assert_eq!(total("u32", "1", "high", &[1, 2]), Some(65_538));
    assert_eq!(total("u32", "1", "low", &[1, 2]), Some(131_073));
    assert_eq!(total("i32", "\"1/10\"", "low", &[0xfff6, 0xffff]), Some(-1));
    assert_eq!(total("u64", "1", "low", &[4, 3, 2, 0]), Some(8_590_131_204));
    assert_eq!(total("i64", "1", "high", &[0xffff, 0xffff, 0xffff, 0xfffe]), Some(-2));
    assert_eq!(total("f32", "1000", "low", &[0x3334, 0x4366]), Some(230_200));
    assert_eq!(total("f32", "1000", "high", &[0x7fc0, 0]), None, "not a number");
    assert_eq!(total("f64", "1000", "high", &[0x3ff8, 0, 0, 0]), Some(1_500));
    assert_eq!(total("bcd4", "1", "high", &[0x1234]), Some(1_234));
    assert_eq!(total("bcd8", "10", "low", &[0x5678, 0x1234]), Some(123_456_780));
    assert_eq!(total("bcd8", "10", "high", &[0x123a, 0]), None, "not a digit");
}

#[test]
fn profiles_name_sources_and_match_their_abilities() {
    for profile in Profiles::load(None).unwrap().iter() {
        assert!(profile.source.iter().all(|source| source.len() > 10), "{}", profile.name);
        assert!(profile.secured.is_some() || !profile.unknown.is_empty(), "{} knows everything?", profile.name);
        assert_eq!(profile.abilities.wallet == Wallet::Meter, profile.secured.is_some());
    }
}
