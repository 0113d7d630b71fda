//! The channels' merchant console: lists paid trades and refunds them without the product. Accessible only from this machine.

use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use model::money::Fen;
use model::order::Tender;
use serde::Deserialize;

use super::bank::Bank;
use super::books::{Status, Trade};
use super::cashier::{escape, page};
use super::control::LoopbackClient;

const SHOWN: usize = 50;

#[derive(Deserialize)]
pub(super) struct RefundForm {
    amount: String,
}

pub(super) async fn show(_: LoopbackClient, State(bank): State<Bank>) -> Response {
    let mut trades: Vec<Trade> = bank.books().into_iter().filter(|trade| trade.paid_at.is_some()).collect();
    trades.sort_by_key(|trade| std::cmp::Reverse(trade.paid_at));
    let rows: String = trades.iter().take(SHOWN).map(row).collect();
    let none = if rows.is_empty() { "<p class=note>还没有已付款的交易。</p>" } else { "" };
    let body = format!(
        "<p class=hint>在渠道后台直接退款，商户系统事先并不知道。支付宝、微信支付会发通知；银联不发通知，次日的对账单里才有。</p>
{none}<ul class=trades>{rows}</ul>"
    );
    page("渠道后台", &body).into_response()
}

pub(super) async fn refund(
    _: LoopbackClient,
    State(bank): State<Bank>,
    Path(number): Path<String>,
    Form(back): Form<RefundForm>,
) -> Response {
    let done = Fen::parse_yuan(&back.amount).is_ok_and(|amount| bank.refund_at_console(&number, amount));
    if done {
        return Redirect::to("/control").into_response();
    }
    let body = "<p class=note>没有这笔交易，或者金额不对：最多退还没有退的部分。</p><a class=pay href=\"/control\">返回</a>";
    (StatusCode::CONFLICT, page("未能退款", body)).into_response()
}

fn row(trade: &Trade) -> String {
    let left = trade.amount - trade.refunded() - trade.pending.values().copied().sum();
    let back = match trade.refunded() {
        Fen::ZERO => String::new(),
        back => format!("<span>已退 ¥{back}</span>"),
    };
    let form = if trade.status == Status::TradeSuccess && left > Fen::ZERO {
        format!(
            "<form method=post action=\"/control/refund/{number}\">
<label>退款金额（元）<input name=amount inputmode=decimal autocomplete=off required value=\"{left}\"></label><button>退款</button></form>",
            number = escape(&trade.out_trade_no),
        )
    } else {
        String::new()
    };
    format!(
        "<li><p class=sum><strong>¥{amount}</strong><span>{channel}</span>{back}</p>
<p class=subject>{subject}</p><p class=small>{number}，{paid} 付款</p>{form}</li>",
        amount = trade.amount,
        channel = channel_name(trade.tender),
        subject = escape(&trade.subject),
        number = escape(&trade.out_trade_no),
        paid = trade.paid_at.map(|at| at.to_string()).unwrap_or_default(),
    )
}

const fn channel_name(tender: Tender) -> &'static str {
    match tender {
        Tender::Alipay => "支付宝",
        Tender::WechatPay => "微信支付",
        Tender::UnionPay => "银联云闪付",
        Tender::Cash | Tender::Card | Tender::Transfer | Tender::Subsidy | Tender::Carried | Tender::TakenOver => "",
    }
}

impl Bank {
    /// Refunds a part of a paid trade under a number that the product did not choose.
    pub(super) fn refund_at_console(&self, out_trade_no: &str, amount: Fen) -> bool {
        let Some(trade) = self.find(out_trade_no) else { return false };
        let number = format!("C{out_trade_no}R{}", trade.refunds.len() + trade.pending.len() + 1);
        self.refund(out_trade_no, &number, amount)
    }

    /// The latest refund, which notifications report.
    pub(super) fn newest_refund<'a>(&self, trade: &'a Trade) -> Option<(&'a String, &'a Fen)> {
        trade.refunds.iter().max_by_key(|(number, _)| self.refunded_at(&trade.out_trade_no, number))
    }
}
