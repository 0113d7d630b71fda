//! Fills a form of a page with what was typed into it before, and says at its field what is wrong.

use std::collections::HashMap;

use html_escape::{decode_html_entities, encode_text};
use lol_html::errors::RewritingError;
use model::error::AppError;

use super::html::{Change, Changes, Form, FormField, Input, Page, Tag, read};
use super::{KeptForm, WrongField};

/// Of the error at the first wrong field; the field refers to it.
const MESSAGE_ID: &str = "wrong-field";
/// Fields that take sentences.
const SENTENCES: [&str; 5] = ["reason", "resolution", "comment", "text", "note"];
/// Fields that are new with each page: they tell no form from another.
const NEW_EACH_TIME: [&str; 2] = ["key", "seal"];

/// What is said in the page.
pub struct RefusalWords<'a> {
    /// What the error means.
    pub error: &'a str,
    /// Stands before what was typed into a form that the page no longer has.
    pub typed: &'a str,
}

/// The page with its form as it was posted. Where it has no such form any more, because somebody else did what it is for, what
/// was written there stands below the error.
pub fn fill(html: &str, kept: &KeptForm, words: &RefusalWords<'_>) -> Result<String, RewritingError> {
    let page = read(html)?;
    let mut changes = Changes::default();
    let Some(form) = choose(&page.forms, kept) else {
        quote(&page, kept, words.typed, &mut changes);
        return changes.apply(html);
    };
    let mut posted: HashMap<&str, Vec<&str>> = HashMap::new();
    for (name, value) in &kept.fields {
        posted.entry(name).or_default().push(value);
    }
    for field in &form.fields {
        if let Some(values) = posted.get(field.name.as_str()) {
            give(field, values, &mut changes);
        } else if matches!(field.input, Input::Tick) {
            // A box that is not ticked is not sent.
            give(field, &[], &mut changes);
        }
    }
    if form.tag.get("method") == Some("post") {
        changes.add(form.tag.at, Change::Set("data-restored", String::new()));
    }
    if let Some(folded) = form.folded {
        changes.add(folded, Change::Set("open", String::new()));
    }
    let wrong = wrong(form, kept);
    if let Some(says) = wrong.iter().find_map(|(_, says)| *says) {
        tell(&page, words.error, says, &mut changes);
    }
    for (n, (field, says)) in wrong.into_iter().enumerate() {
        point(field, (n, says.unwrap_or(words.error)), &mut changes);
    }
    changes.apply(html)
}

/// Says above the form too what is said at its field, instead of what such an error means in general.
fn tell(page: &Page, error: &str, says: &str, changes: &mut Changes) {
    if let Some((at, _)) = page.alerts.iter().find(|(_, html)| decode_html_entities(html) == error) {
        changes.add(*at, Change::Content(says.to_owned()));
    }
}

/// Puts the sentences that were written into a form that is gone below the error.
fn quote(page: &Page, kept: &KeptForm, typed: &str, changes: &mut Changes) {
    let Some((at, _)) = page.alerts.first().filter(|_| kept.error.is_some()) else { return };
    let sentences = kept.fields.iter().filter(|(name, text)| SENTENCES.contains(&inner(name)) && !text.trim().is_empty());
    let quoted = sentences.map(|(_, text)| format!("<p class=\"notice\">{} {}</p>", encode_text(typed), encode_text(text)));
    changes.add(*at, Change::After(quoted.collect()));
}

/// The form that was posted: of those with its action the one that says the same, else one that asks for what was sent, as the
/// form before a confirmation does.
fn choose<'a>(forms: &'a [Form], kept: &KeptForm) -> Option<&'a Form> {
    let sent = |field: &&FormField| kept.fields.iter().any(|(name, _)| *name == field.name);
    let same = |field: &&FormField| {
        let value = field.tag.get("value").unwrap_or_default();
        matches!(field.input, Input::Hidden)
            && !NEW_EACH_TIME.contains(&field.name.as_str())
            && kept.fields.iter().any(|(name, given)| *name == field.name && given == value)
    };
    let posted = forms.iter().filter(|form| form.tag.get("action") == Some(kept.action.as_str()));
    // Of equals the first.
    let best = posted.rev().max_by_key(|form| (form.fields.iter().filter(same).count(), form.fields.iter().filter(sent).count()));
    best.or_else(|| {
        let typed = |form: &&Form| {
            let mut fields =
                form.fields.iter().filter(|field| !matches!(field.input, Input::Hidden | Input::Tick | Input::Secret)).peekable();
            fields.peek().is_some() && fields.all(|field| sent(&field))
        };
        forms.iter().filter(typed).rev().max_by_key(|form| form.fields.iter().filter(sent).count())
    })
}

fn give(field: &FormField, values: &[&str], changes: &mut Changes) {
    let mut mark = |at, name, is_chosen| {
        changes.add(at, if is_chosen { Change::Set(name, String::new()) } else { Change::Remove(name) });
    };
    match (&field.input, values.first()) {
        (Input::Text, Some(value)) => changes.add(field.tag.at, Change::Set("value", (*value).to_owned())),
        // The first line break in a text area is not part of its text.
        (Input::Area, Some(value)) => changes.add(field.tag.at, Change::Content(format!("\n{value}"))),
        (Input::Tick, first) if first.is_some() || field.tag.get("type") != Some("radio") => {
            mark(field.tag.at, "checked", values.contains(&field.tag.get("value").unwrap_or("on")));
        }
        (Input::Select(options), _) => {
            let is_chosen = |(tag, html): &(Tag, String)| {
                tag.get("value")
                    .map_or_else(|| values.contains(&&*decode_html_entities(html.trim())), |value| values.contains(&value))
            };
            if options.iter().any(is_chosen) {
                for option in options {
                    mark(option.0.at, "selected", is_chosen(option));
                }
            }
        }
        _ => {}
    }
}

