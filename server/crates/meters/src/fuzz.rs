//! Feeds decoders byte by byte, for fuzzing.

use crate::decoding::{OutOfStep, Progress};

/// Feeds a decoder as a connection does, with exactly the number of bytes that it reports as missing. Returns the bytes consumed
/// and the result; `None` if the input is too short.
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
