//! Feeding a decoder byte by byte, for the fuzzing of several decoders.

use crate::decoding::{OutOfStep, Progress};

/// Feeds a decoder as a connection does: exactly the bytes that it says are missing. Gives what it took and what it said; `None`
/// where it wanted more than there is.
pub fn feed<T>(input: &[u8], decode: impl Fn(&[u8]) -> Result<Progress<T>, OutOfStep>) -> Option<(&[u8], Result<T, OutOfStep>)> {
    let mut taken = 0;
    loop {
        match decode(&input[..taken]) {
            Err(OutOfStep) => return Some((&input[..taken], Err(OutOfStep))),
            Ok(Progress::Whole(whole)) => return Some((&input[..taken], Ok(whole))),
            Ok(Progress::More(missing)) => {
                assert!((1..=260).contains(&missing), "{missing} bytes more are longer than any frame");
                taken += missing;
                assert!(taken <= 280, "no frame is that long");
                if taken > input.len() {
                    return None;
                }
            }
        }
    }
}
