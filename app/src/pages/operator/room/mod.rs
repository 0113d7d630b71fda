//! A room: its state, the actions, and the progress of each command.

pub(super) mod account_lifecycle;
mod account_lifecycle_confirm;
mod confirm;
pub mod day_cost;
mod forms;
mod history;
mod meter_journal;
mod now;
mod opening;
pub(super) mod parameters;
pub mod price;
pub mod resident_link;
mod retired;
mod wallet;

pub(super) use confirm::done_before;
pub(super) use forms::tenders;

use std::str::FromStr;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::approvals;
use super::case::case_facts;
use super::frame::{Frame, Section};
use super::parts::{ask_again, param};
use super::reports::statement_link;
use super::sweep::sweep_form;
use crate::i18n::room::{self, texts};
use crate::i18n::{cases, cash_desk, commissioning, gateways, invoices, lang, reports};
use crate::ports::{allowed, form_key, operator, ports};
use crate::ui::callout::{Callout, Problem, Tone};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::time::At;
use model::console::{
    Account, AccountState, CaseLine, ChannelSale, DoneBefore, Lifecycle, MeterLine, RetiredMeter, ReturnLine, Room,
};
use model::error::AppError;
use model::friendly::EmergencyCredit;
use model::gateway::Sweep;
use model::ids::{MeterId, Uuid};
use model::meter::{ControlMode, Wallet};
use model::money::Fen;
use model::parameters::Parameters;
use model::report::ReportKind;
use model::time::Timestamp;
use model::typed;
use retired::Retired;

/// The room and an idempotency key for the requested form.
#[derive(Clone)]
struct Shown {
    room: Room,
    life: Lifecycle,
    found: Vec<MeterLine>,
    parameters: Option<(Parameters, Timestamp)>,
    by_channel: Vec<ChannelSale>,
    credit: EmergencyCredit,
    /// The smallest and the largest amount of a sale.
    range: (Fen, Fen),
    key: Uuid,
    /// What the form of this address has done already.
    done: Option<DoneBefore>,
    /// Why what is to be confirmed would be refused.
    refusal: Option<AppError>,
}

/// What a meter's address leads to.
enum Found {
    InUse(Box<Shown>),
    /// The meter is out of service.
    Retired(Box<RetiredMeter>),
}

/// The page: `/rooms/:meter`; `?do=` requests a confirmation.
#[component]
pub fn RoomPage() -> impl IntoView {
    let meter = use_params_map().with_untracked(|params| params.get("meter")).unwrap_or_default();
    let (asks, to, money) = (param("do"), param("to"), confirm::money());
    let into = typed::typed(&param("account"));
    let (wrong, sent) = (confirm::wrong_entry(), param("key").parse::<Uuid>().ok());
    let may_give = allowed("/api/operator/emergency-credit");
    let read = async move {
        if let Some((error, field)) = wrong {
            return ask_again(error, field).map(|()| None);
        }
        let (ports, who) = (ports()?, operator()?);
        let meter = MeterId::from_str(&meter).map_err(|_| AppError::NotFound)?;
        let room = match ports.rooms.room(&who, meter).await {
            Err(AppError::NotFound) => return Ok(Some(Found::Retired(Box::new(ports.rooms.retired_meter(&who, meter).await?)))),
            room => room?,
        };
        let key = sent.filter(|_| money.is_some()).map_or_else(form_key, Ok)?;
        let done = if money.is_some() { ports.sales.done_with(&who, key).await? } else { None };
        let refusal = match money {
            Some(money) if done.is_none() => confirm::refusal(&*ports.sales, &who, &room, key, &money).await?,
            _ => None,
        };
        if let Some(error) = refusal.filter(|error| error.is_of_amount()) {
            return ask_again(error, "amount").map(|()| None);
        }
        if asks == "close" && !into.is_empty() {
            let is_own = room.account.as_ref().is_some_and(|account| account.number == into);
            let found = ports.meter_wall.search(&who, &into, 0).await?.lines;
            if is_own || !found.iter().any(|line| line.latest.meter != meter) {
                return ask_again(AppError::NotFound, "account").map(|()| None);
            }
        }
        let life = ports.account_lifecycle.lifecycle(&who, meter).await?;
        let found = if asks == "move" { ports.meter_wall.search(&who, &to, 0).await?.lines } else { Vec::new() };
        let parameters = ports.rooms.parameters(&who, meter).await?;
        let by_channel = ports.refunds.channel_sales(&who, meter).await?;
        let credit = match room.account {
            Some(_) if may_give => ports.friendly_hours.emergency_credit(&who, meter).await?,
            _ => EmergencyCredit::NotOffered,
        };
        let range = ports.sales.sale_range();
        let shown = Shown { room, life, found, parameters, by_channel, credit, range, key, done, refusal };
        Ok(Some(Found::InUse(Box::new(shown))))
    };
    load(read, |found| match found {
        Some(Found::InUse(shown)) => view! { <Body shown=*shown /> }.into_any(),
        Some(Found::Retired(meter)) => view! { <Retired meter=*meter /> }.into_any(),
        // On its way to another page.
        None => ().into_any(),
    })
}

