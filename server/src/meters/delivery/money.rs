//! Opening, credit, debit, closing: exactly once, whatever is lost on the way.

use app::model::money::Fen;
use app::model::time::Timestamp;

use super::{Engine, LOCKED_MS, SENDS, Sent, Step};
use crate::meters::codec::State;
use crate::meters::directory::Meter;
use crate::meters::driver::{self, JournalRecord};
use crate::meters::link::{LinkError, Priority};
use crate::meters::money_rule::{Claimed, Deed, Verdict};
use crate::meters::poller::Control;
use crate::meters::profile::JournalKind;
use crate::meters::recorder::{Event, Source};
use crate::meters::result_code::{Outcome, outcome};
use crate::meters::wish;
use crate::store::StoreError;
use crate::store::commands::Command;
use crate::store::deliveries::{self, note};

/// A frame that was sent in this activation.
struct Frame {
    /// For which challenge.
    challenge: [u8; 4],
    /// The meter said that it took it.
    taken: bool,
}

impl Frame {
    /// Whether the result that the meter shows is this frame's: it took it, or its challenge has moved on.
    fn is_judged_in(&self, seen: &State) -> bool {
        self.taken || self.challenge != seen.challenge
    }
}

/// Why a debit ends without a person: the meter was asked for more than it holds and has said so, or shows it before the first frame
/// was sent. Nothing has moved then; whoever asked chooses a smaller amount.
fn declines(deed: Deed, seen: &State, judged: bool, unsent: bool) -> Option<&'static str> {
    const EXCEEDS: &str = "exceeds-remaining";
    let Deed::Debit { amount, .. } = deed else { return None };
    let said = judged && outcome(seen.last_result) == Outcome::Refused(EXCEEDS);
    let shown = unsent && seen.remaining < Fen(amount.into());
    (said || shown).then_some(EXCEEDS)
}

/// Whether the meter would hold more than it may, with what it shows now; as the meter itself says it.
fn too_much(deed: Deed, seen: &State, limit: Fen) -> Option<String> {
    let Deed::Credit { amount, .. } = deed else { return None };
    let over = limit > Fen::ZERO && seen.remaining + Fen(amount.into()) > limit;
    let why = || serde_json::json!({ "why": "hoarding-limit", "remaining_fen": seen.remaining.0, "limit_fen": limit.0 });
    over.then(|| why().to_string())
}

/// What was left in a meter when it closed its account with this count: only its own journal says it to the fen. The newest such
/// record; an older one is of another epoch.
fn left(journal: &[JournalRecord], count: u16) -> Option<Fen> {
    let record = journal.iter().find(|record| record.what == JournalKind::Close && record.count == Some(count))?;
    Some(record.amount)
}

