//! One closing, move or replacement: its progress and the next step.

mod forms;
mod progress;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use self::progress::closing_steps;
use super::frame::{Frame, Section};
use crate::api::form::parse;
use crate::i18n::account_lifecycle::{kind, texts};
use crate::i18n::{common, lang};
use crate::ports::{now, operator, ports};
use crate::ui::live::{IDLE, Live};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::steps::steps;
use model::console::{Closing, ClosingKind};
use model::error::AppError;
use model::ids::ClosingId;
use model::order::ReturnState;

/// The page: `/closings/:id`.
#[component]
pub fn ClosingPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get("id")).unwrap_or_default();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.account_lifecycle.closing(&who, parse::<ClosingId>(&id).map_err(|_| AppError::NotFound)?).await
    };
    load(read, |closing| view! { <Body closing /> }.into_any())
}

#[component]
fn Body(closing: Closing) -> impl IntoView {
    let (lang, now) = (lang(), now());
    let title = format!("{} {}", kind(closing.kind, lang), closing.room);
    let (progress, moving, next) = (closing_steps(&closing, lang), closing.is_moving(), next(&closing));
    let (facts, counts, undeliverable) = (facts(&closing), forms::counts(&closing), forms::undeliverable(&closing));
    let install = closing.waits_for_meter().then(|| forms::install(&closing));
    let decide = closing.may_decide().then(|| forms::decide(&closing));
    let (settings, withdraw) = (forms::settings(&closing), forms::withdraw(&closing));
    view! {
        <Frame title=title.clone() section=Section::Accounts>
            <h1>{title}</h1>
            <Notice />
            <Live id="closing" again=moving.then_some(IDLE)>
                <section class="card">{steps(progress, now, lang)}</section>
                {next}
                {settings}
            </Live>
            {facts}
            {counts}
            {install}
            {decide}
            {undeliverable}
            {withdraw}
        </Frame>
    }
}

/// The form of the next step.
fn next(closing: &Closing) -> impl IntoView + use<> {
    let t = texts(lang());
    let back = closing.returned.filter(|(_, state)| matches!(state, ReturnState::Waiting | ReturnState::Taken));
    back.map(|(id, state)| {
        let text = if state == ReturnState::Taken { t.pay } else { t.approve };
        view! { <p><a class="button primary" href=format!("/returns/{id}")>{text}</a></p> }
    })
}

fn facts(closing: &Closing) -> impl IntoView + use<> {
    let t = texts(lang());
    let goes = match (closing.tender, &closing.to_account) {
        (Some(tender), _) => Some(common::tender(tender, lang()).to_owned()),
        (None, Some(number)) => Some(number.clone()),
        (None, None) => None,
    };
    let (old, new) = if closing.kind == ClosingKind::Replace { (t.old_meter, t.new_meter) } else { (t.old_room, t.new_room) };
    let meters = closing.meters.iter().map(|meter| (meter.meter, old)).chain(closing.to_meter.map(|meter| (meter, new)));
    let rooms = meters.map(|(meter, name)| view! { " "<a href=format!("/rooms/{meter}")>{name}</a> });
    view! {
        <section class="card">
            <dl class="facts">
                <dt>{t.account}</dt>
                <dd class="num">{closing.account.clone()}</dd>
                {goes.map(|goes| view! { <dt>{t.to_settle}</dt><dd>{goes}</dd> })}
                <dt>{t.reason}</dt>
                <dd>{closing.reason.clone()}</dd>
                <dt>{t.by}</dt>
                <dd>{closing.by.clone()}{rooms.collect_view()}</dd>
            </dl>
        </section>
    }
}
