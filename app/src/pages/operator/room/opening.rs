//! Opening an account: on one or more meters of the room, for one or more residents, with or without a first purchase.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::super::parts::param;
use super::forms::tenders;
use crate::api::accounts::{METERS_MAX, RESIDENTS_MAX};
use crate::i18n::room::{RoomTexts, resident, texts};
use crate::i18n::{account_numbers, errors, lang};
use model::console::OtherMeter;
use model::error::AppError;
use model::ids::{MeterId, Uuid};

/// The submitted values after an error, and the row that has the error.
struct SubmittedForm {
    names: Vec<String>,
    logins: Vec<String>,
    meters: Vec<String>,
    amount: String,
    problem: Option<(String, &'static str)>,
}

impl SubmittedForm {
    fn read() -> Self {
        let all = |name: &str| use_query_map().with_untracked(|query| query.get_all(name)).unwrap_or_default();
        let error = AppError::from_code(&param("e"));
        Self {
            names: all("name"),
            logins: all("login"),
            meters: all("also"),
            amount: param("amount"),
            problem: error.map(|error| (param("row"), errors::message(error, lang()))),
        }
    }

    /// The error of a row.
    fn problem(&self, row: &str) -> Option<&'static str> {
        self.problem.as_ref().filter(|(of, _)| of == row).map(|(_, says)| *says)
    }
}

/// The form. After an error the page is shown again with `?do=open` and the submitted values except passwords.
pub fn opening(meter: MeterId, free: &[OtherMeter], key: Uuid) -> impl IntoView + use<> {
    let (t, numbers) = (texts(lang()), account_numbers::texts(lang()));
    let before = if param("do") == "open" { Some(SubmittedForm::read()) } else { None };
    let amount = before.as_ref().map(|before| before.amount.clone());
    let more = before.as_ref().is_some_and(|before| before.names.len() > 1);
    let mut rows = (0..RESIDENTS_MAX).map(|index| row(&t, index, before.as_ref()));
    let first = rows.next();
    let others = rows.collect_view();
    view! {
        <form class="card stack-tight" method="post" action="/api/operator/open-account">
            <h2>{t.open_account}</h2>
            <p class="hint">{t.open_hint}</p>
            <input type="hidden" name="meter" value=meter.to_string() />
            <input type="hidden" name="key" value=key.to_string() />
            {meters(&t, free, before.as_ref())}
            {first}
            <p class="hint">{t.password_hint}</p>
            <details open=more>
                <summary>{t.more_residents}</summary>
                <div class="stack-tight">{others}</div>
            </details>
            <label class="field">
                <span>{numbers.manual}</span>
                <input class="input" name="number" inputmode="numeric" maxlength="16" pattern="[0-9０-９]{16}"
                    autocomplete="off" />
                <span class="hint">{numbers.manual_hint}</span>
            </label>
            <label class="field">
                <span>{t.first_purchase}</span>
                <input class="input" name="amount" inputmode="decimal" autocomplete="off"
                    pattern="[0-9０-９]+([.．][0-9０-９]{1,2})?" value=amount />
                <span class="hint">{if free.is_empty() { t.first_hint } else { t.first_hint_meters }}</span>
            </label>
            {tenders()}
            <button class="primary">{t.open_account}</button>
        </form>
    }
}

/// The other meters of the room, with those that were chosen before an error.
fn meters(t: &RoomTexts, free: &[OtherMeter], before: Option<&SubmittedForm>) -> Option<impl IntoView + use<>> {
    let chosen = |id: &str| before.is_some_and(|before| before.meters.iter().any(|one| one == id));
    // A refused meter may no longer be among the free ones.
    let problem = before.and_then(|before| before.meters.iter().find_map(|id| before.problem(id)));
    let boxes = free.iter().take(METERS_MAX).map(|one| {
        let id = one.meter.to_string();
        let checked = chosen(&id);
        view! {
            <label class="check">
                <input type="checkbox" name="also[]" value=id checked=checked />
                <span class="num">{one.serial.clone()}</span>
            </label>
        }
    });
    (!free.is_empty() || problem.is_some()).then(|| {
        view! {
            <fieldset class="group">
                <legend>{t.also_meters}</legend>
                {boxes.collect_view()}
                {problem.map(|says| view! { <p class="problem" role="alert">{says}</p> })}
            </fieldset>
        }
    })
}

/// The fields of one resident. The first is required; empty further rows are ignored.
fn row(t: &RoomTexts, index: usize, before: Option<&SubmittedForm>) -> impl IntoView + use<> {
    let written = |of: fn(&SubmittedForm) -> &Vec<String>| before.and_then(|before| of(before).get(index)).cloned();
    let (name, login) = (written(|before| &before.names), written(|before| &before.logins));
    let problem = before.and_then(|before| before.problem(&index.to_string()));
    let (first, wrong) = (index == 0, problem.is_some());
    // Focus the row with the error, otherwise the first.
    let focus = wrong || (first && before.is_some_and(|before| before.problem.is_none()));
    let says = format!("resident-{index}");
    let described = wrong.then(|| says.clone());
    let invalid = wrong.then_some("true");
    let field = |field: &str| format!("residents[{index}][{field}]");
    view! {
        <fieldset class="group" aria-describedby=described>
            <legend>{resident(index + 1, lang())}</legend>
            {problem.map(|problem| view! { <p class="problem" id=says role="alert">{problem}</p> })}
            <label class="field">
                <span>{t.name}</span>
                <input class="input" name=field("name") value=name required=first maxlength="40" autocomplete="off"
                    autofocus=focus aria-invalid=invalid />
            </label>
            <label class="field">
                <span>{t.login}</span>
                <input class="input" name=field("login") value=login required=first maxlength="60" autocomplete="off"
                    autocapitalize="off" spellcheck="false" aria-invalid=invalid />
            </label>
            <label class="field">
                <span>{t.first_password}</span>
                <input class="input" name=field("password") minlength="8" maxlength="200"
                    autocomplete="new-password" aria-invalid=invalid />
            </label>
        </fieldset>
    }
}
