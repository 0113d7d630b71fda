//! The ports where gateways dial in, and what is known of them.

use std::sync::Arc;

use model::gateway::{DialInConnection, PortState, UnknownCaller};
use model::ids::GatewayId;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Bus, GatewayHandle, Shared};
use crate::dial_in::{Acceptor, Registration, any_address, serve as serve_port};
use store::meters::GatewayRow;

impl GatewayHandle {
    /// What dialled in and is no gateway, the newest first.
    #[must_use]
    pub fn unknown_callers(&self) -> Vec<UnknownCaller> {
        self.0.hub.unknown_callers()
    }

    /// How the port where gateways dial in does.
    #[must_use]
    pub fn port_state(&self, port: u16) -> PortState {
        self.0.hub.port_state(port)
    }

    /// The connections of a gateway that dials in since the server started, the newest first.
    #[must_use]
    pub fn connections(&self, gateway: GatewayId) -> Vec<DialInConnection> {
        self.0.hub.connections(gateway)
    }
}

impl Bus {
    pub(super) fn registration(&self) -> Option<Registration> {
        let incoming = self.target.incoming.as_ref()?;
        let (pattern, mailbox) = (incoming.registration.clone(), Arc::clone(&incoming.mailbox));
        Some(Registration { gateway: self.row.id, name: self.row.name.clone(), pattern, mailbox })
    }

    /// Whether the gateway is reached as before. Changed intervals are sent to the running poller.
    pub(super) fn is_reached_by(&self, row: &GatewayRow) -> bool {
        let like = |row: &GatewayRow| GatewayRow { sweep_interval_s: None, code: None, ..row.clone() };
        like(row) == like(&self.row)
    }
}

/// The tasks of the ports where gateways dial in. One that cannot be used is logged; the other gateways are read nevertheless.
pub(super) fn listeners(shared: &Shared) -> Vec<JoinHandle<()>> {
    let config = shared.hub.config();
    let plain = config.listen.iter().map(|&address| (address, Acceptor::default()));
    let tls = match config.tls_listen.is_empty().then(Acceptor::default).map_or_else(|| Acceptor::tls(config), Ok) {
        Ok(acceptor) => config.tls_listen.iter().map(|&address| (address, acceptor.clone())).collect(),
        Err(error) => {
            tracing::error!(%error, "dial-in.no-tls");
            Vec::new()
        }
    };
    let serve = |(address, acceptor)| serve_port(shared.hub.clone(), address, acceptor, shared.stop.clone());
    plain.chain(tls).map(|one| tokio::spawn(serve(one))).collect()
}

/// The port that is set for the site, while it is listened at.
#[derive(Default)]
pub(super) struct SitePort(Option<(u16, CancellationToken)>);

impl SitePort {
    /// Listens at this port, and no more at another one. Connections that are open stay.
    pub(super) fn follow(&mut self, port: Option<u16>, shared: &Shared) {
        if self.0.as_ref().map(|(port, _)| *port) == port {
            return;
        }
        if let Some((_, stop)) = self.0.take() {
            stop.cancel();
        }
        self.0 = port.map(|port| {
            let stop = shared.stop.child_token();
            tokio::spawn(serve_port(shared.hub.clone(), any_address(port), Acceptor::default(), stop.clone()));
            (port, stop)
        });
    }
}
