//! The gateways: how each is reached, its health and its lost meters.

pub mod form;
pub mod gateway;
pub mod scan;

use leptos::prelude::*;

use super::frame::{Frame, Section};
use super::parts::{address, param};
use crate::i18n::gateways::{MetersLost, duration, framing, health, interval, noise_on_the_line, port_state, texts};
use crate::i18n::{lang, operator};
use crate::ports::{operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::data_table::{Column, DataTable};
use crate::ui::live::{IDLE, Live};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::time::{Ago, At};
use model::console::GatewayLine;
use model::gateway::form::DIAL_IN;
use model::gateway::{BytePattern, Framing, GatewayHealth, PortState, UnknownCaller};
use model::ids::GatewayId;
use model::time::Timestamp;

/// What the page shows.
struct Shown {
    lines: Vec<GatewayLine>,
    retired: Vec<(GatewayId, String, Timestamp)>,
    unknown_callers: Vec<UnknownCaller>,
    port: Option<(u16, Option<PortState>)>,
    may_change: bool,
}

/// The page: `/gateways`.
#[component]
pub fn GatewaysPage() -> impl IntoView {
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        Ok(Shown {
            lines: ports.gateways.gateways(&who).await?,
            retired: ports.gateways.retired_gateways(&who).await?,
            unknown_callers: ports.gateways.unknown_callers(&who).await?,
            port: ports.gateways.dial_in_port().await?,
            may_change: ports.gateways.may_change(&who).await?,
        })
    };
    load(read, |shown| body(&shown).into_any())
}

fn body(shown: &Shown) -> impl IntoView + use<> {
    let (t, g) = (operator::texts(lang()), texts(lang()));
    let said = match param("done").as_str() {
        "retry" => Some(t.retry_asked),
        "sweep" => Some(g.interval_set),
        "port" => Some(g.port_set),
        _ => None,
    };
    let interval_hint = view! { <p class="hint">{g.interval_hint}" "<a href="/settings">{g.to_settings}</a></p> };
    let port = shown.may_change.then(|| port_form(shown.port));
    let rows = shown.lines.iter().map(row).collect_view();
    let is_empty = shown.lines.is_empty();
    let add = shown.may_change.then(|| view! { <a class="button primary" href="/gateways/new">{g.add}</a> });
    let unknown_callers = (!shown.unknown_callers.is_empty()).then(|| unknown_callers(&shown.unknown_callers));
    let retired = (!shown.retired.is_empty()).then(|| retired(&shown.retired));
    let columns = [
        Column::text(t.gateway),
        Column::text(t.state),
        Column::text(t.address),
        Column::number(t.meters),
        Column::number(t.lost),
        Column::number(t.newest),
        Column::number(g.round),
        Column::text(g.interval),
        Column::unlabelled(t.action),
    ];
    view! {
        <Frame title=t.gateways section=Section::Gateways>
            <div class="page-head"><h1>{t.gateways}</h1>{add}</div>
            <Notice />
            {said.map(|said| view! { <Callout tone=Tone::Good><p>{said}</p></Callout> })}
            <DataTable label=t.gateways columns stacked=true>{rows}</DataTable>
            {unknown_callers}
            {is_empty.then(|| view! { <p class="empty">{g.no_gateways}</p> })}
            {interval_hint}
            {port}
            {retired}
        </Frame>
    }
}

fn row(line: &GatewayLine) -> impl IntoView + use<> {
    let (t, g) = (operator::texts(lang()), texts(lang()));
    let retry = (line.lost > 0).then(|| {
        view! {
            <form method="post" action="/api/operator/retry-gateway">
                <input type="hidden" name="gateway" value=line.id.to_string() />
                <button>{t.retry}</button>
            </form>
        }
    });
    let lost = if line.lost > 0 { "number strong" } else { "number" };
    let every = line.sweep.map_or_else(|| g.as_rooms.to_owned(), |sweep| interval(sweep, lang()));
    let code = line.code.clone().map(|code| view! { <br /><span class="muted num">{code}</span> });
    view! {
        <tr>
            <th scope="row"><a href=format!("/gateways/{}", line.id)>{line.name.clone()}</a>{code}</th>
            <td data-label=t.state>{state(line)}</td>
            <td data-label=t.address class="num">{reach(line)}</td>
            <td data-label=t.meters class="number">{line.meters}</td>
            <td data-label=t.lost class=lost>{line.lost}</td>
            <td data-label=t.newest class="number">
                {line.newest.map_or_else(|| "—".into_any(), |at| view! { <Ago at /> }.into_any())}
            </td>
            <td data-label=g.round class="number">{round(line)}</td>
            <td data-label=g.interval>{every}</td>
            <td>{retry}</td>
        </tr>
    }
}

fn round(line: &GatewayLine) -> String {
    line.round_ms.map_or_else(|| "—".to_owned(), |ms| duration(ms, lang()))
}

