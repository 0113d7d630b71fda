//! Reads HTTP response bodies with a size limit.

use std::time::Duration;

use super::channel::ChannelError;
use super::unpack::MAX_PACKED_BYTES;

/// API responses are a few kilobytes.
const MAX_RESPONSE_BYTES: usize = 64 * 1024;

/// Statements are large, and the channel may make them during the request.
pub const STATEMENT_TIMEOUT: Duration = Duration::from_secs(60);

/// Refuses an error status before anything of the body is looked at: it would only be called malformed or unsigned.
///
/// # Errors
/// [`ChannelError::Status`].
pub fn successful(response: reqwest::Response) -> Result<reqwest::Response, ChannelError> {
    let status = response.status();
    if status.is_success() { Ok(response) } else { Err(ChannelError::Status(status.as_u16())) }
}

/// Reads the body of an API response.
///
/// # Errors
/// [`ChannelError::Unreachable`] if the connection breaks, [`ChannelError::InvalidResponse`] if it is too long.
pub async fn body(response: reqwest::Response) -> Result<Vec<u8>, ChannelError> {
    read_bounded(MAX_RESPONSE_BYTES, response).await
}

/// Reads a compressed statement file.
///
/// # Errors
/// As [`body`].
pub async fn file(response: reqwest::Response) -> Result<Vec<u8>, ChannelError> {
    read_bounded(MAX_PACKED_BYTES, response).await
}

async fn read_bounded(limit: usize, mut response: reqwest::Response) -> Result<Vec<u8>, ChannelError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > limit {
            return Err(ChannelError::InvalidResponse("a body that is too long"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Removes the URL from the error, because it may contain a secret or a signature.
pub fn unreachable(error: reqwest::Error) -> ChannelError {
    ChannelError::Unreachable(error.without_url())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_statuses_are_told_before_the_body_is_read() {
        // As nginx before a gateway answers.
        let page = |status: u16| {
            let text = format!("<html>\r\n<head><title>{status}</title></head>\r\n<body>nginx</body>\r\n</html>\r\n");
            reqwest::Response::from(http::Response::builder().status(status).body(text).unwrap())
        };
        for status in [302, 404, 500, 502, 503] {
            let error = successful(page(status)).unwrap_err();
            assert!(matches!(error, ChannelError::Status(told) if told == status), "{error:?}");
            assert_eq!(error.to_string(), format!("the channel answered with HTTP {status}"));
        }
        assert!(successful(page(200)).is_ok());
    }
}
