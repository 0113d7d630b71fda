//! Processing of secured frames: the order of checks, the money rule, the lock.

use model::meter::ControlMode;
use model::time::SECOND;

use super::*;
use crate::estate::{MeterPlan, OpenAccount};
use crate::journal::{BY_COMMAND, RecordKind};
use crate::status;
use domain::bcd::BcdTime;
use domain::operation::{DayTable, Limits, Operation, PlanEntry, Slot};
use meters::frame::{FrameVersion, Header, seal, seal_body};

fn keys() -> MasterKeys {
    MasterKeys { enc: [1; 16], mac: [2; 16], aes: [3; 32] }
}

/// Account open, epoch 1, count 1, 100 yuan.
fn meter() -> Meter {
    let number = "1000000000000001".parse().unwrap();
    let account = Some(OpenAccount { number, epoch: 1, count: 1, order: 7, cumulative: 10_000, remaining: 10_000 });
    Meter::new(&MeterPlan { account, ..MeterPlan::new(1, 0, 2) }, Timestamp(0))
}

fn header(meter: &Meter) -> Header {
    Header { epoch: meter.wallet.epoch, challenge: meter.mailbox.challenge(), frame_number: 1 }
}

fn send(meter: &mut Meter, operation: &Operation) -> FrameResult {
    let frame = seal(&keys(), FrameVersion::Aes, &header(meter), meter.serial, operation).unwrap();
    let challenge = meter.mailbox.challenge();
    let effect = receive(meter, &keys(), &frame, Timestamp(0)).unwrap();
    assert_eq!(effect, FrameEffect::Changed);
    assert_ne!(meter.mailbox.challenge(), challenge, "a frame that passes changes the challenge, whatever its result");
    assert_eq!(meter.mailbox.last[0], operation.code());
    FrameResult::from_code(meter.mailbox.last[1]).unwrap()
}

#[test]
fn money_rule() {
    let credit = |order, count, amount| Operation::Credit { order, count, amount };
    let debit = |order, count, amount| Operation::Debit { order, count, amount };
    let mut meter = meter();
    // Columns: command, result, and the wallet afterwards.
    let table = [
        (credit(8, 1, 500), FrameResult::Count, (1, 10_000, 10_000)),
        (credit(8, 3, 500), FrameResult::Count, (1, 10_000, 10_000)),
        (credit(8, 0, 500), FrameResult::Count, (1, 10_000, 10_000)),
        (credit(8, 2, 500), FrameResult::Done, (2, 10_500, 10_500)),
        (credit(8, 2, 500), FrameResult::AlreadyApplied, (2, 10_500, 10_500)),
        (credit(9, 2, 500), FrameResult::Count, (2, 10_500, 10_500)),
        (credit(8, 2, 501), FrameResult::Count, (2, 10_500, 10_500)),
        (debit(8, 2, 500), FrameResult::Count, (2, 10_500, 10_500)),
        (debit(9, 3, 10_501), FrameResult::Exceeds, (2, 10_500, 10_500)),
        (debit(9, 3, 10_500), FrameResult::Done, (3, 0, 0)),
        (debit(9, 3, 10_500), FrameResult::AlreadyApplied, (3, 0, 0)),
        (credit(10, 4, u32::MAX), FrameResult::Range, (3, 0, 0)),
        (credit(10, 4, i32::MAX as u32), FrameResult::Done, (4, i32::MAX, i32::MAX)),
        (credit(11, 5, 1), FrameResult::Range, (4, i32::MAX, i32::MAX)),
    ];
    for (operation, result, wallet) in table {
        assert_eq!(send(&mut meter, &operation), result, "{operation:?}");
        assert_eq!((meter.wallet.count, meter.wallet.remaining, meter.wallet.cumulative), wallet, "{operation:?}");
    }
    assert_eq!(meter.wallet.order, 10);
}

#[test]
fn hoarding_limit_applies_to_the_amount_after_the_credit() {
    let mut meter = meter();
    meter.limits.hoarding = 10_500;
    assert_eq!(send(&mut meter, &Operation::Credit { order: 8, count: 2, amount: 501 }), FrameResult::Hoarding);
    assert_eq!(send(&mut meter, &Operation::Credit { order: 8, count: 2, amount: 500 }), FrameResult::Done);
}

