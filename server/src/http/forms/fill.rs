//! Fills a form of a page with what was typed into it before, and says at its field what is wrong.

use std::collections::HashMap;
use std::ops::Range;

use model::error::AppError;

use super::html::{Form, FormField, Input, escaped, forms, unescaped};
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
pub fn fill(html: &str, kept: &KeptForm, words: &RefusalWords<'_>) -> String {
    let forms = forms(html);
    let mut edits = Edits::default();
    let Some(form) = choose(&forms, kept) else {
        quote(html, kept, words.typed, &mut edits);
        return edits.apply(html);
    };
    let mut posted: HashMap<&str, Vec<&str>> = HashMap::new();
    for (name, value) in &kept.fields {
        posted.entry(name).or_default().push(value);
    }
    for field in &form.fields {
        if let Some(values) = posted.get(field.name.as_str()) {
            give(html, field, values, &mut edits);
        } else if matches!(field.input, Input::Tick) {
            // A box that is not ticked is not sent.
            give(html, field, &[], &mut edits);
        }
    }
    if form.tag.get("method") == Some("post") && !form.tag.has("data-restored") {
        edits.insert(form.tag.inside(html), " data-restored=\"\"");
    }
    if let Some(folded) = &form.folded {
        edits.insert(folded.inside(html), " open");
    }
    let wrong = wrong(form, kept);
    if let Some(says) = wrong.iter().find_map(|(_, says)| *says) {
        tell(html, words.error, says, &mut edits);
    }
    for (n, (field, says)) in wrong.into_iter().enumerate() {
        point(html, field, (n, says.unwrap_or(words.error)), &mut edits);
    }
    edits.apply(html)
}

/// The place of the text of the error above the form.
fn notice(html: &str) -> Option<Range<usize>> {
    let tag = html.find("role=\"alert\"")?;
    let start = tag + html.get(tag..)?.find('>')? + 1;
    Some(start..start + html.get(start..)?.find("</p>")?)
}

/// Says above the form too what is said at its field, instead of what such an error means in general.
fn tell(html: &str, error: &str, says: &str, edits: &mut Edits) {
    let place = notice(html).filter(|place| html.get(place.clone()).is_some_and(|text| unescaped(text) == error));
    if let Some(place) = place {
        edits.replace(place, escaped(says));
    }
}

/// Puts the sentences that were written into a form that is gone below the error.
fn quote(html: &str, kept: &KeptForm, typed: &str, edits: &mut Edits) {
    let Some(place) = notice(html).filter(|_| kept.error.is_some()) else { return };
    let end = place.end + "</p>".len();
    for (name, text) in &kept.fields {
        if SENTENCES.contains(&inner(name)) && !text.trim().is_empty() {
            edits.insert(end, &format!("<p class=\"notice\">{} {}</p>", escaped(typed), escaped(text)));
        }
    }
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

fn give(html: &str, field: &FormField, values: &[&str], edits: &mut Edits) {
    match &field.input {
        Input::Hidden | Input::Secret => {}
        Input::Text(None) => {
            let Some(value) = values.first() else { return };
            edits.remove(field.tag.place("value"));
            edits.insert(field.tag.inside(html), &format!(" value=\"{}\"", escaped(value)));
        }
        Input::Text(Some(inner)) => {
            let Some(value) = values.first() else { return };
            // The first line break in a text area is not part of its text.
            edits.replace(inner.clone(), format!("\n{}", escaped(value)));
        }
        Input::Tick => {
            if values.is_empty() && field.tag.get("type") == Some("radio") {
                return;
            }
            edits.remove(field.tag.place("checked"));
            if values.contains(&field.tag.get("value").unwrap_or("on")) {
                edits.insert(field.tag.inside(html), " checked");
            }
        }
        Input::Select(options) => {
            let named = |inner: &Range<usize>| unescaped(html.get(inner.clone()).unwrap_or_default().trim());
            let is_chosen = |(tag, inner): &(super::html::Tag, Range<usize>)| {
                tag.get("value").map_or_else(|| values.contains(&named(inner).as_str()), |value| values.contains(&value))
            };
            if !options.iter().any(is_chosen) {
                return;
            }
            for option in options {
                edits.remove(option.0.place("selected"));
                if is_chosen(option) {
                    edits.insert(option.0.inside(html), " selected");
                }
            }
        }
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
        let field = field.filter(|field| fields.iter().all(|(other, _)| other.end != field.end));
        fields.extend(field.map(|field| (field, message.as_deref())));
    }
    if !kept.wrong.is_empty() {
        fields.sort_by_key(|(field, _)| field.end);
        return fields;
    }
    let Some(error) = kept.error else { return fields };
    if let Some(field) = usual(error).iter().find_map(|name| named(name)) {
        return vec![(field, None)];
    }
    let is_misfit = |field: &&FormField| {
        let value = kept.fields.iter().find(|(name, _)| *name == field.name).map(|(_, value)| value.trim());
        matches!(field.input, Input::Text(_)) && value.is_some_and(|value| !fits(field, value))
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
fn point(html: &str, field: &FormField, (n, message): (usize, &str), edits: &mut Edits) {
    edits.remove(field.tag.place("aria-invalid"));
    edits.remove(field.tag.place("aria-describedby"));
    let id = if n == 0 { MESSAGE_ID.to_owned() } else { format!("{MESSAGE_ID}-{}", n + 1) };
    let described = field.tag.get("aria-describedby").map(|ids| format!("{ids} ")).unwrap_or_default();
    let focus = if n > 0 || field.tag.has("autofocus") { "" } else { " autofocus" };
    let says = format!(" aria-invalid=\"true\" aria-describedby=\"{}{id}\"{focus}", escaped(&described));
    edits.insert(field.tag.inside(html), &says);
    edits.insert(field.end, &format!("<span class=\"problem\" id=\"{id}\">{}</span>", escaped(message)));
}

#[derive(Default)]
struct Edits(Vec<(Range<usize>, String)>);

impl Edits {
    fn insert(&mut self, at: usize, text: &str) {
        self.0.push((at..at, text.to_owned()));
    }

    fn remove(&mut self, place: Option<Range<usize>>) {
        self.0.extend(place.map(|place| (place, String::new())));
    }

    fn replace(&mut self, place: Range<usize>, text: String) {
        self.0.push((place, text));
    }

    fn apply(mut self, html: &str) -> String {
        self.0.sort_by_key(|(place, _)| place.start);
        let (mut page, mut at) = (String::with_capacity(html.len() + 4096), 0);
        for (place, text) in self.0 {
            page.push_str(html.get(at..place.start).unwrap_or_default());
            page.push_str(&text);
            at = at.max(place.end);
        }
        page.push_str(html.get(at..).unwrap_or_default());
        page
    }
}

#[cfg(test)]
mod tests;
