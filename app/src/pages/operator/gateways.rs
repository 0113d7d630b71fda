//! The gateways: their health, their lost meters and their reading intervals.

use leptos::prelude::*;

use super::sweep::sweep_form;
use super::trust::trust_forms;
use crate::i18n::gateways::{framing, health, interval, noise_on_the_line, texts};
use crate::i18n::{lang, operator};
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::{Ago, At};
use model::console::GatewayLine;
use model::gateway::{Sweep, SweepInterval};

/// The site's interval and the table. The forms are only for operators who `may_set` intervals and certificates.
pub fn gateways(lines: &[GatewayLine], site: Option<SweepInterval>, may_set: bool) -> impl IntoView + use<> {
    let (t, g) = (operator::texts(lang()), texts(lang()));
    let site_interval = if may_set {
        view! {
            <div class="card stack-tight">
                <h2>{g.interval_of_site}</h2>
                {sweep_form(Sweep::Site, site, g.interval_of_site, g.as_configured)}
                <p class="hint">{g.interval_hint}</p>
            </div>
        }
        .into_any()
    } else {
        let said = site.map_or_else(|| g.as_configured.to_owned(), |site| interval(site, lang()));
        view! { <p class="muted">{g.interval_of_site}" "{said}</p> }.into_any()
    };
    let rows = lines.iter().map(|line| row(line, may_set)).collect_view();
    view! {
        <TableScroll label=t.gateways>
            <table class="table">
                <caption>{t.gateways}</caption>
                <thead>
                    <tr>
                        <th scope="col">{t.gateway}</th>
                        <th scope="col">{t.state}</th>
                        <th scope="col">{t.address}</th>
                        <th scope="col" class="number">{t.meters}</th>
                        <th scope="col" class="number">{t.lost}</th>
                        <th scope="col" class="number">{t.newest}</th>
                        <th scope="col" class="number">{t.oldest}</th>
                        <th scope="col">{g.interval}</th>
                        <th scope="col"><span class="visually-hidden">{t.action}</span></th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </TableScroll>
        {lines.is_empty().then(|| view! { <p class="empty">{g.no_gateways}</p> })}
        {site_interval}
        {may_set.then(|| trust_forms(lines))}
    }
}

fn row(line: &GatewayLine, may_set: bool) -> impl IntoView + use<> {
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
    let every = if may_set {
        sweep_form(Sweep::Gateway(line.id), line.sweep, g.interval, g.as_site).into_any()
    } else {
        line.sweep.map_or_else(|| g.as_site.to_owned(), |sweep| interval(sweep, lang())).into_any()
    };
    view! {
        <tr>
            <th scope="row">{line.name.clone()}</th>
            <td>{state(line)}</td>
            <td class="num">{line.address.clone()}<br /><span class="muted">{framing(&line.framing, lang())}</span></td>
            <td class="number">{line.meters}</td>
            <td class=lost>{line.lost}</td>
            <td class="number">{line.newest.map(|at| view! { <Ago at /> })}</td>
            <td class="number">{line.oldest.map(|at| view! { <Ago at /> })}</td>
            <td>{every}</td>
            <td>{retry}</td>
        </tr>
    }
}

/// Whether the gateway or only meters behind it are lost, what to check, and since when.
fn state(line: &GatewayLine) -> impl IntoView + use<> {
    let g = texts(lang());
    let said = line.health.map(|(seen, since)| {
        view! { <span class="muted">{health(seen, lang())}" · "{g.since}" "<At at=since /></span> }
    });
    let mark = if line.is_lost() {
        Some(g.gateway_lost)
    } else if line.lost > 0 {
        Some(g.meters_lost)
    } else {
        None
    };
    let noise = line.noise.map(|(times, last)| {
        view! { <br /><span class="muted">{noise_on_the_line(times, lang())}" "<Ago at=last /></span> }
    });
    view! { {mark.map(|word| view! { <span class="state lost">{word}</span>" " })}{said}{noise} }
}