#[test]
fn closing_empties_the_wallet_and_opening_starts_an_epoch() {
    let mut meter = meter();
    let (account, other) = ("1000000000000002".parse().unwrap(), "1000000000000003".parse().unwrap());
    assert_eq!(send(&mut meter, &Operation::Open { account }), FrameResult::AlreadyOpen);
    let close = Operation::Close { order: 9, count: 2 };
    assert_eq!(send(&mut meter, &close), FrameResult::Done);
    let records: Vec<_> = meter.journal.records().map(|r| (r.kind, r.cause, r.amount, r.count, r.remaining)).collect();
    assert_eq!(records, [(RecordKind::RelayOpened, BY_COMMAND, 0, 2, 0), (RecordKind::Close, 0, 10_000, 2, 0)]);
    assert_eq!(send(&mut meter, &close), FrameResult::NotOpen, "a repeated close");
    assert_eq!((meter.wallet.account, meter.wallet.remaining, meter.wallet.count), (None, 0, 2));

    assert_eq!(send(&mut meter, &Operation::Open { account: other }), FrameResult::Done);
    assert_eq!((meter.wallet.epoch, meter.wallet.count, meter.wallet.account), (2, 0, Some(other)));
    assert!(!meter.relay.closed(), "nothing remains yet");
    // The last command of the old epoch is not "already applied" in the new one.
    assert_eq!(send(&mut meter, &Operation::Close { order: 9, count: 0 }), FrameResult::Count);
    assert_eq!(send(&mut meter, &Operation::Credit { order: 10, count: 1, amount: 1 }), FrameResult::Done);
    let newest = meter.journal.records().next().unwrap();
    assert_eq!((newest.kind, newest.cause, meter.relay.closed()), (RecordKind::RelayClosed, status::ARREARS, true));
}

#[test]
fn mode_and_switch_move_the_relay_by_command() {
    let mut meter = meter();
    for (operation, closed) in [
        (Operation::UserSwitch(false), false),
        (Operation::SetMode(ControlMode::Guaranteed), true),
        (Operation::SetMode(ControlMode::ForcedOff), false),
        (Operation::SetMode(ControlMode::Prepaid), false),
        (Operation::UserSwitch(true), true),
    ] {
        assert_eq!(send(&mut meter, &operation), FrameResult::Done);
        assert_eq!(meter.relay.closed(), closed, "{operation:?}");
    }
    assert!(meter.journal.records().all(|record| record.cause == BY_COMMAND));
    assert_eq!(meter.parameter_version, 0);
}

#[test]
fn setting_the_mode_releases_trips() {
    let mut meter = meter();
    (meter.overload, meter.malignant) = (true, true);
    meter.apply_relay_rule(None);
    assert_eq!(send(&mut meter, &Operation::SetMode(ControlMode::Prepaid)), FrameResult::Done);
    assert!(meter.relay.closed() && !meter.overload && !meter.malignant);
}

#[test]
fn parameters_raise_their_version_and_are_recorded() {
    let mut meter = meter();
    let limits = Limits { alarm1: 3_000, alarm2: 1_000, overdraft: 500, hoarding: 0, overload_w: 2_500 };
    let clock = BcdTime::from_bytes([0x26, 0x11, 0x23, 0x12, 0, 0]).unwrap();
    assert_eq!(send(&mut meter, &Operation::SetLimits(limits)), FrameResult::Done);
    assert_eq!(send(&mut meter, &Operation::SetPrices { standby: true, prices: [9; 4] }), FrameResult::Done);
    assert_eq!(send(&mut meter, &Operation::SetClock(clock)), FrameResult::Done);
    assert_eq!((meter.limits, meter.tariff.standby, meter.bcd_clock()), (limits, Some([9; 4]), clock.bytes()));
    assert_eq!(meter.parameter_version, 2, "the clock is no parameter");
    let causes: Vec<u8> = meter.journal.records().filter(|r| r.kind == RecordKind::Parameter).map(|r| r.cause).collect();
    assert_eq!(causes, [0x08, 0x07]);
}

