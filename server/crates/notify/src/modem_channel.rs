//! Text messages through a GSM modem.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::secret::Secret;
use model::ids::NotificationId;
use model::money::Money;
use model::notification::{NotificationChannel, NotificationReason};
use model::time::{HOUR, Timestamp};
use modem::{Config, Modem, Outgoing, SendError, SendFailure, pdu};
use serde::Deserialize;

use crate::channel::{Channel, Message, Pace};
use crate::config::{NotifyConfigError, pace, price};

/// Of so many messages is known which of their parts the network has.
const MOST_BEGUN: usize = 1_000;
/// After so long without a try a message begins anew: a phone shows later parts without the first ones.
const REMEMBERED: i64 = HOUR;
const SPEEDS: [u32; 8] = [9_600, 19_200, 38_400, 57_600, 115_200, 230_400, 460_800, 921_600];

/// A GSM modem on a serial port.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModemConfig {
    pub device: String,
    pub baud: u32,
    /// Of the SIM; empty where it needs none.
    pub pin: Secret,
    /// How long the network keeps a message for a phone that is off.
    pub validity_hours: u32,
    /// Of each part of a message, in yuan.
    pub price: String,
    pub per_minute: i64,
    /// The most answers to one number in an hour; 0 answers nobody.
    pub replies_per_hour: i64,
}

impl Default for ModemConfig {
    fn default() -> Self {
        Self {
            device: String::new(),
            baud: 115_200,
            pin: Secret::default(),
            validity_hours: 24,
            price: "0".to_owned(),
            per_minute: 10,
            replies_per_hour: 6,
        }
    }
}

type PartialSends = HashMap<NotificationId, (usize, Timestamp)>;

pub struct ModemChannel {
    link: ModemLink,
    price: Money,
    pace: Pace,
    /// How many parts of each incomplete message the network has, and when it was tried last.
    begun: Mutex<PartialSends>,
}

/// The modem of a channel, for whoever runs it and answers what it receives. Cheap to clone.
#[derive(Clone)]
pub struct ModemLink {
    pub modem: Modem,
    pub replies_per_hour: i64,
}

impl ModemChannel {
    /// Opens nothing yet.
    ///
    /// # Errors
    /// [`NotifyConfigError`], which names the key.
    pub fn new(config: &ModemConfig) -> Result<Self, NotifyConfigError> {
        let wrong = |key: &str, problem: &str| Err(NotifyConfigError::new(&format!("modem.{key}"), problem));
        let ModemConfig { device, baud, pin, validity_hours, replies_per_hour, .. } = config;
        if device.is_empty() {
            return wrong("device", "is missing: name the serial port, such as /dev/ttyUSB0");
        }
        if !SPEEDS.contains(baud) {
            return wrong("baud", "is no speed of a serial port, such as 115200");
        }
        let is_pin = (4..=8).contains(&pin.expose().len()) && pin.expose().bytes().all(|digit| digit.is_ascii_digit());
        if !pin.expose().is_empty() && !is_pin {
            return wrong("pin", "must have 4 to 8 digits");
        }
        if !(1..=168).contains(validity_hours) {
            return wrong("validity_hours", "must be 1 to 168");
        }
        if !(0..=60).contains(replies_per_hour) {
            return wrong("replies_per_hour", "must be 0 to 60");
        }
        let modem = Modem::new(Config {
            baud: *baud,
            pin: pin.clone(),
            validity: Duration::from_secs(u64::from(*validity_hours) * 3_600),
            ..Config::new(PathBuf::from(device))
        });
        Ok(Self {
            link: ModemLink { modem, replies_per_hour: *replies_per_hour },
            price: price("modem", &config.price)?,
            // There is one port.
            pace: pace("modem", config.per_minute, 1)?,
            begun: Mutex::default(),
        })
    }

    fn begun(&self) -> MutexGuard<'_, PartialSends> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many parts of a message the network has.
    fn accepted(&self, id: NotificationId, at: Timestamp) -> usize {
        let begun = self.begun().get(&id).copied();
        begun.filter(|(_, tried_at)| at.since(*tried_at) < REMEMBERED).map_or(0, |(accepted, _)| accepted)
    }

    fn cost(&self, parts: usize) -> Money {
        Money(self.price.0.saturating_mul(i64::try_from(parts).unwrap_or(i64::MAX)))
    }

