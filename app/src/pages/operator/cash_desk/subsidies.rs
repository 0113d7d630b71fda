//! Monthly subsidies: the rules, and the form to set one.

use leptos::prelude::*;

use super::super::frame::{Frame, Section};
use super::super::place_field::PlaceField;
use crate::api::ledger::{Subsidies, SubsidyRule};
use crate::i18n::lang;
use crate::i18n::ledger::texts;
use crate::ports::{allowed, operator, ports};
use crate::ui::data_table::{Column, DataTable};
use crate::ui::field::Field;
use crate::ui::load::load;
use crate::ui::notice::Notice;
use model::money::Fen;
use model::subsidy::Per;

/// The page: `/subsidies`.
#[component]
pub fn SubsidiesPage() -> impl IntoView {
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.ledger.subsidies(&who).await
    };
    load(read, |shown| view! { <Body shown /> }.into_any())
}

#[component]
fn Body(shown: Subsidies) -> impl IntoView {
    let t = texts(lang());
    let (rooms, sum) = shown.given;
    let rows = shown.rules.iter().map(row).collect_view();
    let columns =
        [Column::text(t.place), Column::text(t.from), Column::number(t.amount), Column::text(t.per), Column::text(t.by)];
    let places = shown.places.clone();
    let form = allowed("/api/operator/subsidy").then(|| {
        view! {
            <form class="card stack-tight" method="post" action="/api/operator/subsidy">
                <h2>{t.decide}</h2>
                <PlaceField label=t.place places />
                <Field name="from" label=t.from kind="month" value=shown.month.to_string() />
                <Field name="amount" label=t.amount inputmode="decimal" hint=t.amount_hint optional=true />
                <label class="field">
                    <span>{t.per}</span>
                    <select name="per">
                        <option value="room">{t.per_room}</option>
                        <option value="head">{t.per_head}</option>
                    </select>
                </label>
                <button>{t.decide}</button>
            </form>
        }
    });
    view! {
        <Frame title=t.subsidies section=Section::Ledger>
            <h1>{t.subsidies}</h1>
            <Notice />
            <p class="hint">{t.subsidies_hint}</p>
            <p>{shown.month.to_string()}": "{t.given}" "<span class="num">{sum.to_string()}</span>" · "{rooms}" "{t.rooms}</p>
            <DataTable label=t.subsidies columns stacked=true>{rows}</DataTable>
            {shown.rules.is_empty().then(|| view! { <p class="empty">{t.no_rules}</p> })}
            {form}
        </Frame>
    }
}

fn row(rule: &SubsidyRule) -> impl IntoView + use<> {
    let t = texts(lang());
    let amount = if rule.amount == Fen::ZERO { t.ended.to_owned() } else { rule.amount.to_string() };
    view! {
        <tr>
            <th scope="row">{rule.place.clone()}</th>
            <td class="num" data-label=t.from>{rule.from.to_string()}</td>
            <td class="number" data-label=t.amount>{amount}</td>
            <td data-label=t.per>{if rule.per == Per::Room { t.per_room } else { t.per_head }}</td>
            <td data-label=t.by>{rule.by.clone()}</td>
        </tr>
    }
}
