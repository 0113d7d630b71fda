//! The confirmation of an account change, with its consequence.

use leptos::prelude::*;

use super::super::parts::param;
use super::confirm::{card, whom};
use crate::i18n::account_lifecycle::{
    close_consequence, meter_consequence, move_consequence, out_consequence, replace_consequence, texts,
};
use crate::i18n::lang;
use crate::link;
use crate::ui::callout::Problem;
use model::console::{BalanceTarget, Lifecycle, MeterLine, Room, checked_reason};
use model::error::AppError;
use model::ids::Uuid;
use model::order::Tender;
use model::typed::typed;

/// From the query: `?do=close&tender=cash&reason=`, `?do=move&to=`, `?do=replace`, `?do=add-meter`, `?do=resident-out`;
/// `None` for anything else.
pub fn confirm(room: &Room, life: &Lifecycle, found: &[MeterLine], key: Uuid) -> Option<AnyView> {
    let what = param("do");
    let (whom, lang) = (whom(room), lang());
    let meter = room.progress.latest.meter;
    Some(match what.as_str() {
        "close" => close(room, &whom, key),
        "move" => {
            let others = found.iter().filter(|line| line.latest.meter != meter);
            choose(room, &whom, others, key)
        }
        "replace" => match checked_reason(&param("reason")) {
            Ok(reason) => {
                let says = replace_consequence(&whom, &room.serial, lang);
                card(room, "/api/operator/replace-meter", says, &[("reason", reason)], key, true)
            }
            Err(error) => view! { <Problem error /> }.into_any(),
        },
        "add-meter" => {
            let other = param("other");
            match life.free.iter().find(|one| one.meter.to_string() == other) {
                Some(one) => {
                    let says = meter_consequence(&whom, &one.serial, lang);
                    card(room, "/api/operator/add-meter", says, &[("other", other)], key, false)
                }
                None => view! { <Problem error=AppError::NotFound /> }.into_any(),
            }
        }
        "resident-out" => {
            let login = param("login");
            let says = out_consequence(&login, &room.name.to_string(), lang);
            card(room, "/api/operator/remove-resident", says, &[("login", login)], key, true)
        }
        _ => return None,
    })
}

fn close(room: &Room, whom: &str, key: Uuid) -> AnyView {
    let account = typed(&param("account"));
    let goes = match (account.is_empty(), Tender::parse(&param("tender"))) {
        (false, _) => BalanceTarget::Account(account.clone()),
        (true, Some(tender)) => BalanceTarget::Counter(tender),
        (true, None) => return view! { <Problem error=AppError::Invalid /> }.into_any(),
    };
    let Ok(reason) = checked_reason(&param("reason")) else { return view! { <Problem error=AppError::Invalid /> }.into_any() };
    let latest = &room.progress.latest;
    let says = close_consequence(whom, &goes, latest.observed_at.map(|_| latest.remaining), lang());
    let tender = if let BalanceTarget::Counter(tender) = goes { tender.as_str().to_owned() } else { String::new() };
    let fields = [("tender", tender), ("account", account), ("reason", reason)];
    card(room, "/api/operator/close-account", says, &fields, key, true)
}

/// The room that the search names, with the consequence of moving there. Of several one has to be chosen first, by the serial
/// number of its meter.
fn choose<'a>(room: &Room, whom: &str, found: impl Iterator<Item = &'a MeterLine>, key: Uuid) -> AnyView {
    let Ok(reason) = checked_reason(&param("reason")) else { return view! { <Problem error=AppError::Invalid /> }.into_any() };
    let (t, to) = (texts(lang()), typed(&param("to")));
    let mut found: Vec<&MeterLine> = found.take(8).collect();
    if found.iter().any(|line| line.serial == to) {
        found.retain(|line| line.serial == to);
    }
    let named = |line: &MeterLine| format!("{} ({})", line.room, line.serial);
    match &found[..] {
        [] => view! { <p class="empty">{t.no_room}</p> }.into_any(),
        [line] if !line.residents.is_empty() => view! { <Problem error=AppError::AccountAlreadyOpen /> }.into_any(),
        [line] => {
            let says = move_consequence(whom, &named(line), lang());
            let fields = [("to", line.latest.meter.to_string()), ("reason", reason)];
            card(room, "/api/operator/move-account", says, &fields, key, true)
        }
        _ => {
            let page = link::with(&format!("/rooms/{}", room.progress.latest.meter), "do", "move");
            let page = link::with(&page, "reason", &reason);
            let choices = found.iter().map(|line| {
                let to = link::with(&page, "to", &line.serial);
                view! { <li><a class="tap" href=to>{named(line)}</a></li> }
            });
            view! {
                <section class="card stack-tight">
                    <h2>{t.choose_room}</h2>
                    <ul class="plain-list">{choices.collect_view()}</ul>
                </section>
            }
            .into_any()
        }
    }
}
