//! The confirmation of an action, with its consequence.

use leptos::prelude::*;

use super::super::cash_desk::order::address as order_page;
use super::super::parts::{form_again, param};
use crate::api::sales::SalesPort;
use crate::i18n::room::{command, consequence, return_consequence, sale_consequence, texts, though_lost};
use crate::i18n::{common, lang};
use crate::ports::{Who, allowed};
use crate::ui::callout::{Callout, Problem, Tone};
use crate::ui::time::At;
use model::console::{ChannelSale, DoneBefore, ReturnRequest, ReturnTarget, Room, Sale, checked_reason};
use model::error::AppError;
use model::ids::{MeterId, Uuid};
use model::meter::ControlMode;
use model::money::Fen;
use model::order::Tender;
use model::typed;

/// A sale or return that a confirmation is asked for.
#[derive(Clone, Debug)]
pub struct Money {
    gives_back: bool,
    amount: Fen,
    tender: Tender,
    reason: String,
}

/// From the query: `?do=sale&amount=50&tender=cash`, `?do=return&...&reason=`; `None` for anything else.
pub fn money() -> Option<Money> {
    let gives_back = match param("do").as_str() {
        "sale" => false,
        "return" => true,
        _ => return None,
    };
    let amount = typed::yuan(&param("amount")).ok().filter(|amount| *amount > Fen::ZERO)?;
    Some(Money { gives_back, amount, tender: Tender::parse(&param("tender"))?, reason: param("reason") })
}

/// Why the money operation would be refused if it were confirmed now: a confirmation promises what it says. Nothing for what the
/// page refuses anyway.
///
/// # Errors
/// Those of the database.
pub async fn refusal(
    sales: &dyn SalesPort,
    who: &Who,
    room: &Room,
    key: Uuid,
    money: &Money,
) -> Result<Option<AppError>, AppError> {
    let (meter, &Money { amount, tender, .. }) = (room.progress.latest.meter, money);
    let checked = if money.gives_back {
        if !room.gives_back() || !allowed("/api/operator/return") {
            return Ok(None);
        }
        let of = ReturnTarget::Remaining { meter, tender, amount };
        sales.check_return(who, &ReturnRequest { of, reason: money.reason.clone(), key, seen: None }).await
    } else {
        if !room.takes_sales() || !allowed("/api/operator/sell") {
            return Ok(None);
        }
        sales.check_sale(who, &Sale { meter, amount, tender, key, seen: None }).await
    };
    match checked {
        Ok(()) => Ok(None),
        Err(error @ (AppError::Internal | AppError::Unavailable)) => Err(error),
        Err(error) => Ok(Some(error)),
    }
}

/// In place of a confirmation that was confirmed already: what it did.
pub fn done_before(meter: MeterId, done: DoneBefore) -> AnyView {
    let t = texts(lang());
    let (page, word) = match done {
        DoneBefore::Sale(order) => (order_page(order), t.show_sale),
        DoneBefore::Return(id) => (Some(format!("/returns/{id}")).filter(|page| allowed(page)), t.show_return),
    };
    let page = page.map(|page| view! { <a class="button primary" href=page>{word}</a> });
    view! {
        <Callout tone=Tone::Warn>
            <p>{t.done_before}</p>
            <div class="buttons">{page}<a class="button" href=format!("/rooms/{meter}")>{t.back}</a></div>
        </Callout>
    }
    .into_any()
}

/// From the query: `?do=sale&amount=50&tender=cash`, `?do=return&...&reason=`, `?do=forced_off`; otherwise `None`.
pub fn confirm(room: &Room, by_channel: &[ChannelSale], key: Uuid) -> Option<AnyView> {
    let what = param("do");
    if what == "sale" || what == "return" {
        return Some(match (typed::yuan(&param("amount")), Tender::parse(&param("tender"))) {
            (Ok(amount), Some(tender)) if amount > Fen::ZERO && what == "return" => {
                let card = give_back(room, amount, tender, key);
                view! { {super::forms::by_channel(amount, by_channel)} {card} }.into_any()
            }
            (Ok(amount), Some(tender)) if amount > Fen::ZERO => sale(room, amount, tender, key),
            _ => view! { <Problem error=AppError::InvalidAmount /> }.into_any(),
        });
    }
    ControlMode::parse(&what).map(|mode| control(room, mode, key))
}

