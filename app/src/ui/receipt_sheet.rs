//! A receipt on the screen and on the paper of a browser.

use leptos::nonce::use_nonce;
use leptos::prelude::*;

use model::receipt_sheet::{Align, Block, ReceiptPaper};

/// The sheets, each on a paper of its own where the paper is not shared.
#[component]
pub fn ReceiptSheets(
    sheets: Vec<Vec<Block>>,
    paper: ReceiptPaper,
    /// The address of the site's logo.
    logo: Option<String>,
) -> impl IntoView {
    let class = format!("receipt-sheet paper-{}", paper.as_str());
    let sheets = sheets.into_iter().map(|sheet| {
        let blocks = sheet.iter().map(|one| block(one, logo.as_deref())).collect_view();
        view! { <article class=class.clone()>{blocks}</article> }
    });
    let script = (paper == ReceiptPaper::Roll)
        .then(|| view! { <script type="module" nonce=use_nonce()>{include_str!("../roll.js")}</script> });
    view! {
        <div class="receipt-sheets">{sheets.collect_view()}</div>
        {script}
    }
}

fn block(block: &Block, logo: Option<&str>) -> AnyView {
    let strong = |strong: bool| strong.then_some("strong");
    match block.clone() {
        Block::Title(text) => view! { <h2>{text}</h2> }.into_any(),
        Block::Text { text, align, strong: is_strong } => {
            let side = match align {
                Align::Left => "",
                Align::Middle => "middle",
                Align::Right => "right",
            };
            view! { <p class=side class:strong=is_strong>{text}</p> }.into_any()
        }
        Block::Row { label, value, strong: is_strong } => {
            view! { <p class="row"><span>{label}</span><span class=strong(is_strong)>{value}</span></p> }.into_any()
        }
        Block::Signature(label) => view! { <p class="row"><span>{label}</span><span class="line"></span></p> }.into_any(),
        Block::Rule => view! { <hr /> }.into_any(),
        Block::Gap => view! { <p class="gap"></p> }.into_any(),
        Block::Logo => logo.map(|address| view! { <img src=address.to_owned() alt="" /> }).into_any(),
    }
}

/// A block as words for the live preview: its class, and its texts.
#[must_use]
pub fn described(block: &Block) -> (String, Vec<String>) {
    let (kind, texts) = match block.clone() {
        Block::Title(text) => ("title", vec![text]),
        Block::Text { text, align: Align::Left, strong } => (if strong { "strong" } else { "text" }, vec![text]),
        Block::Text { text, align: Align::Middle, .. } => ("middle", vec![text]),
        Block::Text { text, align: Align::Right, .. } => ("right", vec![text]),
        Block::Row { label, value, strong } => (if strong { "row strong" } else { "row" }, vec![label, value]),
        Block::Signature(label) => ("row line", vec![label, String::new()]),
        Block::Rule => ("rule", Vec::new()),
        Block::Gap => ("gap", Vec::new()),
        Block::Logo => ("logo", Vec::new()),
    };
    (kind.to_owned(), texts)
}