#[test]
fn empty_tables_and_plans_clear_what_was_there() {
    let mut meter = meter();
    let valley: DayTable = vec![Slot { rate: 4, hour: 0, minute: 0 }].try_into().unwrap();
    let plan = Operation::SetDatePlan(vec![PlanEntry { month: 1, day: 1, table: 1 }]);
    assert_eq!(send(&mut meter, &Operation::SetDayTable { table: 1, slots: valley.clone() }), FrameResult::Done);
    assert_eq!(send(&mut meter, &plan), FrameResult::Done);
    assert_eq!(meter.tariff.rate(meter.local()), 4);
    assert_eq!(send(&mut meter, &Operation::SetDayTable { table: 1, slots: DayTable::default() }), FrameResult::Done);
    assert_eq!(meter.tariff.rate(meter.local()), 3, "a plan that names an empty table is flat all day");
    assert_eq!(send(&mut meter, &Operation::SetDayTable { table: 1, slots: valley }), FrameResult::Done);
    assert_eq!(send(&mut meter, &Operation::SetDatePlan(Vec::new())), FrameResult::Done);
    assert_eq!((meter.tariff.rate(meter.local()), meter.parameter_version), (3, 5));
}

#[test]
fn opening_and_closing_end_mode_switch_and_trips() {
    let taken = |meter: &Meter| (meter.mode, meter.switched_off, meter.overload, meter.malignant, meter.relay.closed());
    for mode in [ControlMode::Guaranteed, ControlMode::ForcedOff] {
        let mut meter = meter();
        let limits = Limits { alarm1: 3_000, alarm2: 1_000, overdraft: 500, hoarding: 0, overload_w: 2_500 };
        assert_eq!(send(&mut meter, &Operation::SetLimits(limits)), FrameResult::Done);
        let upset = |meter: &mut Meter| {
            (meter.mode, meter.switched_off, meter.overload, meter.malignant) = (mode, true, true, true);
            meter.apply_relay_rule(None);
        };
        upset(&mut meter);
        assert_eq!(send(&mut meter, &Operation::Close { order: 9, count: 2 }), FrameResult::Done);
        assert_eq!(taken(&meter), (ControlMode::Prepaid, false, false, false, false), "a closed account opens the relay");
        upset(&mut meter);
        let account = "1000000000000003".parse().unwrap();
        assert_eq!(send(&mut meter, &Operation::Open { account }), FrameResult::Done);
        assert_eq!(taken(&meter), (ControlMode::Prepaid, false, false, false, true), "the overdraft supplies it");
        assert_eq!(meter.limits, limits, "limits stay");
    }
}

#[test]
fn the_purchase_count_ends() {
    let mut meter = meter();
    meter.wallet.count = u16::MAX - 1;
    let credit = |order, count| Operation::Credit { order, count, amount: 1 };
    assert_eq!(send(&mut meter, &credit(8, u16::MAX)), FrameResult::Done);
    for count in [0, 1, u16::MAX] {
        assert_eq!(send(&mut meter, &credit(9, count)), FrameResult::Count);
        assert_eq!(send(&mut meter, &Operation::Close { order: 10, count }), FrameResult::Count);
    }
}

#[test]
fn a_close_in_overdraft_records_the_debt() {
    let mut meter = meter();
    meter.wallet.remaining = -250;
    assert_eq!(send(&mut meter, &Operation::Close { order: 9, count: 2 }), FrameResult::Done);
    let record = meter.journal.records().find(|record| record.kind == RecordKind::Close).unwrap();
    assert_eq!((record.amount, record.remaining), (-250, 0));
}

#[test]
fn a_power_cut_keeps_memory_and_renews_the_mailbox() {
    let mut meter = meter();
    assert_eq!(send(&mut meter, &Operation::Credit { order: 8, count: 2, amount: 500 }), FrameResult::Done);
    let before = meter.clone();
    meter.restart();
    assert_ne!(meter.mailbox.challenge(), before.mailbox.challenge());
    assert_eq!(meter.mailbox.last, [0; 2]);
    assert_eq!((&meter.wallet, &meter.journal), (&before.wallet, &before.journal));
    assert_eq!(send(&mut meter, &Operation::Credit { order: 8, count: 2, amount: 500 }), FrameResult::AlreadyApplied);
}

