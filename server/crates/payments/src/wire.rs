//! Answers of gateways, read with a bound.

use std::time::Duration;

use super::channel::ChannelError;
use super::unpack::MOST_PACKED;

/// An answer is a few kilobytes; more than this is not read.
const MAX_ANSWER: usize = 64 * 1024;

/// Bills are large, and made while one waits.
pub const BILL_TIMEOUT: Duration = Duration::from_secs(60);

/// The body of an answer.
///
/// # Errors
/// Where it is cut off or too long.
pub async fn body(response: reqwest::Response) -> Result<Vec<u8>, ChannelError> {
    at_most(MAX_ANSWER, response).await
}

/// The file of a bill, as it is packed.
///
/// # Errors
/// As [`body`].
pub async fn file(response: reqwest::Response) -> Result<Vec<u8>, ChannelError> {
    at_most(MOST_PACKED, response).await
}

async fn at_most(most: usize, mut response: reqwest::Response) -> Result<Vec<u8>, ChannelError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > most {
            return Err(ChannelError::Answer("too much"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The address may hold a signature: it does not go into an error's text.
pub fn unreachable(error: reqwest::Error) -> ChannelError {
    ChannelError::Unreachable(error.without_url())
}
