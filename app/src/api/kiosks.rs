//! Query machines: what they show before somebody is logged in, how residents log in at them, and which there are.

use async_trait::async_trait;
use leptos::prelude::*;

use super::form::{at, parse};
use super::{ApiError, answer, refuse, show_once};
use crate::link;
use crate::ports::{Visit, Who, anyone, operator, ports, reply, resident, visit};
use model::error::AppError;
use model::ids::Uuid;
use model::kiosk::{KioskLine, KioskScreen};

#[async_trait]
pub trait KiosksPort: Send + Sync {
    /// The machines in service.
    async fn kiosks(&self, who: &Who) -> Result<Vec<KioskLine>, AppError>;
    /// Adds a machine; gives the code of the one-time link that registers its browser.
    async fn add_kiosk(&self, who: &Who, id: Uuid, name: &str) -> Result<String, AppError>;
    async fn retire_kiosk(&self, who: &Who, id: Uuid) -> Result<(), AppError>;
    /// Registers the browser that opened the link; gives the token for its cookie.
    async fn register(&self, code: &str, visit: &Visit) -> Result<String, AppError>;
    /// What a registered machine shows; `address` is that of this server, and `code` that of a log-in that was begun.
    /// [`AppError::Forbidden`] for any other browser, [`AppError::LinkEnded`] for a log-in that has ended.
    async fn screen(&self, visit: &Visit, address: &str, code: Option<&str>) -> Result<KioskScreen, AppError>;
    /// Begins a log-in by QR code; gives its code.
    async fn begin(&self, visit: &Visit) -> Result<String, AppError>;
    /// Opens the session of a log-in that the phone confirmed; gives its token.
    async fn enter(&self, visit: &Visit, code: &str) -> Result<String, AppError>;
    /// Opens a session by a room and the code that a resident's phone shows; gives its token.
    async fn enter_by_code(&self, visit: &Visit, room: &str, code: &str) -> Result<String, AppError>;
    /// At which machine a resident is to confirm a log-in.
    async fn machine(&self, who: &Who, code: &str) -> Result<String, AppError>;
    async fn confirm(&self, who: &Who, code: &str) -> Result<(), AppError>;
    /// Makes the code that a resident types in at a machine.
    async fn make_code(&self, who: &Who) -> Result<String, AppError>;
}

const KIOSK: &str = "/kiosk";
/// Says that the room and the code do not fit.
const WRONG: &str = "/kiosk?wrong=1";
const LIST: &str = "/kiosks";
const CODE: &str = "/me/kiosk";

/// Registers this browser as a query machine. Ends the session of the operator who set it up.
#[server(name = RegisterKiosk, prefix = "/api", endpoint = "kiosk/register")]
pub async fn register_kiosk(code: String) -> Result<(), ApiError> {
    let (ports, reply, visit, who) = (ports()?, reply()?, visit(), anyone());
    let done = async {
        let token = ports.kiosks.register(&code, &visit).await?;
        reply.kiosk(&token);
        // Nothing stays of whoever used this browser before.
        reply.session("");
        reply.known_device("");
        reply.clear_storage();
        if let Ok(who) = who {
            ports.auth.log_out(&who, &visit.session).await?;
        }
        Ok(KIOSK.to_owned())
    };
    answer(done.await, KIOSK)
}

/// Makes this browser an ordinary one again.
#[server(name = LeaveKiosk, prefix = "/api", endpoint = "kiosk/leave")]
pub async fn leave_kiosk() -> Result<(), ApiError> {
    let reply = reply()?;
    reply.kiosk("");
    // A session cookie that was ignored while this was a machine must not count again.
    reply.session("");
    answer(Ok("/login".to_owned()), KIOSK)
}

/// Shows a QR code by which a phone logs its resident in here.
#[server(name = BeginKioskLogIn, prefix = "/api", endpoint = "kiosk/begin")]
pub async fn begin_kiosk_log_in() -> Result<(), ApiError> {
    let (ports, reply, visit) = (ports()?, reply()?, visit());
    let begun = ports.kiosks.begin(&visit).await;
    answer(
        begun.map(|code| {
            // Browsers forget a cookie after a year: this one begins again.
            reply.kiosk(&visit.kiosk);
            link::with(KIOSK, "code", &code)
        }),
        KIOSK,
    )
}

/// Opens the session that a phone confirmed.
#[server(name = EnterKiosk, prefix = "/api", endpoint = "kiosk/enter")]
pub async fn enter_kiosk(code: String) -> Result<(), ApiError> {
    let ports = ports()?;
    opened(ports.kiosks.enter(&visit(), &code).await)
}

/// Opens a session by the room and a code.
#[server(name = EnterKioskByCode, prefix = "/api", endpoint = "kiosk/enter-by-code")]
pub async fn enter_kiosk_by_code(room: String, code: String) -> Result<(), ApiError> {
    let ports = ports()?;
    match ports.kiosks.enter_by_code(&visit(), room.trim(), code.trim()).await {
        Err(AppError::WrongCode) => refuse(WRONG),
        token => opened(token),
    }
}

#[cfg(feature = "ssr")]
fn opened(token: Result<String, AppError>) -> Result<(), ApiError> {
    let reply = reply()?;
    answer(
        token.map(|token| {
            reply.kiosk_session(&token);
            // The person before may not have logged out: the machine was switched off, say.
            reply.clear_storage();
            "/home".to_owned()
        }),
        KIOSK,
    )
}

/// Confirms on the phone that its resident stands at the machine.
#[server(name = ConfirmKiosk, prefix = "/api", endpoint = "resident/confirm-kiosk")]
pub async fn confirm_kiosk(code: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, resident()?);
    let confirmed = ports.kiosks.confirm(&who, &code).await;
    answer(confirmed.map(|()| "/kiosk/confirm?done=1".to_owned()), "/kiosk/confirm")
}

/// Makes a code for a machine and shows it, once.
#[server(name = MakeKioskCode, prefix = "/api", endpoint = "resident/kiosk-code")]
pub async fn make_kiosk_code() -> Result<(), ApiError> {
    let (ports, who) = (ports()?, resident()?);
    show_once(ports.kiosks.make_code(&who).await, CODE)
}

/// Adds a machine and shows its link, once.
#[server(name = AddKiosk, prefix = "/api", endpoint = "operator/kiosks/add")]
pub async fn add_kiosk(key: Uuid, name: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    show_once(at("name", ports.kiosks.add_kiosk(&who, key, name.trim()).await), LIST)
}

/// Takes a machine out of service.
#[server(name = RetireKiosk, prefix = "/api", endpoint = "operator/kiosks/retire")]
pub async fn retire_kiosk(id: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let retired = async { ports.kiosks.retire_kiosk(&who, parse(&id)?).await };
    answer(retired.await.map(|()| LIST.to_owned()), LIST)
}
