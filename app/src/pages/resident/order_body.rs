//! The body of an order's page, rendered by the server and again in the browser when it changes.

use leptos::prelude::*;

use super::offered_channels::offered_channels;
use crate::api::resident::{OrderView, Power, RefundView};
use crate::i18n::resident::{sentences, texts};
use crate::i18n::{Lang, account_records, common};
use crate::ui::steps::{Step, StepState, steps};
use model::account_record::{OtherRoom, SaleCorrection};
use model::order::{OrderState, ReturnState, TakenBack};

/// The class and the words of a state by itself.
#[must_use]
pub fn headline(state: OrderState, lang: Lang) -> (&'static str, &'static str) {
    let t = texts(lang);
    match state {
        OrderState::Pending => ("accent", t.head_pending),
        OrderState::Paid => ("accent", t.head_paid),
        OrderState::Credited => ("open", t.head_credited),
        OrderState::Closed => ("quiet", t.head_closed),
        OrderState::Refunding => ("quiet", t.step_refunding),
        OrderState::Refunded => ("quiet", t.step_refunded),
        OrderState::Case => ("alarm1", t.step_case),
    }
}

/// The headline, what is waiting and why, the steps, the actions and the facts.
pub fn order_body(order: &OrderView, lang: Lang) -> impl IntoView + use<> {
    let t = texts(lang);
    let (class, head) = match order.state {
        OrderState::Pending if order.held => ("alarm1", t.step_checking),
        OrderState::Credited if order.power.is_some() => ("open", t.head_in_account),
        OrderState::Closed if order.refunds.iter().any(|refund| refund.done_at.is_some()) => ("quiet", t.step_refunded),
        state => headline(state, lang),
    };
    let back = TakenBack::of(&order.corrections);
    let (class, head) = if order.state == OrderState::Credited && back != TakenBack::default() {
        ("quiet", account_records::became(order.state, order.amount, back, lang))
    } else {
        (class, head.to_owned())
    };
    let waits = order
        .lost_since
        .filter(|_| order.state == OrderState::Paid)
        .map(|since| sentences::safe(since, order.next_at, order.now, lang));
    view! {
        <header>
            <h1 class="big num">{order.amount.to_string()}<span class="unit">{common::yuan(lang)}</span></h1>
            <p class=format!("state {class}")>{head}</p>
        </header>
        {waits.map(|words| view! { <div class="notice lost"><p>{words}</p></div> })}
        <section class="card">{steps(order_steps(order, lang), order.now, lang)}</section>
        {actions(order, lang)}
        {facts(order, lang)}
    }
}

fn actions(order: &OrderView, lang: Lang) -> impl IntoView + use<> {
    let t = texts(lang);
    match order.state {
        OrderState::Pending if !order.held && !matches!(order.other_room, Some(OtherRoom::PaidBy(_))) => view! {
            <form method="post" action="/api/resident/pay">
                <input type="hidden" name="order" value=order.id.to_string() />
                <button class="primary wide tall">{t.pay_now}</button>
            </form>
            {other_ways(order, lang)}
        }
        .into_any(),
        OrderState::Closed | OrderState::Refunded => {
            view! { <a class="button primary wide tall" href="/topup">{t.again}</a> }.into_any()
        }
        OrderState::Credited => view! { <a class="button primary wide tall" href="/home">{t.done}</a> }.into_any(),
        OrderState::Pending | OrderState::Paid | OrderState::Refunding | OrderState::Case => {
            view! { <a class="button wide" href="/home">{t.done}</a> }.into_any()
        }
    }
}

/// Pays through another channel.
fn other_ways(order: &OrderView, lang: Lang) -> impl IntoView + use<> {
    let (t, id) = (texts(lang), order.id.to_string());
    let offered = offered_channels(&order.other_channels);
    let is_any = !offered.is_empty();
    let forms = offered.into_iter().map(move |channel| {
        view! {
            <form method="post" action="/api/resident/change-channel">
                <input type="hidden" name="order" value=id.clone() />
                <input type="hidden" name="channel" value=channel.as_str() />
                <button class="wide">{common::tender(channel, lang)}</button>
            </form>
        }
    });
    is_any.then(|| {
        view! {
            <details>
                <summary>{t.other_way}</summary>
                <div class="stack-tight">{forms.collect_view()}</div>
            </details>
        }
    })
}