impl Engine {
    /// Moves one money command as far as it goes now.
    pub(super) async fn money(&self, command: &Command, meter: &Meter) -> Result<Step, StoreError> {
        let Ok(deed) = wish::deed(&command.kind, &command.args) else {
            return self.hold(command, None, r#"{"why":"invalid"}"#.into()).await;
        };
        let Some(claimed) = self.claim(command, deed).await? else {
            return self.hold(command, None, r#"{"why":"no-account"}"#.into()).await;
        };
        let command = &Command { epoch: Some(claimed.epoch.into()), count: Some(claimed.count.into()), ..command.clone() };
        let mut last: Option<Frame> = None;
        for sends in 0.. {
            let (seen, at) = match self.look(meter, Priority::Money).await? {
                Ok(seen) => seen,
                Err(step) => return Ok(step),
            };
            match claimed.judge(&seen) {
                Verdict::Delivered => return self.settle_money(command, meter, &claimed, &seen, at).await,
                Verdict::Stop(why) => return self.hold(command, Some(seen.last_result), why).await,
                Verdict::Send => {}
            }
            let judged = last.as_ref().is_some_and(|frame| frame.is_judged_in(&seen));
            if let Some(why) = declines(deed, &seen, judged, command.attempts == 0 && last.is_none()) {
                return self.refuse(command, judged.then_some(seen.last_result), why).await;
            }
            if judged {
                match outcome(seen.last_result) {
                    Outcome::Refused(why) => return self.refused(command, &seen, why).await,
                    // It says that it was applied and shows that it was not.
                    Outcome::Applied => return self.refused(command, &seen, "contradiction").await,
                    Outcome::Again(why) if sends >= SENDS => return self.refused(command, &seen, why).await,
                    Outcome::Again(_) => {}
                }
            }
            // Two purchases may each have fitted when they were made. What was sent is the meter's to refuse.
            if command.attempts == 0
                && last.is_none()
                && let Some(why) = too_much(deed, &seen, Fen(self.config.hoarding_fen))
            {
                return self.hold(command, None, why).await;
            }
            if sends >= SENDS {
                break;
            }
            match self.send(command, meter, Priority::Money, &seen, &claimed.operation()).await? {
                Some(Sent::Taken) => last = Some(Frame { challenge: seen.challenge, taken: true }),
                Some(Sent::Unknown) => last = Some(Frame { challenge: seen.challenge, taken: false }),
                Some(Sent::Refused(LinkError::Exception(0x06))) => return self.wait_for(meter.id, LOCKED_MS, "busy").await,
                Some(Sent::Refused(LinkError::Exception(_))) => {
                    return self.hold(command, None, r#"{"why":"frame-refused"}"#.into()).await;
                }
                Some(Sent::Refused(_)) => return self.wait(meter.id, note::LOST).await,
                None => return Ok(Step::Ended),
            }
        }
        self.wait(meter.id, note::UNCONFIRMED).await
    }

    /// Epoch and count, as they were claimed before or are claimed now.
    async fn claim(&self, command: &Command, deed: Deed) -> Result<Option<Claimed>, StoreError> {
        let (epoch, count) = match (command.epoch, command.count) {
            (Some(epoch), Some(count)) => (epoch, count),
            _ => match deliveries::claim(&self.db, command).await? {
                Some(claim) => (claim.epoch, claim.count),
                None => return Ok(None),
            },
        };
        let (Ok(epoch), Ok(count)) = (u16::try_from(epoch), u16::try_from(count)) else { return Ok(None) };
        Ok(Some(Claimed { deed, epoch, count }))
    }

    async fn settle_money(
        &self,
        command: &Command,
        meter: &Meter,
        claimed: &Claimed,
        seen: &State,
        at: Timestamp,
    ) -> Result<Step, StoreError> {
        let amount = match claimed.deed {
            Deed::Credit { amount, .. } | Deed::Debit { amount, .. } => Fen(amount.into()),
            Deed::Open(_) => Fen::ZERO,
            Deed::Close { .. } => match driver::journal(meter, Priority::Money).await {
                Ok(journal) => match left(&journal, claimed.count) {
                    Some(left) => left,
                    None => return self.hold(command, None, r#"{"why":"no-final-record"}"#.into()).await,
                },
                Err(error) => return self.unread(meter, error).await,
            },
        };
        let verdict = deliveries::Verdict { state: seen, at, amount, relay_fault: false };
        if let Some(expected) = deliveries::settle(&self.db, &self.rng, command, &verdict).await? {
            tracing::info!(meter = %meter.id, kind = command.kind, count = seen.count, "delivery.done");
            self.report(Event::Expect { meter: meter.id, expected }).await;
            // Power and counters have been last seen before; nobody to read them now is no fault.
            let _ = meter.poll.send(Control::ReadNow(meter.id, Source::ReadBack));
        }
        Ok(Step::Ended)
    }

    async fn refused(&self, command: &Command, seen: &State, why: &str) -> Result<Step, StoreError> {
        let detail = serde_json::json!({
            "why": why, "result": seen.last_result, "count": seen.count, "remaining_fen": seen.remaining.0,
        });
        self.hold(command, Some(seen.last_result), detail.to_string()).await
    }

    pub(super) async fn hold(&self, command: &Command, result: Option<u8>, detail: String) -> Result<Step, StoreError> {
        tracing::warn!(command = %deliveries::id_of(command), kind = command.kind, detail, "delivery.held");
        deliveries::hold(&self.db, &self.rng, self.clock.now(), command, result, &detail).await?;
        Ok(Step::Ended)
    }
}
