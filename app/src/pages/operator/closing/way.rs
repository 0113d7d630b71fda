//! The way of a closing: decided, each meter, the money, the new meter's settings, the end.

use crate::i18n::life::words;
use crate::i18n::{Lang, common};
use crate::ui::steps::{Reach, Step};
use model::console::{Closing, ClosingMeter};
use model::money::{Fen, Money};
use model::order::{CommandState, OrderState, ReturnState};

/// All of it.
pub(super) fn way_of(closing: &Closing, lang: Lang) -> Vec<Step> {
    let t = words(lang);
    let mut way = vec![Step::new(Reach::Done, t.decided, Some(closing.begun_at)).note(closing.by.clone())];
    if let Some(by) = &closing.withdrawn_by {
        way.push(Step::new(Reach::Done, t.withdrawn, closing.ended_at).note(by.clone()));
        return way;
    }
    way.extend(closing.meters.iter().map(|meter| of_meter(meter, lang)));
    way.push(of_money(closing, lang));
    way.extend(of_settings(closing, lang));
    way.push(match closing.ended_at {
        Some(at) => Step::new(Reach::Done, t.done, Some(at)),
        None => Step::new(Reach::Ahead, t.done, None),
    });
    way
}

fn of_meter(meter: &ClosingMeter, lang: Lang) -> Step {
    let t = words(lang);
    let name = |text: &str| format!("{} {text}", meter.serial);
    if let Some(at) = meter.final_at {
        let text = if meter.counted.is_some() { t.counted } else { t.read };
        return Step::new(Reach::Done, name(text), Some(at)).note(left(meter, lang));
    }
    if meter.command == Some(CommandState::Case) {
        return Step::new(Reach::Bad, name(t.held), None);
    }
    if meter.lost_since.is_some() {
        return Step::new(Reach::Bad, name(t.lost), meter.lost_since);
    }
    match (meter.own_wallet, meter.sent_at) {
        (true, Some(at)) => Step::new(Reach::Now, name(t.to_read), Some(at)),
        (true, None) => Step::new(Reach::Now, name(t.asked), None),
        (false, _) => Step::new(Reach::Now, name(t.wait_reading), None),
    }
}

/// What was left in a meter, where its counter stood, what was written off.
fn left(meter: &ClosingMeter, lang: Lang) -> String {
    let t = words(lang);
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
    let t = words(lang);
    if closing.read_at.is_none() {
        return Step::new(Reach::Ahead, t.to_settle, None);
    }
    let amount = format!("{} {}", closing.left(), common::yuan(lang));
    if let Some((_, state)) = closing.carried {
        let reach = if state == OrderState::Credited { Reach::Done } else { Reach::Now };
        let text = if state == OrderState::Credited { t.carried } else { t.carrying };
        return Step::new(reach, text, closing.ended_at).note(amount);
    }
    match closing.returned.map(|(_, state)| state) {
        Some(ReturnState::Waiting) => Step::new(Reach::Now, t.approve, None).note(amount),
        Some(ReturnState::Done) => Step::new(Reach::Done, t.paid, closing.ended_at).note(amount),
        Some(ReturnState::Taken) => Step::new(Reach::Now, t.pay, None).note(amount),
        Some(_) => Step::new(Reach::Bad, t.came_to_nothing, None).note(amount),
        None if closing.ended_at.is_some() => Step::new(Reach::Done, t.nothing_left, closing.ended_at),
        None if closing.waits_for_meter() => Step::new(Reach::Now, t.wait_meter, None).note(amount),
        None => Step::new(Reach::Now, t.to_settle, None).note(amount),
    }
}

/// How far the new meter is set as the old one was.
fn of_settings(closing: &Closing, lang: Lang) -> Option<Step> {
    let t = words(lang);
    let done = closing.settings.iter().filter(|one| one.state == CommandState::Done).count();
    let failed = closing.settings.iter().any(|one| matches!(one.state, CommandState::Failed | CommandState::Case));
    let reach = match failed {
        _ if done == closing.settings.len() => Reach::Done,
        true => Reach::Bad,
        false => Reach::Now,
    };
    let note = format!("{done} / {}", closing.settings.len());
    (!closing.settings.is_empty()).then(|| Step::new(reach, t.settings, None).note(note))
}
