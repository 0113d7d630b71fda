//! Why a day cost what it did, as operators see it.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::super::frame::{Frame, Section};
use crate::i18n::price_steps::{DayTitle, texts};
use crate::i18n::{common, lang};
use crate::ports::{operator, ports};
use crate::ui::day_cost::CostSteps;
use crate::ui::load::load;
use model::console::DayCost;
use model::error::AppError;
use model::ids::MeterId;
use model::time::Date;

/// The page: `/rooms/:meter/days/:day`.
#[component]
pub fn DayCostPage() -> impl IntoView {
    let params = use_params_map();
    let part = move |name: &str| params.with_untracked(|params| params.get(name)).unwrap_or_default();
    let (meter, day) = (part("meter"), part("day"));
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        let meter: MeterId = meter.parse().map_err(|_| AppError::NotFound)?;
        let day: Date = day.parse().map_err(|_| AppError::NotFound)?;
        ports.prices.day_cost(&who, meter, day).await
    };
    load(read, |cost| view! { <Body cost /> }.into_any())
}

#[component]
fn Body(cost: DayCost) -> impl IntoView {
    let t = texts(lang());
    let room = format!("/rooms/{}", cost.meter);
    let title = DayTitle { day: common::calendar_day(cost.day, cost.today, lang()) }.text(lang());
    let to = |day: Date| format!("{room}/days/{day}");
    let before = to(cost.day.plus(-1));
    let after = (cost.day < cost.today).then(|| to(cost.day.plus(1)));
    let next = after.map(|href| view! { <a class="button" rel="next" href=href>{t.next_day}</a> });
    view! {
        <Frame title=title.clone() section=Section::Wall>
            <div class="stack-tight">
                <p class="small"><a href=room>{cost.room.to_string()}</a></p>
                <div class="page-head">
                    <h1>{title}</h1>
                    <span class="buttons no-print">
                        <a class="button" rel="prev" href=before>{t.day_before}</a>
                        {next}
                    </span>
                </div>
            </div>
            <CostSteps cost />
        </Frame>
    }
}