    /// Remembers what the network has of a message that is to be tried again.
    fn keep(&self, id: NotificationId, at: Timestamp, result: &Result<(), SendFailure>) {
        let mut begun = self.begun();
        begun.remove(&id);
        if begun.len() >= MOST_BEGUN {
            begun.retain(|_, (_, tried_at)| at.since(*tried_at) < REMEMBERED);
        }
        // Whoever waits for the place of another one sends its first parts twice, which the phone shows once.
        if let Err(SendFailure { accepted, .. }) = result
            && *accepted > 0
            && begun.len() < MOST_BEGUN
        {
            begun.insert(id, (*accepted, at));
        }
    }
}

/// What kept the modem from sending.
const fn reason(error: SendError) -> NotificationReason {
    match error {
        SendError::Number => NotificationReason::BadNumber,
        SendError::Text => NotificationReason::TooLong,
        SendError::NotReady => NotificationReason::Unreachable,
        SendError::Busy(_) => NotificationReason::Busy,
        SendError::Refused(_) => NotificationReason::Refused,
        SendError::Unconfirmed => NotificationReason::Garbage,
    }
}

#[async_trait]
impl Channel for ModemChannel {
    fn channel(&self) -> NotificationChannel {
        NotificationChannel::Sms
    }

    fn pace(&self) -> Pace {
        self.pace
    }

    fn is_ready(&self) -> bool {
        self.link.modem.is_ready()
    }

    fn modem(&self) -> Option<&ModemLink> {
        Some(&self.link)
    }

    fn spent(&self, failed: NotificationId, at: Timestamp) -> Money {
        let parts = self.accepted(failed, at);
        self.begun().remove(&failed);
        self.cost(parts)
    }

    async fn send(&self, message: &Message, at: Timestamp) -> Result<Money, NotificationReason> {
        let parts = pdu::split(&message.text).map_err(|_| NotificationReason::TooLong)?.len();
        let [.., high, low] = *message.id.0.as_bytes();
        let from_part = self.accepted(message.id, at);
        let outgoing = Outgoing {
            tag: message.id.0.as_u128(),
            to: message.address.clone(),
            text: message.text.clone(),
            reference: u16::from_be_bytes([high, low]),
            // A text that became shorter begins anew.
            from_part: if from_part < parts { from_part } else { 0 },
        };
        let result = self.link.modem.send(outgoing).await;
        self.keep(message.id, at, &result);
        result.map_err(|failure| {
            tracing::warn!(notification = %message.id, error = %failure, "modem.not_sent");
            reason(failure.error)
        })?;
        Ok(self.cost(parts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_settings_are_named_without_the_pin() {
        let wrong = |change: fn(&mut ModemConfig)| {
            let mut config = ModemConfig { device: "/dev/ttyUSB0".to_owned(), ..ModemConfig::default() };
            change(&mut config);
            ModemChannel::new(&config).err().map(|error| error.to_string()).unwrap_or_default()
        };
        assert_eq!(wrong(|_| ()), "");
        assert!(wrong(|config| config.device.clear()).starts_with("notify.modem.device"));
        assert!(wrong(|config| config.baud = 1).starts_with("notify.modem.baud"));
        assert_eq!(wrong(|config| config.pin = "12a4".into()), "notify.modem.pin must have 4 to 8 digits");
        assert!(wrong(|config| config.validity_hours = 0).starts_with("notify.modem.validity_hours"));
        assert!(wrong(|config| config.replies_per_hour = -1).starts_with("notify.modem.replies_per_hour"));
        assert!(wrong(|config| config.price = "free".to_owned()).starts_with("notify.modem.price"));
    }

    #[test]
    fn parts_that_the_network_has_are_remembered_until_the_end() {
        let config = ModemConfig { device: "/dev/ttyUSB0".to_owned(), price: "0.05".to_owned(), ..ModemConfig::default() };
        let (channel, id) = (ModemChannel::new(&config).unwrap(), NotificationId(model::ids::Uuid::nil()));
        let at = Timestamp(1_795_600_000_000);
        channel.keep(id, at, &Err(SendFailure { error: SendError::Busy(38), accepted: 2 }));
        assert_eq!((channel.accepted(id, at), channel.accepted(id, at.plus(REMEMBERED))), (2, 0));
        channel.keep(id, at, &Ok(()));
        assert!(channel.begun().is_empty());
        channel.keep(id, at, &Err(SendFailure { error: SendError::Busy(38), accepted: 2 }));
        assert_eq!([(); 2].map(|()| channel.spent(id, at)), [Money(1_000), Money::ZERO], "once");
    }
}
