//! One gateway: its state, its meters, its history, and what can be done with it.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::super::frame::{Frame, Section};
use super::super::parts::{age, param, state_cell};
use super::super::sweep::sweep_form;
use super::super::trust::trust_form;
use super::{reach, round, state};
use crate::api::form::parse;
use crate::i18n::gateways::{RetireMeters, found, texts};
use crate::i18n::{audit, lang, operator};
use crate::ports::{operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::data_table::{Column, DataTable};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::time::At;
use model::console::{GatewayChange, GatewayLine, GatewayLoss, GatewayMeter, GatewayView};
use model::error::AppError;
use model::gateway::{DialInConnection, GatewayTest, Sweep};
use model::ids::GatewayId;
use model::meter::Latest;

/// The page: `/gateways/:id`, with `?do=retire` the question before it is retired.
#[component]
pub fn GatewayPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get("id")).unwrap_or_default();
    let retiring = param("do") == "retire";
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        let gateway = ports.gateways.gateway(&who, parse::<GatewayId>(&id).map_err(|_| AppError::NotFound)?).await?;
        Ok((gateway, ports.gateways.may_change(&who).await?))
    };
    load(read, move |(gateway, may_change)| {
        let is_in_service = gateway.retired_at.is_none();
        if retiring && may_change && is_in_service {
            retire(&gateway).into_any()
        } else {
            body(&gateway, may_change && is_in_service).into_any()
        }
    })
}

fn body(gateway: &GatewayView, may_change: bool) -> impl IntoView + use<> {
    let t = texts(lang());
    let said = match param("done").as_str() {
        "added" => Some(t.added),
        "changed" => Some(t.changed),
        "replaced" => Some(t.replaced),
        "retired" => Some(t.retired),
        "sweep" => Some(t.interval_set),
        "trust" => Some(t.trust_set),
        _ => None,
    };
    let test = GatewayTest::parse(&param("test")).map(|test| {
        let (is_good, words) = found(test, lang());
        view! { <Callout tone=if is_good { Tone::Good } else { Tone::Warn }><p>{words}</p></Callout> }
    });
    let retired = gateway.retired_at.map(|at| view! { <Callout><p>{t.is_retired}" "<At at /></p></Callout> });
    let (is_in_service, facts) = (gateway.retired_at.is_none(), gateway.line.as_ref().map(facts));
    let forms = gateway.line.as_ref().filter(|_| may_change).map(forms);
    let (name, actions) = (gateway.name.clone(), may_change.then(|| actions(gateway.id)));
    let (meters, connections) = (meters(&gateway.meters, is_in_service), connections(&gateway.connections));
    let (losses, changes) = (losses(&gateway.losses, gateway.is_by_rules), changes(&gateway.changes));
    let lists = view! { {meters}{connections}{losses}{changes} };
    view! {
        <Frame title=name.clone() section=Section::Gateways>
            <nav class="small"><a href="/gateways">{operator::texts(lang()).gateways}</a></nav>
            <div class="page-head"><h1>{name}</h1>{actions}</div>
            <Notice />
            {said.map(|said| view! { <Callout tone=Tone::Good><p>{said}</p></Callout> })}
            {test}
            {retired}
            {facts}
            {lists}
            {forms}
        </Frame>
    }
}

fn actions(id: GatewayId) -> impl IntoView {
    let t = texts(lang());
    view! {
        <div class="buttons">
            <form method="post" action="/api/operator/gateways/test">
                <input type="hidden" name="gateway" value=id.to_string() />
                <button class="primary">{t.test}</button>
            </form>
            <a class="button" href=format!("/gateways/{id}/scan")>{t.scan}</a>
            <a class="button" href=format!("/gateways/{id}/edit")>{t.edit}</a>
            <a class="button" href=format!("/gateways/{id}/edit?do=replace")>{t.replace}</a>
            <a class="button danger" href=format!("/gateways/{id}?do=retire")>{t.retire}</a>
        </div>
    }
}

