//! Meters whose switch time has passed without the new prices having been read.

use leptos::prelude::*;

use super::super::frame::{Frame, Section};
use super::super::parts::{page_param, pager};
use crate::i18n::commands::{prices, reason, texts};
use crate::i18n::{common, lang};
use crate::ports::{allowed, operator, ports};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::{Ago, At};
use model::command::CommandReason;
use model::console::{MissedSwitch, Page};
use model::meter::SupplyState;

/// The page: `/commands/missed-price-switches`.
#[component]
pub fn MissedPriceSwitchPage() -> impl IntoView {
    let number = page_param();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.batches.missed_price_switches(&who, number).await
    };
    load(read, move |page| view! { <List page number /> }.into_any())
}

#[component]
fn List(page: Page<MissedSwitch>, number: i64) -> impl IntoView {
    let t = texts(lang());
    let rows = page.lines.iter().map(row).collect_view();
    view! {
        <Frame title=t.missed_title section=Section::Commands>
            <h1>{t.missed_title}</h1>
            <p class="hint">{t.missed_hint}</p>
            <Notice />
            <TableScroll label=t.missed_title>
                <table class="table sticky">
                    <caption class="visually-hidden">{t.missed_title}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t.meters}</th>
                            <th scope="col">{t.since}</th>
                            <th scope="col">{t.planned}</th>
                            <th scope="col">{t.why}</th>
                            <th scope="col"><span class="visually-hidden">{t.retry_one}</span></th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableScroll>
            {page.lines.is_empty().then(|| view! { <p class="empty">{t.no_missed}</p> })}
            {pager(&page, number, "/commands/missed-price-switches")}
        </Frame>
    }
}

fn row(line: &MissedSwitch) -> impl IntoView + use<> {
    let t = texts(lang());
    let why = match (line.failed, line.loaded) {
        (true, _) => reason(CommandReason::Missed, lang()),
        (false, false) => t.not_loaded.to_owned(),
        (false, true) => t.not_looked.to_owned(),
    };
    let state = if line.unreadable { SupplyState::Unreadable } else { SupplyState::Lost };
    let lost = line.lost_since.map(|at| view! { " · "{common::supply(state, lang())}" "<Ago at /> });
    view! {
        <tr>
            <th scope="row"><a href=format!("/rooms/{}", line.meter)>{line.room.to_string()}</a></th>
            <td><At at=line.at /></td>
            <td class="long"><a href=format!("/commands/{}", line.batch)>{prices(&line.prices, lang())}</a></td>
            <td>{why}{lost}</td>
            <td>
                {(line.failed && allowed("/api/operator/retry-batch")).then(|| view! {
                    <form method="post" action="/api/operator/retry-batch">
                        <input type="hidden" name="batch" value=line.batch.to_string() />
                        <input type="hidden" name="meter" value=line.meter.to_string() />
                        <button>{t.retry_one}</button>
                    </form>
                })}
            </td>
        </tr>
    }
}
