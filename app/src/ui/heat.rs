//! A field for each value of days and hours as SVG from the server: no bytes of WebAssembly, and printable.

use leptos::prelude::*;

/// A row of the drawing: its name, and a value for each column; `None` where it is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeatRow {
    pub label: String,
    pub values: Vec<Option<i64>>,
}

/// Sizes in the drawing's own units; it scales to the width of the page.
const SHORTEST_LABEL: i64 = 80;
const LATIN: i64 = 7;
const HAN: i64 = 12;
const WIDTH: i64 = 24;
const HEIGHT: i64 = 16;
/// Steps of shade above zero.
const STEPS: i64 = 10;

/// The chart; `columns` are the words above it, `label` says what it shows. The numbers themselves are in a table.
#[component]
pub fn Heat(rows: Vec<HeatRow>, columns: Vec<String>, #[prop(into)] label: String) -> impl IntoView {
    let most = rows.iter().flat_map(|row| &row.values).filter_map(|value| *value).max().unwrap_or(0).max(1);
    let count = |length: usize| i64::try_from(length).unwrap_or(0);
    let label_width = rows.iter().map(|row| width_of(&row.label)).max().unwrap_or(0).max(SHORTEST_LABEL);
    let (width, height) = (label_width + WIDTH * count(columns.len()), HEIGHT * (count(rows.len()) + 1));
    // Where words do not fit beside each other, every second or third stands for those after it.
    let widest = columns.iter().map(|word| width_of(word)).max().unwrap_or(0);
    let heads = columns.into_iter().zip(0_i64..).step_by(step(widest)).map(|(word, n)| {
        view! { <text x=(label_width + WIDTH * n + WIDTH / 2).to_string() y="12">{word}</text> }
    });
    let drawn = rows.into_iter().zip(1_i64..).map(|(row, n)| {
        let y = HEIGHT * n;
        let fields = row.values.into_iter().zip(0_i64..).filter_map(|(value, column)| {
            let opacity = shade(value?, most);
            let x = (label_width + WIDTH * column).to_string();
            Some(view! {
                <rect x=x y=y.to_string() width=(WIDTH - 1).to_string() height=(HEIGHT - 1).to_string() fill-opacity=opacity />
            })
        });
        let fields = fields.collect_view();
        view! { <text class="label" x=(label_width - 6).to_string() y=(y + 12).to_string()>{row.label}</text>{fields} }
    });
    let region = label.clone();
    view! {
        <div class="heat-scroll" tabindex="0" role="region" aria-label=region>
            <svg
                class="heat"
                viewBox=format!("0 0 {width} {height}")
                width=width.to_string()
                height=height.to_string()
                role="img"
                aria-label=label
            >
                {heads.collect_view()}
                {drawn.collect_view()}
            </svg>
        </div>
    }
}

/// What a name takes at most.
fn width_of(label: &str) -> i64 {
    label.chars().map(|one| if one.is_ascii() { LATIN } else { HAN }).sum::<i64>() + LATIN
}

/// How many columns a word takes at most.
fn step(width: i64) -> usize {
    usize::try_from((width + WIDTH - 1) / WIDTH).unwrap_or(1).max(1)
}

/// From nearly nothing for zero to full for the highest value.
fn shade(value: i64, most: i64) -> String {
    let step = (i128::from(value.clamp(0, most)) * i128::from(STEPS) + i128::from(most) - 1) / i128::from(most);
    match step {
        0 => "0.04".to_owned(),
        step if step >= i128::from(STEPS) => "1".to_owned(),
        step => format!("0.{step}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{shade, step, width_of};

    #[test]
    fn shades_rise_with_the_value() {
        assert_eq!([0, 1, 10, 55, 100, -5].map(|value| shade(value, 100)), ["0.04", "0.1", "0.1", "0.6", "1", "0.04"]);
        assert_eq!(shade(i64::MAX, i64::MAX), "1");
    }

    #[test]
    fn heads_do_not_overlap() {
        assert_eq!(["", "23", "11-30"].map(|word| step(width_of(word))), [1, 1, 2]);
    }
}
