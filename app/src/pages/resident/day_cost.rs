//! Why a day cost what it did, as the resident sees it.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::frame::{Frame, Tab, load};
use crate::api::resident as api;
use crate::i18n::price_steps::{DayTitle, texts};
use crate::i18n::resident_usage as usage;
use crate::i18n::{common, lang};
use crate::ui::day_cost::CostSteps;
use model::console::DayCost;
use model::error::AppError;
use model::time::Date;

/// The page: `/usage/days/:day`.
#[component]
pub fn DayCostPage() -> impl IntoView {
    let day = use_params_map().with_untracked(|params| params.get_str("day").and_then(|day| day.parse().ok()));
    let read = async move { api::day_cost(day.ok_or(AppError::NotFound)?).await };
    load(Tab::Usage, read, |cost| view! { <Body cost /> }.into_any())
}

#[component]
fn Body(cost: DayCost) -> impl IntoView {
    let t = texts(lang());
    let title = DayTitle { day: common::calendar_day(cost.day, cost.today, lang()) }.text(lang());
    let to = |day: Date| format!("/usage/days/{day}");
    let before = to(cost.day.plus(-1));
    let next = (cost.day < cost.today).then(|| to(cost.day.plus(1)));
    let next = next.map(|href| view! { <a class="button" rel="next" href=href>{t.next_day}</a> });
    let back = format!("/usage?to={0}&day={0}", cost.day);
    view! {
        <Frame title tab=Tab::Usage>
            <p class="buttons">
                <a class="button" rel="prev" href=before>{t.day_before}</a>
                {next}
            </p>
            <CostSteps cost />
            <a class="button wide" href=back>{usage::texts(lang()).to_usage}</a>
        </Frame>
    }
}
