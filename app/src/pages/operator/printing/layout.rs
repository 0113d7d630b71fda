//! The layout of receipts on one paper in one language, with a preview.

use leptos::nonce::use_nonce;
use leptos::prelude::*;

use super::super::frame::{Frame, Section};
use super::super::parts::param;
use super::{language, values_table};
use crate::i18n::printing::{TemplateHint, mistake, paper as paper_name, texts};
use crate::i18n::{Lang, lang};
use crate::ports::{operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::receipt_sheet::ReceiptSheets;
use model::error::AppError;
use model::receipt_sheet::{Block, ReceiptPaper, TEMPLATE_MAX, TemplateMistake};

struct Shown {
    paper: ReceiptPaper,
    of: Lang,
    template: String,
    own: bool,
    preview: Result<Vec<Block>, TemplateMistake>,
    values: Vec<(&'static str, String)>,
    /// The address of the logo.
    logo: Option<String>,
}

/// The page: `/printing/layout?paper=...&language=...`.
#[component]
pub fn LayoutPage() -> impl IntoView {
    let (paper, of) = (ReceiptPaper::parse(&param("paper")), Lang::choose(&param("language")));
    let read = async move {
        let (paper, of) = paper.zip(of).ok_or(AppError::NotFound)?;
        let (port, who) = (ports()?.printing, operator()?);
        let ((template, own), logo) = (port.template(&who, paper, of).await?, port.logo_address().await?);
        Ok(Shown { paper, of, preview: port.sample(&template, of), template, own, values: port.values(of), logo })
    };
    load(read, |shown| view! { <Body shown /> }.into_any())
}

#[component]
fn Body(shown: Shown) -> impl IntoView {
    let (t, here) = (texts(lang()), lang());
    let Shown { paper, of, template, own, preview, values, logo } = shown;
    let title = format!("{} · {} · {}", t.editor, paper_name(paper, here), language(of));
    let done = (param("done") == "saved").then(|| view! { <Callout tone=Tone::Good><p>{t.saved}</p></Callout> });
    let hint = TemplateHint { value: "{{ amount }}", start: "{% if reason %}", end: "{% endif %}" }.text(here);
    let preview = match preview {
        Ok(sheet) => view! { <ReceiptSheets sheets=vec![sheet] paper logo=logo.clone() /> }.into_any(),
        Err(found) => view! { <Callout tone=Tone::Bad><p>{t.mistake}": "{mistake(&found, here)}</p></Callout> }.into_any(),
    };
    let values = values_table(values.into_iter().map(|(name, example)| (name.to_owned(), example)));
    let reset = own.then(|| {
        view! {
            <form method="post" action="/api/operator/printing/layouts/reset">
                <input type="hidden" name="paper" value=paper.as_str() />
                <input type="hidden" name="language" value=of.tag() />
                <button>{t.reset}</button>
            </form>
        }
    });
    view! {
        <Frame title=title.clone() section=Section::Printing>
            <nav><ol class="crumbs"><li><a href="/printing">{t.title}</a></li></ol></nav>
            <h1>{title}</h1>
            <Notice />
            {done}
            <div class="halves">
                <div class="stack">
                    <form class="card stack-tight" method="post" action="/api/operator/printing/layouts/set"
                        data-receipt-template>
                        <input type="hidden" name="paper" value=paper.as_str() />
                        <input type="hidden" name="language" value=of.tag() />
                        <div class="field">
                            <label for="template">{t.template}</label>
                            <textarea class="input template-text" id="template" name="template" rows="28" required
                                maxlength=TEMPLATE_MAX.to_string() spellcheck="false" aria-describedby="template-hint">
                                {format!("\n{template}")}
                            </textarea>
                            <p class="hint" id="template-hint">{hint}</p>
                        </div>
                        <button class="primary">{t.save}</button>
                    </form>
                    {reset}
                    {values}
                </div>
                <section class="card stack-tight" aria-label=t.preview_of>
                    <h2>{t.preview}</h2>
                    <p class="hint">{t.preview_of}</p>
                    <p class="notice bad" role="status" hidden data-receipt-mistake></p>
                    <div data-receipt-preview data-receipt-logo=logo>{preview}</div>
                </section>
            </div>
            <script type="module" nonce=use_nonce()>{include_str!("preview.js")}</script>
        </Frame>
    }
}
