//! What a line says beyond its action: the values of its detail, each with its name.

mod keys;
#[cfg(test)]
mod tests;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{labelled, texts};
use crate::i18n::{
    Lang, account_lifecycle, approvals, auth, cases, cash_desk, commands, common, events, ledger, meter_states, notifications,
    operators, places, refunds, site_workbook,
};
use model::approval::Decision;
use model::audit::{AuditAction, AuditLine, Names, Verification, kind_of};
use model::case::{CaseDetail, CaseKind, PaymentReason};
use model::command::CommandReason;
use model::console::ClosingKind;
use model::energy::Energy;
use model::event::EventKind;
use model::ids::Uuid;
use model::issue::Issue;
use model::log_in::LogInMethod;
use model::meter::{ControlMode, Wallet};
use model::money::{Fen, Money};
use model::notification::NotificationKind;
use model::order::{OrderState, ReturnKind, Tender};
use model::permission::Permission;
use model::refund::RefundSource;
use model::site_workbook::{Column, Counts, Sheet};
use model::subsidy::Per;
use model::time::Timestamp;

use keys::{Form, KEYS};

/// The values of a line's detail; `None` where it has none to say.
#[must_use]
pub fn detail(line: &AuditLine, names: &Names, lang: Lang) -> Option<String> {
    let action = AuditAction::parse(&line.action);
    if action == Some(AuditAction::AuditVerify)
        && let Ok(found) = serde_json::from_str::<Verification>(&line.detail)
    {
        return Some(super::verification(&found, lang));
    }
    if action == Some(AuditAction::CaseFollow) {
        return followed(&line.detail, lang);
    }
    // These write the detail of a case.
    let case = match action {
        Some(AuditAction::CommandHeld) => Some(CaseKind::Delivery),
        Some(AuditAction::CommandDisobeyed | AuditAction::CommandNotPermitted) => Some(CaseKind::Relay),
        Some(AuditAction::PricesMissed) => Some(CaseKind::Prices),
        _ => None,
    };
    if let Some(Ok(case)) = case.map(|kind| CaseDetail::from_json(kind, &line.detail)) {
        return cases::facts(&case, lang);
    }
    let Ok(Value::Object(detail)) = serde_json::from_str(&line.detail) else { return None };
    let area = line.action.split_once('.').map_or("", |(area, _)| area);
    let mut words = DetailText { area, action: &line.action, names, lang, parts: Vec::new() };
    words.object(&detail);
    common::clauses(words.parts, lang)
}

struct DetailText<'a> {
    area: &'a str,
    action: &'a str,
    names: &'a Names,
    lang: Lang,
    parts: Vec<String>,
}

/// A value with its key and how it is said.
#[derive(Clone, Copy)]
struct Entry<'a> {
    key: &'a str,
    form: Form,
    value: &'a Value,
}

impl<'a> Entry<'a> {
    const fn with(self, value: &'a Value) -> Self {
        Self { value, ..self }
    }
}

/// The record that a case had, and the one that it has now.
#[derive(Deserialize)]
struct Followed {
    kind: CaseKind,
    was: String,
    is: String,
}

fn followed(detail: &str, lang: Lang) -> Option<String> {
    let Followed { kind, was, is } = serde_json::from_str(detail).ok()?;
    let facts = |record: &str| CaseDetail::from_json(kind, record).ok().and_then(|case| cases::facts(&case, lang));
    let t = texts(lang).detail;
    let records = [(t.was, facts(&was)), (t.is, facts(&is))];
    let records = records.into_iter().filter_map(|(label, facts)| Some(labelled(label, facts?, lang)));
    common::clauses([cases::case(kind, lang).name.to_owned()].into_iter().chain(records), lang)
}

