//! What happens at the modem: delivery reports are kept, and residents who write are answered.

use aws_lc_rs::digest::{SHA256, digest};
use model::ids::{NotificationId, Uuid};
use model::notification::{NotificationChannel, NotificationKind, NotificationReceipt, NotificationValues, PhoneNumber};
use model::text_request::{TextOutcome, TextRequest};
use model::time::HOUR;
use modem::pdu::{Address, Body, Deliver, DeliveryStatus, Incoming, MOST_PARTS, Reference, StatusReport};
use modem::{Event, Received};
use notify::delivery_reports::{self, HandedOver};
use notify::received_texts::{self, HandledText, ReceivedPart, ResidentByNumber};
use tokio::sync::mpsc;

use super::Context;
use super::notifications::NotificationsService;
use super::residents::ResidentService;

/// A message that is this old, because the modem was off, is not answered any more.
const ANSWERED_WITHIN: i64 = HOUR;

pub struct TextRequests {
    pub context: Context,
    pub residents: ResidentService,
    pub notifications: NotificationsService,
    /// Where residents top up.
    pub top_up_link: String,
    pub replies_per_hour: i64,
}

/// A message that is whole.
struct WholeText {
    text: String,
    /// Of a long message: what its parts share.
    reference: Option<String>,
}

impl TextRequests {
    /// Until the modem's task ends.
    pub async fn run(self, mut events: mpsc::Receiver<Event>) {
        while let Some(event) = events.recv().await {
            if let Err(error) = self.take(event).await {
                // A message stays on the SIM and comes again; of a report only the mark in the list is missing.
                tracing::error!(error = &error as &dyn std::error::Error, "modem.event_not_stored");
            }
        }
    }

    /// Stores an event. A message that was received is confirmed to the modem afterwards.
    pub async fn take(&self, event: Event) -> store::Result<()> {
        let (db, now) = (&self.context.db, self.context.now());
        match event {
            Event::Sent { tag, part, parts, to, reference } => {
                let notification = NotificationId(Uuid::from_u128(tag));
                let part = HandedOver { notification, part, parts, address: &to, reference };
                delivery_reports::keep_part(db, now, &part).await
            }
            Event::Report(report) => self.report(&report).await,
            Event::Received(Received { pdu, message, stored }) => {
                match message {
                    Ok(deliver) => self.receive(&pdu, &deliver).await?,
                    Err(error) => {
                        tracing::warn!(%error, "modem.unreadable_message");
                        self.handle("", &pdu, &WholeText { text: String::new(), reference: None }, None, false).await?;
                    }
                }
                // Where the modem has given up waiting, it hands the message over again.
                let _ = stored.send(());
                Ok(())
            }
        }
    }

    async fn report(&self, report: &StatusReport) -> store::Result<()> {
        let receipt = match report.status {
            DeliveryStatus::Pending => return Ok(()),
            DeliveryStatus::Delivered => NotificationReceipt::Delivered,
            DeliveryStatus::Undelivered => NotificationReceipt::Undelivered,
        };
        let (number, now) = (number(&report.to), self.context.now());
        let is_known = delivery_reports::keep_report(&self.context.db, now, (&number, report.reference), receipt).await?;
        tracing::debug!(reference = report.reference, receipt = receipt.as_str(), is_known, "modem.report");
        Ok(())
    }

    async fn receive(&self, pdu: &str, deliver: &Deliver) -> store::Result<()> {
        let sender = number(&deliver.from);
        let resident = received_texts::resident_by_number(&self.context.db, &sender).await?;
        // Strangers' parts are not kept.
        let whole = match resident {
            Some(_) => self.whole(&sender, pdu, deliver).await?,
            None => Some(WholeText { text: text_of(deliver), reference: None }),
        };
        let Some(whole) = whole else { return Ok(()) };
        let fingerprint = format!("{sender} {} {}", deliver.at.0, whole.text);
        let is_late = self.context.now().since(deliver.at) > ANSWERED_WITHIN;
        self.handle(&sender, &fingerprint, &whole, resident.as_ref(), is_late).await
    }

