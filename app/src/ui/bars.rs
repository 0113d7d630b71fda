//! Bars as SVG from the server: no bytes of WebAssembly, printable, with the figure on each.

use leptos::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    /// The label below the bar; may be empty.
    pub label: String,
    /// The figure above the bar; may be empty.
    pub figure: String,
    /// The height; `None` if the value is unknown.
    pub value: Option<i64>,
    /// Whether the bar is emphasised.
    pub strong: bool,
}

/// Width of the drawing in its own units; it scales to the column.
const WIDTH: i64 = 358;
/// Room for the figures above and the labels below the bars.
const HEAD: i64 = 18;
const FOOT: i64 = 20;
/// Half the width of a figure, in hundredths: the outermost stay inside the drawing.
const EDGE: i64 = 1_600;

/// The chart. `label` says in words what the bars show; the numbers themselves are in a table or on the bars.
#[component]
pub fn Bars(bars: Vec<Bar>, #[prop(into)] label: String, #[prop(default = 96)] height: i64) -> impl IntoView {
    let count = i64::try_from(bars.len()).unwrap_or(1).max(1);
    let most = bars.iter().filter_map(|bar| bar.value).max().unwrap_or(0).max(1);
    let base = HEAD + height;
    // Hundredths of a unit, so that thirty bars share the width evenly without floats.
    let slot = WIDTH * 100 / count;
    // Where bars are narrower than figures, a figure stands above all of them.
    let crowded = count > 12;
    let gap = if crowded { slot / 4 } else { slot * 3 / 10 };
    let drawn = bars.into_iter().zip(0_i64..).map(move |(bar, n)| {
        let tall = bar.value.map_or(0, |value| (value.max(0) * height / most).max(2));
        let top = base - tall;
        let class = match (bar.value, bar.strong) {
            (None, _) => "none",
            (_, true) => "strong",
            _ => "",
        };
        view! {
            <g class=class>
                <rect
                    x=hundredths(n * slot + gap / 2)
                    y=(if bar.value.is_some() { top } else { base - 2 }).to_string()
                    width=hundredths(slot - gap)
                    height=tall.max(2).to_string()
                    rx="2"
                />
                {text("figure", (n * slot + slot / 2).clamp(EDGE, WIDTH * 100 - EDGE), if crowded { HEAD - 5 } else { top - 5 },
                    bar.figure)}
                {text("label", n * slot + slot / 2, base + 15, bar.label)}
            </g>
        }
    });
    view! {
        <svg class="bars" viewBox=format!("0 0 {WIDTH} {}", base + FOOT) role="img" aria-label=label>
            {drawn.collect_view()}
            <line x1="0" x2=WIDTH.to_string() y1=base.to_string() y2=base.to_string() />
        </svg>
    }
}

fn text(class: &'static str, x: i64, y: i64, words: String) -> impl IntoView {
    (!words.is_empty()).then(|| view! { <text class=class x=hundredths(x) y=y.to_string()>{words}</text> })
}

fn hundredths(value: i64) -> String {
    format!("{}.{:02}", value / 100, value % 100)
}
