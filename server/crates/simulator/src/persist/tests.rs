//! Complete lines survive; a truncated one is dropped.

use model::time::Timestamp;

use super::*;
use crate::estate::MeterPlan;

fn meter(unit: u8, remaining: i32) -> Meter {
    let mut meter = Meter::new(&MeterPlan::new(1, 0, unit), Timestamp(0));
    meter.wallet.remaining = remaining;
    meter
}

const ANCHOR: Anchor = Anchor { wall: Timestamp(1), site: Timestamp(2), speed: 60.0 };

#[tokio::test]
async fn the_last_line_of_a_meter_counts() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state");
    let (file, restored) = StateFile::open(&path).unwrap();
    assert!(restored.meters.is_empty() && restored.anchor.is_none());
    file.append_clock(ANCHOR).await.unwrap();
    for remaining in [1, 2, 3] {
        file.append(0, 7, &meter(7, remaining)).await.unwrap();
    }
    assert!(matches!(StateFile::open(&path), Err(StateError::InUse(_))));
    drop(file);
    let (_file, restored) = StateFile::open(&path).unwrap();
    assert_eq!(restored.anchor, Some(ANCHOR));
    assert_eq!(restored.meters, HashMap::from([((0, 7), meter(7, 3))]));
}

#[tokio::test]
async fn a_truncated_line_is_dropped_and_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state");
    let (file, _) = StateFile::open(&path).unwrap();
    file.append(0, 7, &meter(7, 1)).await.unwrap();
    file.append(0, 7, &meter(7, 2)).await.unwrap();
    drop(file);
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 10]).unwrap();
    let (file, restored) = StateFile::open(&path).unwrap();
    assert_eq!(restored.meters[&(0, 7)].wallet.remaining, 1);
    file.append(0, 7, &meter(7, 3)).await.unwrap();
    drop(file);
    let (_file, restored) = StateFile::open(&path).unwrap();
    assert_eq!(restored.meters[&(0, 7)].wallet.remaining, 3);
}

#[tokio::test]
async fn a_foreign_file_is_unchanged_and_named_with_its_line() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notes.txt");
    std::fs::write(&path, "remember the milk\n").unwrap();
    let error = StateFile::open(&path).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("notes.txt") && error.contains("line 1"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "remember the milk\n");
}

#[tokio::test]
async fn rewriting_keeps_concurrent_lines() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state");
    let (file, _) = StateFile::open(&path).unwrap();
    for remaining in 0..50 {
        file.append(0, 7, &meter(7, remaining)).await.unwrap();
    }
    let before = std::fs::metadata(&path).unwrap().len();
    file.begin_rewriting().await.unwrap();
    file.append(0, 8, &meter(8, 100)).await.unwrap();
    file.rewrite(ANCHOR, &[(0, 7, meter(7, 49))]).await.unwrap();
    file.append(0, 9, &meter(9, 200)).await.unwrap();
    assert!(std::fs::metadata(&path).unwrap().len() < before / 5);
    assert!(matches!(StateFile::open(&path), Err(StateError::InUse(_))), "the new file is locked too");
    drop(file);
    let (_file, restored) = StateFile::open(&path).unwrap();
    let remaining = |unit| restored.meters[&(0, unit)].wallet.remaining;
    assert_eq!((remaining(7), remaining(8), remaining(9)), (49, 100, 200));
    assert_eq!(restored.anchor, Some(ANCHOR));
}