fn facts(order: &OrderView, lang: Lang) -> impl IntoView + use<> {
    let t = texts(lang);
    let mut facts = vec![
        (t.order_number, order.number.to_string()),
        (t.paid_with, common::tender(order.tender, lang).to_owned()),
        (t.made_at, order.created_at.to_string()),
    ];
    facts.extend(order.other_room.as_ref().map(|other| match other {
        OtherRoom::PaidBy(name) => (t.paid_by, name.clone()),
        OtherRoom::PaidFor(place) => (t.paid_for, place.clone()),
    }));
    facts.extend(order.count.map(|count| (t.purchase_count, count.to_string())));
    facts.extend(order.remaining.map(|remaining| (t.remaining_after, format!("{remaining} {}", common::yuan(lang)))));
    facts.extend(order.trade_no.clone().map(|number| (t.trade_no, number)));
    // What nobody paid, as a subsidy, has no receipt.
    // Who paid from another room has it.
    let is_elsewhere = matches!(order.other_room, Some(OtherRoom::PaidBy(_)));
    let has_receipt = order.paid_at.is_some() && !is_elsewhere && (order.tender.is_channel() || order.tender.is_counter());
    let receipt =
        has_receipt.then(|| view! { <p><a class="tap" href=format!("/orders/{}/receipt", order.id)>{t.receipt}</a></p> });
    let rows = facts.into_iter().map(|(name, value)| view! { <dt>{name}</dt><dd class="num">{value}</dd> });
    view! { <dl class="facts small">{rows.collect_view()}</dl> {receipt} }
}

/// The past and the expected steps of the order.
#[must_use]
pub fn order_steps(order: &OrderView, lang: Lang) -> Vec<Step> {
    let t = texts(lang);
    let mut list = vec![Step::new(StepState::Done, t.step_made, Some(order.created_at))];
    match order.state {
        OrderState::Pending => {
            let waiting = Step::new(StepState::Now, t.step_pay, None);
            list.push(match order.expires_at {
                _ if order.held => Step::new(StepState::Now, t.step_checking, None).note(t.note_checking),
                Some(at) => {
                    let first = sentences::pay_before(at, order.now, lang);
                    waiting.note(common::TwoSentences { first, second: t.note_paying }.text(lang))
                }
                None => waiting.note(t.note_paying),
            });
            if order.power.is_some() {
                list.push(Step::new(StepState::Ahead, t.step_to_account, None));
            } else {
                list.push(Step::new(StepState::Ahead, t.step_to_send, None));
                list.push(Step::new(StepState::Ahead, t.step_to_meter, None));
            }
            return list;
        }
        // It was paid in a way that credits nothing, and goes back.
        OrderState::Closed if !order.refunds.is_empty() => {
            list.extend(order.refunds.iter().map(|refund| give_back(refund, lang)));
            return list;
        }
        OrderState::Closed => {
            list.push(Step::new(StepState::Bad, t.step_not_paid, None).note(t.note_not_paid));
            return list;
        }
        _ => list.push(Step::new(StepState::Done, t.step_paid, order.paid_at)),
    }
    if !matches!(order.state, OrderState::Refunding | OrderState::Refunded) {
        deliver(order, order.state, &mut list, lang);
    } else if order.refunds.is_empty() {
        let (reach, text) = match order.state {
            OrderState::Refunded => (StepState::Done, t.step_refunded),
            _ => (StepState::Now, t.step_refunding),
        };
        list.push(Step::new(reach, text, None).note(t.note_refund));
    }
    list.extend(order.corrections.iter().flat_map(|one| taken_back(one, lang)));
    list.extend(order.refunds.iter().map(|refund| give_back(refund, lang)));
    list
}

/// What was taken back of it, and the payout at the cash desk; what goes back through a channel is a refund of its own.
fn taken_back(one: &SaleCorrection, lang: Lang) -> Vec<Step> {
    let t = account_records::texts(lang);
    let (reach, text, at) = match one.state {
        ReturnState::Case => (StepState::Now, t.with_office, Some(one.at)),
        state if state.is_taken() => (StepState::Done, t.step_taken, one.taken_at.or(Some(one.at))),
        _ => (StepState::Now, t.step_taking, Some(one.at)),
    };
    let note = account_records::CorrectionNote { amount: one.amount, reason: &one.reason }.text(lang);
    let debit = Step::new(reach, text, at).note(note);
    let paid_out = match one.state {
        _ if !one.tender.is_counter() => None,
        ReturnState::Done => Some(Step::new(StepState::Done, t.step_paid_out, one.settled_at)),
        ReturnState::Taken => Some(Step::new(StepState::Now, t.step_to_be_paid_out, None)),
        _ => None,
    };
    let paid_out = paid_out.map(|step| step.note(common::tender(one.tender, lang)));
    [Some(debit), paid_out].into_iter().flatten().collect()
}