#[test]
fn worn_memory_loses_a_write_after_its_answer() {
    let mut meter = meter();
    meter.lost_writes = 1;
    let (wallet, challenge) = (meter.wallet.clone(), meter.mailbox.challenge());
    let credit = Operation::Credit { order: 8, count: 2, amount: 500 };
    let frame = seal(&keys(), FrameVersion::Aes, &header(&meter), meter.serial, &credit).unwrap();
    assert_eq!(receive(&mut meter, &keys(), &frame, Timestamp(0)), Ok(FrameEffect::Changed));
    assert_eq!((&meter.wallet, meter.mailbox.last), (&wallet, [0; 2]));
    assert_ne!(meter.mailbox.challenge(), challenge);
    assert_eq!(send(&mut meter, &credit), FrameResult::Done);
}

#[test]
fn checks_are_made_in_order() {
    let credit = Operation::Credit { order: 8, count: 2, amount: 1 };
    for version in [FrameVersion::Tdes, FrameVersion::Aes] {
        let mut meter = meter();
        let good = header(&meter);
        let stale = Header { challenge: [0; 4], ..good };
        let wrong_epoch = Header { epoch: 9, ..stale };
        let serial = meter.serial;
        let wrong_serial = [&[0x99; 6][..], &[7; 8]].concat();
        let bad_fields = [&serial.bytes()[..], &[7; 8]].concat();
        let cases = [
            (seal(&keys(), version, &wrong_epoch, serial, &credit), FrameResult::Epoch, FrameEffect::Refused),
            (seal(&keys(), version, &stale, serial, &credit), FrameResult::Challenge, FrameEffect::Refused),
            (seal_body(&keys(), version, &good, serial, 5, wrong_serial), FrameResult::Serial, FrameEffect::Changed),
        ];
        for (frame, result, effect) in cases {
            assert_eq!(receive(&mut meter, &keys(), &frame.unwrap(), Timestamp(0)), Ok(effect));
            assert_eq!(meter.mailbox.last[1], result as u8);
            assert_eq!(meter.mailbox.challenge() == good.challenge, effect == FrameEffect::Refused);
        }
        let now = header(&meter);
        let frame = seal_body(&keys(), version, &now, serial, 5, bad_fields).unwrap();
        assert_eq!(receive(&mut meter, &keys(), &frame, Timestamp(0)), Ok(FrameEffect::Changed));
        assert_eq!(meter.mailbox.last, [5, FrameResult::Range as u8]);
        // The same frame again: its challenge is used up.
        assert_eq!(receive(&mut meter, &keys(), &frame, Timestamp(0)), Ok(FrameEffect::Refused));
        assert_eq!(meter.mailbox.last, [5, FrameResult::Challenge as u8]);
        assert_eq!(meter.wallet.remaining, 10_000);
    }
}

#[test]
fn unannounced_versions_are_rejected() {
    let mut meter = meter();
    meter.versions = 0b01;
    let frame = seal(&keys(), FrameVersion::Aes, &header(&meter), meter.serial, &Operation::UserSwitch(true)).unwrap();
    assert_eq!(receive(&mut meter, &keys(), &frame, Timestamp(0)), Err(Exception::IllegalValue));
    assert_eq!(receive(&mut meter, &keys(), &[], Timestamp(0)), Err(Exception::IllegalValue));
    assert_eq!(receive(&mut meter, &keys(), &[1; 20], Timestamp(0)), Err(Exception::IllegalValue));
    assert_eq!(meter.mailbox.last, [0; 2]);
}

#[test]
fn five_bad_macs_within_a_minute_lock_the_mailbox() {
    let mut meter = meter();
    let at = |seconds| Timestamp(seconds * SECOND);
    let mut bad = vec![0; 24];
    (bad[0], bad[1]) = (1, 2);
    // At most four within any minute do not lock it.
    for seconds in [0, 20, 40, 59, 61, 81] {
        assert_eq!(receive(&mut meter, &keys(), &bad, at(seconds)), Ok(FrameEffect::Refused), "{seconds}");
        assert_eq!(meter.mailbox.last, [2, FrameResult::Mac as u8]);
    }
    assert_eq!(receive(&mut meter, &keys(), &bad, at(82)), Ok(FrameEffect::Refused));
    let good = seal(&keys(), FrameVersion::Aes, &header(&meter), meter.serial, &Operation::UserSwitch(true)).unwrap();
    assert_eq!(receive(&mut meter, &keys(), &good, at(83)), Err(Exception::Busy));
    assert_eq!(receive(&mut meter, &keys(), &good, at(141)), Err(Exception::Busy));
    assert_eq!(receive(&mut meter, &keys(), &good, at(142)), Ok(FrameEffect::Changed));
}
