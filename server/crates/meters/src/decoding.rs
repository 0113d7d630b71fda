//! How a gateway carries the meters' frames.

/// What the bytes that came so far are. A reader takes exactly what is missing, so nothing behind a frame is ever swallowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress<T> {
    /// The begin of an answer; at least so many bytes are missing.
    More(usize),
    /// A whole answer, and not a byte more.
    Whole(T),
}

/// What came is not the answer to what was asked: it may answer something else, so nothing on the connection can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what came is not the answer to what was asked")]
pub struct OutOfStep;