fn facts(line: &GatewayLine) -> impl IntoView + use<> {
    let (o, t) = (operator::texts(lang()), texts(lang()));
    view! {
        <section class="card">
            <dl class="facts">
                <dt>{o.state}</dt><dd>{state(line)}</dd>
                <dt>{o.address}</dt><dd class="num">{reach(line)}</dd>
                {line.code.clone().map(|code| view! { <dt>{t.code}</dt><dd class="num">{code}</dd> })}
                <dt>{t.round}</dt><dd class="num">{round(line)}</dd>
            </dl>
        </section>
    }
}

fn forms(line: &GatewayLine) -> impl IntoView + use<> {
    let t = texts(lang());
    let trust = line.trust.as_ref().map(|trust| trust_form(line, trust));
    view! {
        <section class="card stack-tight">
            <h2>{t.interval}</h2>
            {sweep_form(Sweep::Gateway(line.id), line.sweep, t.interval, t.as_rooms)}
        </section>
        {trust}
    }
}

fn meters(meters: &[(GatewayMeter, Latest)], is_in_service: bool) -> impl IntoView + use<> {
    let t = operator::texts(lang());
    let rows = meters.iter().map(|(meter, latest)| {
        view! {
            <tr>
                <th scope="row" class="number">{meter.unit}</th>
                <td data-label=t.room><a href=format!("/rooms/{}", meter.id)>{meter.room.to_string()}</a></td>
                <td data-label=t.state>{state_cell(latest)}</td>
                <td data-label=t.age class="number">{age(latest)}</td>
                <td data-label=t.serial class="num">{meter.serial.clone()}</td>
                <td data-label=t.profile>{meter.profile.clone()}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let words = texts(lang());
    let none = if is_in_service { words.no_meters } else { words.meters_left };
    let none = meters.is_empty().then(|| view! { <p class="empty">{none}</p> });
    let columns = [
        Column::number(t.unit),
        Column::text(t.room),
        Column::text(t.state),
        Column::number(t.age),
        Column::text(t.serial),
        Column::text(t.profile),
    ];
    view! {
        <section class="stack-tight">
            <h2>{t.meters}</h2>
            <DataTable label=t.meters columns stacked=true>{rows}</DataTable>
            {none}
        </section>
    }
}

fn connections(connections: &[DialInConnection]) -> impl IntoView + use<> {
    let (o, t) = (operator::texts(lang()), texts(lang()));
    let rows = connections.iter().map(|line| {
        let until = line.until.map_or_else(|| t.lasts.into_any(), |at| view! { <At at /> }.into_any());
        let replaces = line.replaces.then(|| view! { <br /><span class="muted">{t.replaces}</span> });
        view! {
            <tr>
                <td data-label=o.from><At at=line.since /></td>
                <td data-label=o.until>{until}</td>
                <td data-label=o.address class="num">{line.peer.clone()}{replaces}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    (!connections.is_empty()).then(|| {
        let columns = [Column::text(o.from), Column::text(o.until), Column::text(o.address)];
        view! {
            <section class="stack-tight">
                <h2>{t.connections}</h2>
                <DataTable label=t.connections columns stacked=true>{rows}</DataTable>
            </section>
        }
    })
}

fn losses(losses: &[GatewayLoss], is_by_rules: bool) -> impl IntoView + use<> {
    let (o, t) = (operator::texts(lang()), texts(lang()));
    let rows = losses.iter().map(|loss| {
        let until = loss.until.map_or_else(|| t.lasts.into_any(), |at| view! { <At at /> }.into_any());
        view! { <tr><td data-label=o.from><At at=loss.since /></td><td data-label=o.until>{until}</td></tr> }
    });
    let rows = rows.collect_view();
    let hint = is_by_rules.then(|| view! { <p class="hint">{t.losses_by_rules}</p> });
    if losses.is_empty() {
        return view! {
            <section class="stack-tight"><h2>{t.losses}</h2><p class="empty">{t.no_losses}</p>{hint}</section>
        }
        .into_any();
    }
    let columns = [Column::text(o.from), Column::text(o.until)];
    view! {
        <section class="stack-tight">
            <h2>{t.losses}</h2>
            <DataTable label=t.losses columns>{rows}</DataTable>
            {hint}
        </section>
    }
    .into_any()
}

fn changes(changes: &[GatewayChange]) -> impl IntoView + use<> {
    let (o, t) = (operator::texts(lang()), texts(lang()));
    let rows = changes.iter().map(|change| {
        let reason = (!change.reason.is_empty()).then(|| view! { <br /><span>{change.reason.clone()}</span> });
        let from = (!change.from.is_empty()).then(|| view! { <span class="muted">{change.from.clone()}" → "</span> });
        view! {
            <tr>
                <td data-label=o.time><At at=change.at /></td>
                <td data-label=o.by>{change.by.clone()}</td>
                <td data-label=o.action>{audit::action(&change.action, lang())}</td>
                <td data-label=o.detail class="long">{from}{change.to.clone()}{reason}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    (!changes.is_empty()).then(|| {
        let columns = [Column::text(o.time), Column::text(o.by), Column::text(o.action), Column::text(o.detail)];
        view! {
            <section class="stack-tight">
                <h2>{t.changes}</h2>
                <DataTable label=t.changes columns stacked=true>{rows}</DataTable>
            </section>
        }
    })
}

/// The most meters that are listed unfolded.
const FEW: usize = 20;

/// A list of meters; a long one is folded.
fn folded(lines: Vec<AnyView>) -> impl IntoView + use<> {
    (!lines.is_empty()).then(|| {
        let open = lines.len() <= FEW;
        view! {
            <details open=open>
                <summary>{operator::texts(lang()).meters}</summary>
                <ul class="plain-list">{lines}</ul>
            </details>
        }
    })
}

/// What retiring does, or which meters are in its way.
fn retire(gateway: &GatewayView) -> impl IntoView + use<> {
    let t = texts(lang());
    let back = format!("/gateways/{}", gateway.id);
    let used: Vec<&GatewayMeter> = gateway.in_use().collect();
    let question = if used.is_empty() {
        let gone = gateway.meters.iter().map(|(meter, _)| {
            view! { <li>{meter.room.to_string()}" "<span class="num">{meter.serial.clone()}</span></li> }
        });
        let count = u32::try_from(gateway.meters.len()).unwrap_or(u32::MAX);
        let meters = folded(gone.map(IntoAny::into_any).collect());
        view! {
            <p>{t.retire_what}</p>
            {(count > 0).then(|| view! { <p>{RetireMeters { count }.text(lang())}</p> })}
            <form method="post" action="/api/operator/gateways/retire">
                <input type="hidden" name="gateway" value=gateway.id.to_string() />
                <div class="buttons">
                    <button class="danger">{t.retire}</button>
                    <a class="button" href=back>{t.keep}</a>
                </div>
            </form>
            {meters}
        }
        .into_any()
    } else {
        let lines = used.iter().map(|meter| {
            let why = if meter.has_account { t.has_account } else { t.has_command };
            view! {
                <li>
                    <a href=format!("/rooms/{}", meter.id)>{meter.room.to_string()}</a>" "
                    <span class="num">{meter.serial.clone()}</span>" · "{why}
                </li>
            }
        });
        let lines = folded(lines.map(IntoAny::into_any).collect());
        view! {
            <Callout tone=Tone::Warn><p>{t.cannot_retire}</p></Callout>
            <p><a class="button" href=back>{t.back}</a></p>
            {lines}
        }
        .into_any()
    };
    let title = format!("{}: {}", t.retire, gateway.name);
    view! {
        <Frame title=title.clone() section=Section::Gateways>
            <h1>{title}</h1>
            <Notice />
            <section class="card stack-tight">{question}</section>
        </Frame>
    }
}
