//! How answers are checked while they are received.

/// What the bytes received so far are. A reader takes exactly the bytes that are missing, and so none of what follows a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress<T> {
    /// The beginning of an answer; at least so many bytes are missing.
    More(usize),
    /// A whole answer without a byte more.
    Whole(T),
}

/// What was received does not answer the request. It may answer another one, so nothing on the connection can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what was received does not answer the request")]
pub struct OutOfStep;
