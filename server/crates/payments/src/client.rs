//! The HTTP client for a channel's gateway.

use std::sync::Arc;

use reqwest::{Method, RequestBuilder, Response};

use super::channel::ChannelError;
use super::health::Health;
use super::response_body::unreachable;
use domain::clock::SharedClock;

/// Notes in the channel's health what the gateway's clock says.
#[derive(Clone)]
pub struct GatewayClient {
    http: reqwest::Client,
    clock: SharedClock,
    health: Arc<Health>,
}

impl GatewayClient {
    #[must_use]
    pub fn new(http: reqwest::Client, clock: SharedClock) -> Self {
        Self { http, clock, health: Arc::default() }
    }

    #[must_use]
    pub fn health(&self) -> &Health {
        &self.health
    }

    pub fn get(&self, address: impl reqwest::IntoUrl) -> RequestBuilder {
        self.http.get(address)
    }

    pub fn post(&self, address: impl reqwest::IntoUrl) -> RequestBuilder {
        self.http.post(address)
    }

    pub fn request(&self, method: Method, address: impl reqwest::IntoUrl) -> RequestBuilder {
        self.http.request(method, address)
    }

    /// # Errors
    /// [`ChannelError::Unreachable`].
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, ChannelError> {
        let response = request.send().await.map_err(unreachable)?;
        self.health.answered(self.clock.now(), response.headers());
        Ok(response)
    }
}
