//! Money over the wire, in both versions of the secured frame.

use domain::operation::{DayTable, Operation, PlanEntry, Slot};
use meters::frame::FrameVersion;
use model::meter::ControlMode;

use super::line::Line;
use super::site;

/// Unit 1 announces version 1 only, unit 2 both.
const WAYS: [(u8, FrameVersion); 3] = [(1, FrameVersion::Tdes), (2, FrameVersion::Tdes), (2, FrameVersion::Aes)];

#[tokio::test]
async fn a_credit_sent_repeatedly_is_applied_once() {
    for (unit, version) in WAYS {
        let (simulator, _) = site().await;
        let mut line = Line::to(simulator.addresses()[0]).await;
        let credit = Operation::Credit { order: 0x1122_3344_5566_7788, count: 2, amount: 2_550 };
        let results = [line.operate(unit, version, &credit).await, line.operate(unit, version, &credit).await];
        assert_eq!(results, [0, 1]);
        let block = line.read(unit, 0x0100, 38).await;
        assert_eq!((block[5], block[7], block[8]), (12_550, 12_550, 2));
        assert_eq!(block[19..23], [0x1122, 0x3344, 0x5566, 0x7788]);
        let journal = line.read(unit, 0x0300, 10).await;
        assert_eq!(journal, [1, 0x0100, 0x2611, 0x2300, 0, 0, 2_550, 2, 0, 12_550]);
    }
}

#[tokio::test]
async fn replayed_frames_are_stale_and_flipped_bits_are_refused() {
    for (unit, version) in WAYS {
        let (simulator, _) = site().await;
        let mut line = Line::to(simulator.addresses()[0]).await;
        let mut pdu = line.seal(unit, version, &Operation::Credit { order: 6, count: 2, amount: 100 }).await;
        assert_eq!(line.ask(unit, &pdu).await, pdu[..5]);
        assert_eq!(line.ask(unit, &pdu).await, pdu[..5]);
        assert_eq!(line.read(unit, 0x0112, 1).await, [0x0209]);
        pdu[20] ^= 0x10;
        assert_eq!(line.ask(unit, &pdu).await, pdu[..5]);
        assert_eq!(line.read(unit, 0x0112, 1).await, [0x0205]);
        assert_eq!(line.read(unit, 0x0104, 5).await, [0, 10_100, 0, 10_100, 2]);
    }
}

#[tokio::test]
async fn five_bad_frames_lock_the_mailbox() {
    let (simulator, clock) = site().await;
    let mut line = Line::to(simulator.addresses()[0]).await;
    let mut bad = line.seal(2, FrameVersion::Aes, &Operation::UserSwitch(false)).await;
    *bad.last_mut().unwrap() ^= 1;
    for _ in 0..5 {
        assert_eq!(line.ask(2, &bad).await, bad[..5]);
    }
    assert_eq!(line.ask(2, &bad).await, [0x90, 6]);
    clock.advance(60_000);
    assert_eq!(line.operate(2, FrameVersion::Aes, &Operation::UserSwitch(false)).await, 0);
}

#[tokio::test]
async fn an_account_goes_from_opening_to_closure() {
    for (unit, version) in WAYS {
        let (simulator, _) = site().await;
        let mut line = Line::to(simulator.addresses()[0]).await;
        let account = "2000000000000009".parse().unwrap();
        for (operation, result) in [
            (Operation::Open { account }, 7),
            (Operation::Close { order: 6, count: 2 }, 0),
            (Operation::Credit { order: 7, count: 3, amount: 1 }, 6),
            (Operation::Open { account }, 0),
            (Operation::Credit { order: 8, count: 1, amount: 5_000 }, 0),
            (Operation::Debit { order: 9, count: 2, amount: 1_000 }, 0),
            (Operation::SetMode(ControlMode::ForcedOff), 0),
        ] {
            assert_eq!(line.operate(unit, version, &operation).await, result, "{operation:?}");
        }
        let block = line.read(unit, 0x0100, 38).await;
        assert_eq!((block[3], block[5], block[7], block[8], block[9]), (0b1000_0010, 4_000, 4_000, 2, 2));
        assert_eq!(block[27..31], [0x2000, 0, 0, 0x0009]);
    }
}

#[tokio::test]
async fn parameter_tables_can_be_written_and_read_back() {
    let (simulator, _) = site().await;
    let mut line = Line::to(simulator.addresses()[0]).await;
    let slots = [(4, 0, 0), (1, 18, 30)].map(|(rate, hour, minute)| Slot { rate, hour, minute });
    let slots = DayTable::try_from(slots.to_vec()).unwrap();
    let plan = Operation::SetDatePlan(vec![PlanEntry { month: 1, day: 1, table: 2 }]);
    assert_eq!(line.operate(2, FrameVersion::Aes, &Operation::SetDayTable { table: 2, slots }).await, 0);
    assert_eq!(line.operate(2, FrameVersion::Aes, &plan).await, 0);
    let tables = line.read(2, 0x2000, 48).await;
    assert_eq!((&tables[..2], &tables[27..31]), (&[0x0101, 0x0200][..], &[0x0400, 0x0001, 0x121e, 0][..]));
    assert_eq!((line.read(2, 0x010c, 1).await, line.read(2, 0x0118, 1).await), (vec![4], vec![2]));
}