/// The fields that the error is about, in the order of the form, each with its own message if it has one: the fields that the
/// server named, or else the field that such an error is always about, or else all whose text does not have the field's form.
fn wrong<'a>(form: &'a Form, kept: &'a KeptForm) -> Vec<(&'a FormField, Option<&'a str>)> {
    let asked = |field: &&FormField| !matches!(field.input, Input::Hidden);
    let named = |name: &str| form.fields.iter().filter(asked).find(|field| field.name == name || inner(&field.name) == name);
    let mut fields: Vec<(&FormField, Option<&str>)> = Vec::new();
    for WrongField { name, message } in &kept.wrong {
        // What the page itself says is shown wrong at what follows it.
        let hidden = form.fields.iter().skip_while(|field| field.name != *name).find(asked);
        let field = named(name).or(hidden);
        let field = field.filter(|field| fields.iter().all(|(other, _)| other.beside != field.beside));
        fields.extend(field.map(|field| (field, message.as_deref())));
    }
    if !kept.wrong.is_empty() {
        fields.sort_by_key(|(field, _)| field.beside);
        return fields;
    }
    let Some(error) = kept.error else { return fields };
    if let Some(field) = usual(error).iter().find_map(|name| named(name)) {
        return vec![(field, None)];
    }
    let is_misfit = |field: &&FormField| {
        let value = kept.fields.iter().find(|(name, _)| *name == field.name).map(|(_, value)| value.trim());
        matches!(field.input, Input::Text | Input::Area) && value.is_some_and(|value| !fits(field, value))
    };
    if matches!(error, AppError::Invalid | AppError::InvalidAmount) {
        fields.extend(form.fields.iter().filter(asked).filter(is_misfit).map(|field| (field, None)));
    }
    fields
}

/// The name within a form whose fields are called `form[name]`, and that of a list whose boxes are called `name[]`.
fn inner(name: &str) -> &str {
    match name.split_once('[') {
        Some((list, "]")) => list,
        Some((_, rest)) => rest.strip_suffix(']').unwrap_or(name),
        None => name,
    }
}

const fn usual(error: AppError) -> &'static [&'static str] {
    match error {
        AppError::InvalidAmount
        | AppError::AmountOutOfRange
        | AppError::HoardingLimit
        | AppError::ExceedsRemaining
        | AppError::ExceedsCorrectable
        | AppError::ExceedsRefundable => &["own", "amount", "counted", "float"],
        AppError::NameTaken | AppError::GatewayNameTaken => &["names", "name"],
        AppError::LoginTaken => &["login"],
        AppError::WeakPassword
        | AppError::PasswordAlone
        | AppError::PasswordTooLong
        | AppError::CommonPassword
        | AppError::PersonalPassword => &["password"],
        AppError::RegistrationTaken => &["registration"],
        AppError::SerialTaken => &["serial"],
        AppError::AddressTaken => &["unit"],
        AppError::NumberNotOfScheme | AppError::NumberTaken => &["number", "account"],
        AppError::DrawerDiffers | AppError::DifferencesOpen => &["reason", "comment"],
        AppError::ListTooLong => &["names", "rooms", "lines"],
        AppError::AlarmOrder => &["alarm2"],
        _ => &[],
    }
}

/// Whether a text keeps what its field asks for.
fn fits(field: &FormField, value: &str) -> bool {
    let number = |name: &str| field.tag.get(name).and_then(|text| text.parse::<f64>().ok());
    let has_characters = |most: f64| value.chars().count() as f64 <= most;
    if value.is_empty() {
        return !field.tag.has("required");
    }
    let is_number = field.tag.get("type") == Some("number");
    let digits = field.tag.get("inputmode") == Some("numeric") && !value.bytes().all(|byte| byte.is_ascii_digit());
    let parsed = value.parse::<f64>();
    let in_range = parsed
        .as_ref()
        .is_ok_and(|value| number("min").is_none_or(|least| *value >= least) && number("max").is_none_or(|most| *value <= most));
    let decimal = field.tag.get("inputmode") == Some("decimal") && parsed.is_err();
    number("maxlength").is_none_or(has_characters) && !digits && !decimal && (!is_number || in_range)
}

/// Says at a field what is wrong with it; `n` counts the wrong fields, of which the first is focused.
fn point(field: &FormField, (n, message): (usize, &str), changes: &mut Changes) {
    let id = if n == 0 { MESSAGE_ID.to_owned() } else { format!("{MESSAGE_ID}-{}", n + 1) };
    let described = field.tag.get("aria-describedby").map(|ids| format!("{ids} ")).unwrap_or_default();
    changes.add(field.tag.at, Change::Set("aria-invalid", "true".to_owned()));
    changes.add(field.tag.at, Change::Set("aria-describedby", format!("{described}{id}")));
    if n == 0 {
        changes.add(field.tag.at, Change::Set("autofocus", String::new()));
    }
    let says = format!("<span class=\"problem\" id=\"{id}\">{}</span>", encode_text(message));
    changes.add(field.beside, Change::After(says));
}

#[cfg(test)]
mod tests;
