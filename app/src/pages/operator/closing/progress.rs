//! The steps of a closing: decided, each meter, the balance, the new meter's parameters, completed.

use crate::i18n::account_lifecycle::texts;
use crate::i18n::{Lang, common};
use crate::ui::steps::{Step, StepState};
use model::console::{Closing, ClosingMeter};
use model::money::{Fen, Money};
use model::order::{CommandState, OrderState, ReturnState};

pub(super) fn closing_steps(closing: &Closing, lang: Lang) -> Vec<Step> {
    let t = texts(lang);
    let mut list = vec![Step::new(StepState::Done, t.decided, Some(closing.begun_at)).note(closing.by.clone())];
    if let Some(by) = &closing.withdrawn_by {
        list.push(Step::new(StepState::Done, t.withdrawn, closing.ended_at).note(by.clone()));
        return list;
    }
    list.extend(closing.meters.iter().map(|meter| of_meter(meter, lang)));
    list.push(of_money(closing, lang));
    list.extend(of_settings(closing, lang));
    // The new meter may have its share of the balance before it says so.
    let is_carried = closing.carried.is_none_or(|(_, state)| state == OrderState::Credited);
    list.push(match closing.ended_at.filter(|_| is_carried) {
        Some(at) => Step::new(StepState::Done, t.done, Some(at)),
        None => Step::new(StepState::Ahead, t.done, None),
    });
    list
}

fn of_meter(meter: &ClosingMeter, lang: Lang) -> Step {
    let t = texts(lang);
    let name = |text: &str| format!("{} {text}", meter.serial);
    if let Some(at) = meter.final_at {
        let text = if meter.counted.is_some() { t.counted } else { t.read };
        return Step::new(StepState::Done, name(text), Some(at)).note(left(meter, lang));
    }
    if meter.command == Some(CommandState::Case) {
        return Step::new(StepState::Bad, name(t.held), None);
    }
    if meter.lost_since.is_some() {
        let text = if meter.unreadable { t.unreadable } else { t.lost };
        return Step::new(StepState::Bad, name(text), meter.lost_since);
    }
    match (meter.own_wallet, meter.sent_at) {
        (true, Some(at)) => Step::new(StepState::Now, name(t.to_read), Some(at)),
        (true, None) => Step::new(StepState::Now, name(t.asked), None),
        (false, _) => Step::new(StepState::Now, name(t.wait_reading), None),
    }
}

/// The balance, the final counter and the written-off amount of a meter.
fn left(meter: &ClosingMeter, lang: Lang) -> String {
    let t = texts(lang);
    let mut said = vec![format!("{} {} {}", t.left, meter.left.unwrap_or(Fen::ZERO), common::yuan(lang))];
    if let Some(off) = meter.written_off.filter(|off| *off != Money::ZERO) {
        said.push(format!("{} {off}", t.written_off));
    }
    if let Some(total) = meter.total {
        said.push(format!("{} {total}", t.total));
    }
    if let Some((who, why)) = &meter.counted {
        said.push(format!("{who}: {why}"));
    }
    said.join(" · ")
}

fn of_money(closing: &Closing, lang: Lang) -> Step {
    let t = texts(lang);
    if closing.read_at.is_none() {
        return Step::new(StepState::Ahead, t.to_settle, None);
    }
    let amount = format!("{} {}", closing.left(), common::yuan(lang));
    if let Some((_, state)) = closing.carried {
        let reach = if state == OrderState::Credited { StepState::Done } else { StepState::Now };
        let text = if state == OrderState::Credited { t.carried } else { t.carrying };
        return Step::new(reach, text, closing.ended_at).note(amount);
    }
    match closing.returned.map(|(_, state)| state) {
        Some(ReturnState::Waiting) => Step::new(StepState::Now, t.approve, None).note(amount),
        Some(ReturnState::Done) => Step::new(StepState::Done, t.paid, closing.ended_at).note(amount),
        Some(ReturnState::Taken) => Step::new(StepState::Now, t.pay, None).note(amount),
        Some(_) => Step::new(StepState::Bad, t.came_to_nothing, None).note(amount),
        None if closing.ended_at.is_some() => Step::new(StepState::Done, t.nothing_left, closing.ended_at),
        None if closing.waits_for_meter() => Step::new(StepState::Now, t.wait_meter, None).note(amount),
        None => Step::new(StepState::Now, t.to_settle, None).note(amount),
    }
}

/// The progress of sending the old meter's parameters to the new one.
fn of_settings(closing: &Closing, lang: Lang) -> Option<Step> {
    let t = texts(lang);
    let done = closing.settings.iter().filter(|one| one.state == CommandState::Done).count();
    let failed = closing.settings.iter().any(|one| matches!(one.state, CommandState::Failed | CommandState::Case));
    let reach = match failed {
        _ if done == closing.settings.len() => StepState::Done,
        true => StepState::Bad,
        false => StepState::Now,
    };
    let note = format!("{done} / {}", closing.settings.len());
    (!closing.settings.is_empty()).then(|| Step::new(reach, t.settings, None).note(note))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::ids::{MeterId, Uuid};
    use model::time::Timestamp;

    #[test]
    fn an_unreadable_meter_is_not_called_lost() {
        let meter = |unreadable| ClosingMeter {
            meter: MeterId(Uuid::nil()),
            serial: "1".into(),
            own_wallet: true,
            command: None,
            reason: None,
            sent_at: None,
            lost_since: Some(Timestamp(1)),
            unreadable,
            final_at: None,
            left: None,
            written_off: None,
            total: None,
            counted: None,
        };
        for lang in [Lang::Zh, Lang::En] {
            let t = texts(lang);
            assert_eq!(of_meter(&meter(false), lang).text, format!("1 {}", t.lost));
            assert_eq!(of_meter(&meter(true), lang).text, format!("1 {}", t.unreadable));
        }
    }
}