#[component]
fn Body(shown: Shown) -> impl IntoView {
    let Shown { room, life, found, parameters, by_channel, credit, range, key, done, refusal } = shown;
    let t = texts(lang());
    let meter = room.progress.latest.meter;
    let name = room.name.to_string();
    let said = match param("done").as_str() {
        "read" => Some(t.read_asked.to_owned()),
        "before" => Some(t.done_before.to_owned()),
        "emergency" => Some(forms::emergency_given(&credit)),
        "sweep" => Some(gateways::texts(lang()).interval_set.to_owned()),
        _ => None,
    };
    let (foreign, shows_account) = (room.has_foreign_account(), room.progress.latest.status.account_open());
    let open = !foreign && room.account.as_ref().is_some_and(|account| account.state != AccountState::Closing);
    let (leaving, empty, measures_only) = (life.closing.is_some(), room.account.is_none() && !foreign, room.kind == Wallet::None);
    // The account of a meter that shows none can only be closed, by counting.
    let gone = foreign && !shows_account && room.account.as_ref().is_some_and(|account| account.state != AccountState::Closing);
    // What is refused is not offered for confirmation, whatever address asks for it; the mode of a meter can always be set.
    let askable = ControlMode::parse(&param("do")).is_some() || (gone && param("do") == "close");
    let is_closing = room.account.as_ref().is_some_and(|account| account.state == AccountState::Closing);
    let not_open = if is_closing { AppError::AccountClosing } else { AppError::AccountNotOpen };
    let refused = match param("do").as_str() {
        asked if foreign && !asked.is_empty() && !askable => Some(AppError::MeterChanged),
        "sale" if !room.takes_sales() => Some(not_open),
        "return" if !room.gives_back() => Some(not_open),
        _ => refusal,
    };
    let confirm = if let Some(done) = done {
        Some(confirm::done_before(meter, done))
    } else if let Some(error) = refused {
        Some(view! { <Problem error /> }.into_any())
    } else {
        confirm::confirm(&room, &by_channel, key).or_else(|| account_lifecycle_confirm::confirm(&room, &life, &found, key))
    };
    let (confirming, keeps) = (confirm.is_some(), allowed("/api/operator/close-account"));
    let cases = room.cases.iter().map(case).collect_view();
    let waiting = room.waiting.iter().map(waiting).collect_view();
    let (events, journal) = (meter_journal::events(&room), meter_journal::journal(&room));
    let (days, readings, about) = (history::days(&room), history::readings(&room), about(&room));
    let settings = parameters::parameters(meter, parameters.as_ref(), true);
    let (wallet, charges, limits) = match &room.wallet {
        Some(one) => (
            Some(wallet::wallet(&room, one)),
            Some(wallet::charges(meter, &one.charges)),
            allowed("/api/operator/limits").then(|| wallet::limits(meter, one.limits)),
        ),
        None => (None, None, None),
    };
    let live = now::now(&room.progress, room.kind);
    view! {
        <Frame title=name.clone() section=Section::Wall>
            <h1>{name}</h1>
            <Notice />
            {said.map(|said| view! { <Callout tone=Tone::Good><p>{said}</p></Callout> })}
            {waiting}
            {confirm}
            {cases}
            <div class="room">
                <div class="room-now">{live}</div>
                <div class="room-do">
                    {account_lifecycle::under_way(&life)}
                    {foreign.then(|| approvals::foreign_account(meter, shows_account))}
                    {(!confirming && !leaving && room.takes_sales() && allowed("/api/operator/sell"))
                        .then(|| forms::sale(meter, range, key))}
                    {(!confirming && !leaving && room.gives_back() && allowed("/api/operator/return"))
                        .then(|| forms::give_back(meter, &by_channel, key))}
                    {(!confirming && empty && !leaving && !measures_only && keeps)
                        .then(|| opening::opening(meter, &life.free, key))}
                    {(!confirming && open && !leaving && keeps).then(|| account_lifecycle::changes(&room, &life, &by_channel))}
                    {(!confirming && gone && !leaving && keeps).then(|| account_lifecycle::end(meter, &by_channel))}
                    {(!confirming && empty && !leaving && keeps).then(|| account_lifecycle::swap(meter, &life))}
                    {(!confirming && open && !leaving).then(|| forms::emergency_credit(meter, &credit))}
                    {account_lifecycle::siblings(&life)}
                    {forms::control(meter, measures_only)}
                    {wallet}
                    {limits}
                    {about}
                </div>
                <div class="room-past">{days} {charges} {events} {settings} {readings} {journal}</div>
            </div>
        </Frame>
    }
}