/// Where it is and what it speaks.
fn reach(line: &GatewayLine) -> impl IntoView + use<> {
    let g = texts(lang());
    let dials_in = line.is_dial_in.then(|| view! { <span class="muted">{g.dial_in}" · "</span> });
    view! { {dials_in}{line.address.clone()}<br /><span class="muted">{framing(line.framing, lang())}</span> }
}

/// Whether the gateway or only meters behind it are lost, what to check, and since when.
fn state(line: &GatewayLine) -> impl IntoView + use<> {
    let g = texts(lang());
    let said = line.health.map(|(seen, since)| {
        // Nothing is asked of a gateway without meters, so that it is not heard of either.
        if line.meters == 0 && seen == GatewayHealth::Connecting {
            return view! { <span class="muted">{g.no_meters}</span> }.into_any();
        }
        let words = health(seen, line.is_dial_in, line.framing, lang());
        view! { <span class="muted">{words}" · "{g.since}" "<At at=since /></span> }.into_any()
    });
    let word = |word: String| view! { <span class="state lost">{word}</span> };
    let is_lost = line.is_lost();
    let lost = is_lost.then(|| view! { {word(g.gateway_lost.to_owned())}" " });
    // The gateway answers, and some meters behind it do not: one sentence each.
    let meters = (!is_lost && line.lost > 0).then(|| {
        view! { <br />{word(MetersLost { count: line.lost }.text(lang()))} }
    });
    let noise = line.noise.map(|(times, last)| {
        view! { <br /><span class="muted">{noise_on_the_line(times, lang())}" "<Ago at=last /></span> }
    });
    view! { {lost}{said}{meters}{noise} }
}

fn port_form(port: Option<(u16, Option<PortState>)>) -> impl IntoView {
    let t = texts(lang());
    let value = port.map(|(port, _)| port.to_string()).unwrap_or_default();
    let state = port.and_then(|(_, state)| state).map(|state| {
        let tone = match state {
            PortState::Starting | PortState::Listening => Tone::Plain,
            PortState::InUse | PortState::NotAllowed | PortState::Failed => Tone::Bad,
        };
        let again = (state != PortState::Listening).then_some(IDLE);
        view! { <Live id="port-state" again=again><Callout tone=tone><p>{port_state(state, lang())}</p></Callout></Live> }
    });
    view! {
        <form class="card stack-tight" method="post" action="/api/operator/gateways/port">
            <h2>{t.port_of_site}</h2>
            <p class="hint">{t.port_hint}</p>
            {state}
            <label class="field">
                <span>{t.field.port}</span>
                <input class="input" name="port" value=value inputmode="numeric" maxlength="5" autocomplete="off" />
            </label>
            <button>{t.set}</button>
        </form>
    }
}

/// What dialled in and is no gateway, each with a way to make it one.
fn unknown_callers(unknown_callers: &[UnknownCaller]) -> impl IntoView + use<> {
    let (o, t) = (operator::texts(lang()), texts(lang()));
    let rows = unknown_callers.iter().filter_map(|one| {
        let pattern = BytePattern::new(one.received.clone())?;
        let hex: Vec<String> = one.received.iter().map(|byte| format!("{byte:02X}")).collect();
        let new = [("transport", DIAL_IN), ("registration", &pattern.to_string()), ("framing", Framing::Transparent.as_str())];
        let new = address("/gateways/new", &new);
        Some(view! {
            <tr>
                <td data-label=t.field.registration class="num long">
                    {pattern.to_string()}<br /><span class="muted">{hex.join(" ")}</span>
                </td>
                <td data-label=o.address class="num">{one.peer.clone()}</td>
                <td data-label=o.time><Ago at=one.last /></td>
                <td data-label=t.times_tried class="number">{one.times}</td>
                <td><a class="button" href=new>{t.make_gateway}</a></td>
            </tr>
        })
    });
    let rows = rows.collect_view();
    let columns = [
        Column::text(t.field.registration),
        Column::text(o.address),
        Column::text(o.time),
        Column::number(t.times_tried),
        Column::unlabelled(o.action),
    ];
    view! {
        <section class="card stack-tight">
            <h2>{t.unknown_callers}</h2>
            <p class="hint">{t.unknown_callers_hint}</p>
            <DataTable label=t.unknown_callers columns stacked=true>{rows}</DataTable>
        </section>
    }
}

fn retired(gateways: &[(GatewayId, String, Timestamp)]) -> impl IntoView + use<> {
    let lines = gateways.iter().map(|(id, name, at)| {
        view! {
            <li><a href=format!("/gateways/{id}")>{name.clone()}</a>" "<span class="muted"><At at=*at /></span></li>
        }
    });
    let lines = lines.collect_view();
    view! {
        <details class="card">
            <summary>{texts(lang()).retired_gateways}</summary>
            <ul class="plain-list">{lines}</ul>
        </details>
    }
}