/// The field of a confirmation's address that is not of its form: it is asked for again.
pub fn wrong_entry() -> Option<(AppError, &'static str)> {
    let what = param("do");
    let amount = typed::yuan(&param("amount")).ok().filter(|amount| *amount > Fen::ZERO);
    let takes_money = matches!(what.as_str(), "sale" | "return");
    let gives_reason = matches!(what.as_str(), "return" | "close" | "move" | "replace");
    if takes_money && amount.is_none() {
        return Some((AppError::InvalidAmount, "amount"));
    }
    let account = typed::typed(&param("account"));
    let is_number = account.len() == 16 && account.bytes().all(|byte| byte.is_ascii_digit());
    if what == "close" && !account.is_empty() && !is_number {
        return Some((AppError::Invalid, "account"));
    }
    (gives_reason && checked_reason(&param("reason")).is_err()).then_some((AppError::Invalid, "reason"))
}

/// The room and its residents.
pub fn whom(room: &Room) -> String {
    let residents = room.account.iter().flat_map(|account| &account.residents).map(|resident| resident.name.as_str());
    let residents = residents.collect::<Vec<_>>().join(", ");
    if residents.is_empty() { room.name.to_string() } else { format!("{} ({residents})", room.name) }
}

fn sale(room: &Room, amount: Fen, tender: Tender, key: Uuid) -> AnyView {
    let latest = &room.progress.latest;
    let coming: Fen = room.progress.coming().map(|(_, amount)| amount).sum();
    let after = latest.observed_at.map(|_| latest.remaining + coming + amount);
    let first = sale_consequence(amount, common::tender(tender, lang()), &whom(room), after, lang());
    let says = if after.is_some() && room.progress.coming().next().is_some() {
        common::TwoSentences { first, second: texts(lang()).coming_counted }.text(lang())
    } else {
        first
    };
    let seen = room.money_operations.to_string();
    let fields = [("amount", amount.to_string()), ("tender", tender.as_str().to_owned()), ("seen", seen)];
    let card = card(room, "/api/operator/sell", says, &fields, key, false);
    view! { {coming_list(room)} {card} }.into_any()
}

fn give_back(room: &Room, amount: Fen, tender: Tender, key: Uuid) -> AnyView {
    let says = return_consequence(amount, common::tender(tender, lang()), &whom(room), lang());
    let seen = room.money_operations.to_string();
    let tender = tender.as_str().to_owned();
    let fields = [("amount", amount.to_string()), ("tender", tender), ("reason", param("reason")), ("seen", seen)];
    let card = card(room, "/api/operator/return", says, &fields, key, true);
    view! { {coming_list(room)} {card} }.into_any()
}

/// What is on its way to the meter: somebody else may have sold at this moment.
fn coming_list(room: &Room) -> Option<AnyView> {
    let lines = room.progress.coming().map(|(one, _)| {
        let (what, by) = (command(&one.what, lang()), one.by.clone().unwrap_or_else(|| texts(lang()).by_system.to_owned()));
        view! { <li>{what}" · "{by}" · "<At at=one.decided_at /></li> }
    });
    let lines = lines.collect_view();
    (!lines.is_empty())
        .then(|| view! { <Callout><p>{texts(lang()).coming}</p><ul class="plain">{lines}</ul></Callout> }.into_any())
}

fn control(room: &Room, mode: ControlMode, key: Uuid) -> AnyView {
    let says = consequence(mode, &whom(room), lang());
    let fields = [("mode", mode.as_str().to_owned())];
    card(room, "/api/operator/mode", says, &fields, key, mode == ControlMode::ForcedOff)
}

pub fn card(
    room: &Room,
    action: &'static str,
    says: String,
    fields: &[(&'static str, String)],
    key: Uuid,
    grave: bool,
) -> AnyView {
    if !allowed(action) {
        return view! { <Problem error=AppError::Forbidden /> }.into_any();
    }
    let t = texts(lang());
    let latest = &room.progress.latest;
    let lost = latest.state().is_unread().then(|| view! { <p>{though_lost(lang())}</p> });
    let hidden = fields.iter().map(|(name, value)| view! { <input type="hidden" name=*name value=value.clone() /> });
    let class = if grave { "danger" } else { "primary" };
    view! {
        <form class="card confirm" method="post" action=action>
            <p><strong>{says}</strong></p>
            {lost}
            <input type="hidden" name="meter" value=latest.meter.to_string() />
            <input type="hidden" name="key" value=key.to_string() />
            {hidden.collect_view()}
            <div class="buttons">
                <button class=class autofocus>{t.confirm}</button>
                <a class="button" href=form_again()>{t.back}</a>
            </div>
        </form>
    }
    .into_any()
}