    /// Joins the parts of a long message; `None` while some are missing.
    async fn whole(&self, sender: &str, pdu: &str, deliver: &Deliver) -> store::Result<Option<WholeText>> {
        let Some(parts) = deliver.data.concatenation.filter(|concatenation| concatenation.parts > 1) else {
            return Ok(Some(WholeText { text: text_of(deliver), reference: None }));
        };
        // Nobody asks for anything at such length.
        if usize::from(parts.parts) > MOST_PARTS {
            return Ok(Some(WholeText { text: String::new(), reference: None }));
        }
        let reference = match parts.reference {
            Reference::Eight(reference) => format!("8 {reference} {}", parts.parts),
            Reference::Sixteen(reference) => format!("16 {reference} {}", parts.parts),
        };
        let part = ReceivedPart { sender, reference: &reference, part: parts.part, parts: parts.parts, pdu };
        let kept = received_texts::keep_part(&self.context.db, self.context.now(), &part).await?;
        Ok(kept.map(|pdus| {
            // A pair that the phone has cut in two becomes one character again.
            let units: Vec<u16> = pdus.iter().flat_map(|pdu| units(pdu)).collect();
            WholeText { text: String::from_utf16_lossy(&units), reference: Some(reference) }
        }))
    }

    async fn handle(
        &self,
        number: &str,
        fingerprint: &str,
        whole: &WholeText,
        resident: Option<&ResidentByNumber>,
        is_late: bool,
    ) -> store::Result<()> {
        let request = TextRequest::read(&whole.text);
        let reply = match resident {
            Some(resident) => self.reply(request, resident).await?,
            None => None,
        };
        let key = hex::encode(digest(&SHA256, fingerprint.as_bytes()));
        let text = HandledText { key: &key, number, reference: whole.reference.as_deref(), request, resident, is_late, reply };
        let Context { db, rng, .. } = &self.context;
        let Some(outcome) = received_texts::handle(db, rng, self.context.now(), &text, self.replies_per_hour).await? else {
            return Ok(());
        };
        let user = resident.map(|resident| resident.user_id.to_string()).unwrap_or_default();
        tracing::info!(request = request.as_str(), outcome = outcome.as_str(), user, "modem.text_received");
        if outcome == TextOutcome::Answered {
            self.notifications.requests(NotificationChannel::Sms).notify_one();
        }
        Ok(())
    }

    async fn reply(
        &self,
        request: TextRequest,
        resident: &ResidentByNumber,
    ) -> store::Result<Option<(NotificationKind, NotificationValues)>> {
        Ok(match request {
            TextRequest::Balance => self.residents.outlook(resident.user_id).await?.map(|outlook| {
                let (room, since) = (outlook.room, outlook.observed_at);
                let values = NotificationValues { room, since, ..NotificationValues::default() };
                (NotificationKind::ReplyBalance, NotificationValues { balance: outlook.balance, count: outlook.days, ..values })
            }),
            TextRequest::Stop => Some((NotificationKind::ReplyStop, NotificationValues::default())),
            TextRequest::TopUp => {
                let values = NotificationValues { subject: self.top_up_link.clone(), ..NotificationValues::default() };
                Some((NotificationKind::ReplyTopUp, values))
            }
            TextRequest::Other => None,
        })
    }
}

/// As residents' numbers are stored; whatever else sends messages as it is.
fn number(address: &Address) -> String {
    let text = address.text();
    text.parse::<PhoneNumber>().map_or(text, |number| number.to_string())
}

fn text_of(deliver: &Deliver) -> String {
    match &deliver.data.body {
        Body::Text(units) => String::from_utf16_lossy(units),
        Body::Octets(_) => String::new(),
    }
}

fn units(pdu: &str) -> Vec<u16> {
    match Incoming::parse(pdu) {
        Ok(Incoming::Deliver(deliver)) => match deliver.data.body {
            Body::Text(units) => units,
            Body::Octets(_) => Vec::new(),
        },
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_in_one_form() {
        let international = Address::International("8613800138000".to_owned());
        assert_eq!(number(&international), "13800138000");
        assert_eq!(number(&Address::National("13800138000".to_owned())), "13800138000");
        assert_eq!(number(&Address::National("10086".to_owned())), "10086");
        assert_eq!(number(&Address::Name("Bank".to_owned())), "Bank");
    }
}
