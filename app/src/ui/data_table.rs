//! A table of records: headings by column, and a caption for screen readers.

use leptos::prelude::*;

use super::table_scroll::TableScroll;

/// The heading of a column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    label: &'static str,
    class: Option<&'static str>,
    is_hidden: bool,
}

impl Column {
    #[must_use]
    pub const fn text(label: &'static str) -> Self {
        Self { label, class: None, is_hidden: false }
    }

    /// Of numbers, which stand to the right.
    #[must_use]
    pub const fn number(label: &'static str) -> Self {
        Self { label, class: Some("number"), is_hidden: false }
    }

    /// Named for screen readers only.
    #[must_use]
    pub const fn unlabelled(label: &'static str) -> Self {
        Self { label, class: None, is_hidden: true }
    }
}

/// The rows are its children; `label` names it. With `stacked` a row becomes a card on a phone, where each cell has its
/// `data-label`.
#[component]
pub fn DataTable(
    label: &'static str,
    #[prop(into)] columns: Vec<Column>,
    #[prop(default = false)] stacked: bool,
    #[prop(optional)] foot: Option<AnyView>,
    children: Children,
) -> impl IntoView {
    let heads = columns.into_iter().map(|Column { label, class, is_hidden }| {
        let words = if is_hidden { view! { <span class="visually-hidden">{label}</span> }.into_any() } else { label.into_any() };
        view! { <th scope="col" class=class>{words}</th> }
    });
    view! {
        <TableScroll label=label>
            <table class=if stacked { "table stacked" } else { "table" }>
                <caption class="visually-hidden">{label}</caption>
                <thead>
                    <tr>{heads.collect_view()}</tr>
                </thead>
                <tbody>{children()}</tbody>
                {foot.map(|foot| view! { <tfoot>{foot}</tfoot> })}
            </table>
        </TableScroll>
    }
}
