//! Answers of gateways, read with a bound.

use super::channel::ChannelError;

/// An answer is a few kilobytes; more than this is not read.
const MAX_ANSWER: usize = 64 * 1024;

/// The body of an answer.
///
/// # Errors
/// Where it is cut off or too long.
pub async fn body(mut response: reqwest::Response) -> Result<Vec<u8>, ChannelError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > MAX_ANSWER {
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