/// The amount, the payment method and the time of a refund.
fn give_back(refund: &RefundView, lang: Lang) -> Step {
    let t = texts(lang);
    let (reach, text) =
        if refund.done_at.is_some() { (StepState::Done, t.step_refunded) } else { (StepState::Now, t.step_refunding) };
    Step::new(reach, text, refund.done_at.or(Some(refund.at))).note(sentences::goes_back(refund, lang))
}

/// From paid to read back.
fn deliver(order: &OrderView, state: OrderState, list: &mut Vec<Step>, lang: Lang) {
    let t = texts(lang);
    if let Some(power) = order.power.filter(|_| state == OrderState::Credited) {
        let done = Step::new(StepState::Done, t.step_in_account, order.credited_at);
        list.push(match sentences::in_meter(order.count, order.remaining, lang) {
            Some(note) => done.note(note),
            None => done,
        });
        list.extend(match power {
            Power::On => Some(Step::new(StepState::Done, t.step_power_on, None)),
            Power::Coming => Some(Step::new(StepState::Now, t.step_power_coming, None)),
            Power::Off => None,
        });
        return;
    }
    match order.sent_at {
        Some(at) => list.push(Step::new(StepState::Done, t.step_sent, Some(at))),
        None if state == OrderState::Paid => list.push(Step::new(StepState::Now, t.step_sending, None)),
        None => {}
    }
    match state {
        OrderState::Credited => {
            let done = Step::new(StepState::Done, t.step_in_meter, order.credited_at);
            list.push(match sentences::in_meter(order.count, order.remaining, lang) {
                Some(note) => done.note(note),
                None => done,
            });
        }
        OrderState::Case => {
            let note = if order.full { t.note_full } else { t.note_case };
            list.push(Step::new(StepState::Now, t.step_case, None).note(note));
        }
        _ if order.sent_at.is_some() => {
            let confirm = Step::new(StepState::Now, t.step_confirm, None);
            list.push(match sentences::tries(order.attempts, lang) {
                Some(note) => confirm.note(note),
                None => confirm,
            });
        }
        _ => list.push(Step::new(StepState::Ahead, t.step_to_meter, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::ids::{OrderId, Uuid};
    use model::money::Fen;
    use model::order::Tender;
    use model::time::{MINUTE, SECOND, Timestamp};

    fn order(state: OrderState) -> OrderView {
        let at = Timestamp(1_795_600_000_000);
        OrderView {
            id: OrderId(Uuid::nil()),
            number: 1,
            amount: Fen(5_000),
            tender: Tender::Alipay,
            state,
            created_at: at,
            expires_at: Some(at.plus(15 * MINUTE)),
            paid_at: None,
            sent_at: None,
            attempts: 0,
            next_at: None,
            credited_at: None,
            count: None,
            remaining: None,
            lost_since: None,
            full: false,
            held: false,
            other_channels: Vec::new(),
            trade_no: None,
            refunds: Vec::new(),
            corrections: Vec::new(),
            power: None,
            other_room: None,
            now: at.plus(MINUTE),
        }
    }

    fn reaches(order: &OrderView) -> Vec<StepState> {
        order_steps(order, Lang::Zh).iter().map(|step| step.state).collect()
    }

    #[test]
    fn nothing_is_done_before_it_was_seen() {
        use StepState::{Ahead, Bad, Done, Now};
        let paid = OrderView { paid_at: Some(Timestamp(1_795_600_000_000 + SECOND)), ..order(OrderState::Paid) };
        let sent = OrderView { sent_at: Some(Timestamp(1_795_600_000_000 + 2 * SECOND)), ..paid.clone() };
        for (order, expected) in [
            (order(OrderState::Pending), vec![Done, Now, Ahead, Ahead]),
            (order(OrderState::Closed), vec![Done, Bad]),
            (paid.clone(), vec![Done, Done, Now, Ahead]),
            (sent.clone(), vec![Done, Done, Done, Now]),
            (OrderView { state: OrderState::Credited, ..sent.clone() }, vec![Done, Done, Done, Done]),
            (OrderView { state: OrderState::Case, ..sent.clone() }, vec![Done, Done, Done, Now]),
            (OrderView { state: OrderState::Case, ..paid.clone() }, vec![Done, Done, Now]),
            (OrderView { state: OrderState::Refunding, ..paid.clone() }, vec![Done, Done, Now]),
            (OrderView { state: OrderState::Refunded, ..paid }, vec![Done, Done, Done]),
        ] {
            assert_eq!(reaches(&order), expected, "{:?} sent {:?}", order.state, order.sent_at);
        }
    }

    #[test]
    fn nobody_is_asked_to_pay_what_is_being_checked() {
        let held = OrderView { held: true, ..order(OrderState::Pending) };
        assert_eq!(reaches(&held), reaches(&order(OrderState::Pending)));
        let said = |order: &OrderView| order_steps(order, Lang::En)[1].note.clone().unwrap();
        assert!(said(&held).contains("Do not pay twice") && !said(&order(OrderState::Pending)).contains("twice"));
    }

    #[test]
    fn what_goes_back_is_told_with_its_way_until_it_is_there() {
        let refund = RefundView {
            amount: Fen(5_000),
            tender: Tender::Alipay,
            at: Timestamp(1_795_600_000_000),
            done_at: None,
            by_person: false,
            held_up: false,
        };
        let twice = OrderView { refunds: vec![refund.clone()], ..order(OrderState::Credited) };
        assert!(!twice.is_over(), "the second payment is still on its way back");
        let last = order_steps(&twice, Lang::Zh).pop().unwrap();
        assert_eq!((last.state, last.note.unwrap().contains("50.00")), (StepState::Now, true));
        let back = RefundView { done_at: Some(Timestamp(1_795_600_060_000)), ..refund };
        let over = OrderView { refunds: vec![back], paid_at: Some(Timestamp(1)), ..order(OrderState::Refunded) };
        assert!(over.is_over());
        assert_eq!(reaches(&over), [StepState::Done, StepState::Done, StepState::Done]);
    }

    #[test]
    fn a_corrected_sale_says_what_was_taken_back_and_why() {
        let correction = |state| SaleCorrection {
            amount: Fen(2_000),
            tender: Tender::Cash,
            state,
            at: Timestamp(1),
            taken_at: None,
            settled_at: None,
            reason: "充错房间".into(),
        };
        let credited = |state| OrderView { corrections: vec![correction(state)], ..order(OrderState::Credited) };
        let last = |order: &OrderView| order_steps(order, Lang::Zh).pop().unwrap();
        let taking = credited(ReturnState::Taking);
        assert_eq!((last(&taking).state, taking.is_over()), (StepState::Now, false));
        assert_eq!(last(&taking).note.as_deref(), Some("20.00 元，原因：充错房间"));
        let owed = credited(ReturnState::Taken);
        assert_eq!((&*last(&owed).text, owed.is_over()), ("待退款", false));
        let done = credited(ReturnState::Done);
        assert_eq!((&*last(&done).text, last(&done).note.as_deref(), done.is_over()), ("已退款", Some("现金"), true));
    }

    #[test]
    fn a_server_wallet_shows_credit_first_and_power_later() {
        let credited = |power| OrderView { power: Some(power), ..order(OrderState::Credited) };
        let last = |power| order_steps(&credited(power), Lang::En).pop().unwrap();
        assert_eq!((last(Power::On).state, last(Power::Coming).state), (StepState::Done, StepState::Now));
        assert_eq!(last(Power::Off).state, StepState::Done);
        assert!(!order_steps(&credited(Power::On), Lang::En).iter().any(|step| step.text.contains("meter")));
        assert!(!credited(Power::Coming).is_over() && credited(Power::On).is_over());
    }

    #[test]
    fn the_credit_is_told_with_its_count_and_balance() {
        let credited = OrderView {
            sent_at: Some(Timestamp(1)),
            count: Some(14),
            remaining: Some(Fen(6_320)),
            ..order(OrderState::Credited)
        };
        let last = order_steps(&credited, Lang::Zh).pop().unwrap();
        assert_eq!(last.note.as_deref(), Some("第 14 次购电，余额 63.20 元"));
    }
}