impl DetailText<'_> {
    fn object(&mut self, detail: &Map<String, Value>) {
        for (key, form) in KEYS {
            if let Some(value) = detail.get(*key) {
                self.entry(Entry { key, form: *form, value });
            }
        }
        for (key, value) in detail {
            if !KEYS.iter().any(|(known, _)| known == key) {
                self.entry(Entry { key, form: Form::Text, value });
            }
        }
    }

    fn entry(&mut self, entry: Entry<'_>) {
        match (entry.form, entry.value) {
            (Form::Raw, _) | (_, Value::Null) => {}
            (Form::Inside, Value::Object(inner)) => self.object(inner),
            (Form::Issue | Form::Decision | Form::Kind | Form::Counts, _) => self.parts.extend(self.value(entry)),
            _ => {
                let label = texts(self.lang).detail.get(entry.key).map_or_else(|| entry.key.replace('_', " "), str::to_owned);
                self.parts.extend(self.value(entry).map(|value| labelled(&label, value, self.lang)));
            }
        }
    }

    /// A value in words; `None` where it says nothing.
    fn value(&self, entry: Entry<'_>) -> Option<String> {
        let Entry { form, value, .. } = entry;
        if let Value::Array(values) = value
            && form != Form::Counts
        {
            return common::list(values.iter().filter_map(|value| self.value(entry.with(value))), self.lang);
        }
        match form {
            Form::Cells => return self.cell(value),
            Form::Files => return file(value),
            _ => {}
        }
        if let (Some(before), Some(after)) = (value.get("before"), value.get("after")) {
            let side = |value| self.value(entry.with(value)).unwrap_or_else(|| "—".to_owned());
            let (before, after) = (side(before), side(after));
            return Some(if before == after { after } else { format!("{before} → {after}") });
        }
        let t = texts(self.lang);
        let yuan = |amount: String| format!("{amount} {}", common::yuan(self.lang));
        let number = || value.as_i64();
        match form {
            Form::Fen => number().map(|fen| yuan(Fen(fen).to_string())),
            Form::Money => number().map(|e4| yuan(Money(e4).to_string())),
            Form::Energy => number().map(|wh| format!("{} kWh", Energy(wh))),
            Form::Watts => number().map(|watts| if watts == 0 { t.value.unlimited.to_owned() } else { format!("{watts} W") }),
            Form::Seconds => number().map(|seconds| format!("{seconds} s")),
            Form::Milliseconds => number().map(|ms| format!("{ms} ms")),
            Form::Instant => number().map(|at| Timestamp(at).to_string()),
            Form::YesNo => value.as_bool().map(|yes| if yes { t.value.yes } else { t.value.no }.to_owned()),
            Form::Issue => serde_json::from_value::<Issue>(value.clone()).ok().map(|issue| commands::summary(&issue, self.lang)),
            Form::Decision => serde_json::from_value::<Decision>(value.clone()).ok().map(|asked| self.decision(&asked)),
            Form::Counts => self.counts(value),
            Form::Cells | Form::Files => None,
            _ => self.text(entry),
        }
    }

    fn text(&self, Entry { key, form, value }: Entry<'_>) -> Option<String> {
        let Value::String(word) = value else { return plain(value) };
        let (t, lang) = (texts(self.lang), self.lang);
        if matches!(form, Form::Id | Form::Buildings | Form::Role)
            && let Ok(id) = Uuid::parse_str(word)
        {
            return self.names.get(&format!("{}:{}", kind_of(key)?, id.as_simple())).cloned();
        }
        let known = match form {
            Form::Tender => Tender::parse(word).map(|tender| common::tender(tender, lang).to_owned()),
            Form::Mode => ControlMode::parse(word).map(|mode| common::mode(mode, lang).to_owned()),
            Form::Per => Per::parse(word).map(|per| per_words(per, lang).to_owned()),
            Form::Kind => self.kind(word),
            Form::Permission => Permission::parse(word).map(|one| operators::permission(one, lang).to_owned()),
            Form::LogInMethod => LogInMethod::parse(word).map(|method| auth::method(method, lang).to_owned()),
            Form::Wallet => Wallet::parse(word).map(|wallet| meter_states::wallet(wallet, lang).to_owned()),
            Form::OrderState => OrderState::parse(word).map(|state| common::order(state, lang).to_owned()),
            Form::Source if self.area == "refund" => {
                RefundSource::parse(word).map(|source| refunds::source(source, lang).to_owned())
            }
            Form::Reason => return self.reason(word),
            Form::Resolution => Some(cases::resolution(word, lang)),
            Form::Word | Form::Source | Form::Role | Form::Buildings => t.value.get(word).map(str::to_owned),
            _ => None,
        };
        known.or_else(|| plain(value))
    }

    fn kind(&self, word: &str) -> Option<String> {
        let lang = self.lang;
        match self.area {
            "return" => ReturnKind::parse(word).map(|kind| cash_desk::kind(kind, lang).to_owned()),
            "case" | "statement" => CaseKind::parse(word).map(|kind| cases::case(kind, lang).name.to_owned()),
            "notification" => NotificationKind::parse(word).map(|kind| notifications::kind(kind, lang).to_owned()),
            "event" => EventKind::parse(word).map(|kind| events::event(kind, lang).name.to_owned()),
            "closing" | "account" | "meter" => {
                let closing = ClosingKind::parse(word).map(|kind| account_lifecycle::kind(kind, lang).to_owned());
                closing.or_else(|| texts(lang).value.get(word).map(str::to_owned))
            }
            _ => texts(lang).value.get(word).map(str::to_owned),
        }
    }

    /// Reasons of the system are codes; people's are said as they were written.
    fn reason(&self, word: &str) -> Option<String> {
        let known = match self.area {
            // The action says it already.
            "payment" if self.action.ends_with(word) => return None,
            "payment" => PaymentReason::parse(word).map(|reason| cases::payment_reason(reason, self.lang).to_owned()),
            "refund" => return Some(refunds::reason(word, true, self.lang)),
            "command" => CommandReason::parse(word).map(|reason| commands::reason(reason, self.lang)),
            "order" => texts(self.lang).value.get(word).map(str::to_owned),
            _ => None,
        };
        known.or_else(|| (!word.is_empty()).then(|| word.to_owned()))
    }

    fn decision(&self, asked: &Decision) -> String {
        let value = match asked {
            Decision::Subsidy { from, per, amount, .. } => {
                let (yuan, per) = (common::yuan(self.lang), per_words(*per, self.lang));
                Some(format!("{amount} {yuan} / {per}, {from}"))
            }
            Decision::Prices { plan, .. } => Some(plan.clone()),
            Decision::PricePlace { plan, .. } | Decision::PriceGroup { plan: Some(plan), .. } => {
                self.names.get(&format!("plan:{}", plan.as_simple())).cloned()
            }
            Decision::PriceGroup { plan: None, .. } => Some(places::texts(self.lang).no_plan.to_owned()),
            Decision::WriteOff { .. } | Decision::CloseForeign { .. } | Decision::Adjustment { .. } => None,
        };
        let kind = approvals::kind(asked.kind(), self.lang);
        value.map_or_else(|| kind.to_owned(), |value| labelled(kind, value, self.lang))
    }

    /// A cell that an import changed: of which row, and its values.
    fn cell(&self, value: &Value) -> Option<String> {
        let text = |key| value.get(key).and_then(Value::as_str);
        let column = text("column").and_then(Column::parse).map(|column| column.title(self.lang));
        let side = |key| text(key).filter(|text| !text.is_empty()).unwrap_or("—");
        let change = format!("{} → {}", side("before"), side("after"));
        Some(format!("{} {}", text("of")?, labelled(column.unwrap_or_default(), change, self.lang)))
    }

    /// What an import did, by sheet.
    fn counts(&self, value: &Value) -> Option<String> {
        let counts: Vec<Counts> = serde_json::from_value(value.clone()).ok()?;
        let t = texts(self.lang).detail;
        let changes = Sheet::ALL.into_iter().zip(counts).filter(|(_, n)| n.created + n.changed > 0);
        let parts = changes.map(|(sheet, n)| {
            format!("{} {} {}, {} {}", site_workbook::sheet(sheet, self.lang), t.created, n.created, t.changed, n.changed)
        });
        common::clauses(parts, self.lang)
    }
}

fn file(value: &Value) -> Option<String> {
    let text = |key| value.get(key).and_then(Value::as_str);
    Some(format!("{} (SHA-256 {})", text("name")?, text("sha256")?))
}

fn per_words(per: Per, lang: Lang) -> &'static str {
    match per {
        Per::Room => ledger::texts(lang).per_room,
        Per::Head => ledger::texts(lang).per_head,
    }
}

/// A value as it is; nothing for ids, empty texts and what has parts.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.is_empty() || Uuid::parse_str(text).is_ok() => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