/// A request that waits for a second person: who asks for more should know.
fn waiting(line: &ReturnLine) -> impl IntoView + use<> {
    let (kind, amount, by) = (cash_desk::kind(line.kind, lang()), line.amount, line.asked_by.as_str());
    let says = room::ReturnWaits { kind, amount, by }.text(lang());
    let page = format!("/returns/{}", line.id);
    let says = if allowed(&page) { view! { <a href=page>{says}</a> }.into_any() } else { says.into_any() };
    let at = line.asked_at;
    view! { <Callout tone=Tone::Warn><p>{says}" "<At at /></p></Callout> }
}

/// An open case with its next step.
fn case(case: &CaseLine) -> impl IntoView + use<> {
    let (words, at, t) = (cases::of_line(case, lang()), case.opened_at, texts(lang()));
    let (facts, here) = (case_facts(case), format!("/cases/{}", case.id));
    view! {
        <Callout tone=Tone::Warn>
            <p><strong>{words.name}</strong>" "<At at /></p>
            {facts}
            <p><a href=here>{t.case}</a></p>
        </Callout>
    }
}

/// The account and the meter.
fn about(room: &Room) -> impl IntoView + use<> {
    let (t, g) = (texts(lang()), gateways::texts(lang()));
    let account = match &room.account {
        Some(account) => account_facts(account, room.progress.latest.meter).into_any(),
        None if room.kind == Wallet::None => view! { <dt>{t.account}</dt><dd>{t.measures_only}</dd> }.into_any(),
        None => view! { <dt>{t.account}</dt><dd>{t.not_open}</dd> }.into_any(),
    };
    let checks = format!("/meters/{}/commissioning", room.progress.latest.meter);
    view! {
        <section class="card">
            <dl class="facts">
                {account}
                <dt>{t.meter}</dt>
                <dd class="num">{room.serial.clone()}" · "{room.profile.clone()}</dd>
                <dt>{commissioning::texts(lang()).title}</dt>
                <dd><a href=checks>{commissioning::texts(lang()).checks}</a></dd>
                {meter_journal::facts(room)}
                <dt>{crate::i18n::operator::texts(lang()).gateway}</dt>
                <dd>{room.gateway_name.clone()}" · "{room.unit}</dd>
                <dt>{g.interval}</dt>
                <dd>{sweep_form(Sweep::Meter(room.progress.latest.meter), room.sweep, g.interval, g.as_gateway)}</dd>
            </dl>
        </section>
    }
}

fn account_facts(account: &Account, meter: MeterId) -> impl IntoView + use<> {
    let t = texts(lang());
    let residents = account.residents.iter().map(|resident| format!("{} ({})", resident.name, resident.login));
    let statement = statement_link(&account.number, reports::report(ReportKind::Statement, lang()).0);
    let buyer = Some(format!("/invoices/buyer/{meter}")).filter(|page| allowed(page));
    let buyer = buyer.map(|page| view! { " · "<a href=page>{invoices::texts(lang()).buyer_title}</a> });
    let desk = cash_desk::texts(lang());
    let receipts = [(desk.receipt, account.receipt), (desk.first_purchase, account.first_purchase)];
    let receipts = receipts.into_iter().filter_map(|(word, number)| {
        let number = number?.to_string();
        let page = Some(format!("/receipts/{number}")).filter(|page| allowed(page))?;
        Some(view! { " · "<a class="num" href=page>{word}" "{number}</a> })
    });
    let receipts = receipts.collect_view();
    view! {
        <dt>{t.account}</dt>
        <dd>
            <span class="num">{account.number.clone()}</span>" · "
            <span class="num">{room::account(account.state, lang())}</span>
        </dd>
        {statement.map(|link| view! { <dt>{reports::texts(lang()).title}</dt><dd>{link}</dd> })}
        <dt>{t.residents}</dt>
        <dd>{residents.collect::<Vec<_>>().join(", ")}</dd>
        <dt>{crate::i18n::operator::texts(lang()).opened_at}</dt>
        <dd><At at=account.opened_at />{receipts}{buyer}</dd>
    }
}
