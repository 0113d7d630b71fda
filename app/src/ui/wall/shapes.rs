//! The shapes of states and marks on a canvas: the same as `ui/state.rs` draws in SVG.

use std::f64::consts::{PI, TAU};

use wasm_bindgen::JsValue;
use web_sys::CanvasRenderingContext2d as Context;

use model::meter::SupplyState;

type Drawn = Result<(), JsValue>;

/// A state's shape, centred, `r` from the centre to its edge.
pub fn state(ctx: &Context, state: SupplyState, x: f64, y: f64, r: f64, colour: &str) -> Drawn {
    ctx.set_fill_style_str(colour);
    ctx.set_stroke_style_str(colour);
    ctx.set_line_width((r * 0.35).max(1.2));
    ctx.begin_path();
    match state {
        SupplyState::Open => ctx.arc(x, y, r, 0.0, TAU)?,
        SupplyState::Alarm1 => polygon(ctx, &[(x, y - r), (x + r, y + r * 0.85), (x - r, y + r * 0.85)]),
        SupplyState::Alarm2 => {
            let r = r * 1.12;
            polygon(ctx, &[(x, y - r), (x + r, y), (x, y + r), (x - r, y)]);
        }
        SupplyState::Arrears => ctx.rect(x - r * 0.9, y - r * 0.9, r * 1.8, r * 1.8),
        SupplyState::NotOpen | SupplyState::Lost => ctx.arc(x, y, r * 0.85, 0.0, TAU)?,
        SupplyState::Unreadable => ctx.rect(x - r * 0.85, y - r * 0.85, r * 1.7, r * 1.7),
    }
    match state {
        SupplyState::NotOpen => ctx.stroke(),
        SupplyState::Lost => {
            ctx.move_to(x - r, y + r);
            ctx.line_to(x + r, y - r);
            ctx.stroke();
        }
        SupplyState::Unreadable => {
            ctx.move_to(x - r * 0.85, y + r * 0.85);
            ctx.line_to(x + r * 0.85, y - r * 0.85);
            ctx.move_to(x - r * 0.85, y - r * 0.85);
            ctx.line_to(x + r * 0.85, y + r * 0.85);
            ctx.stroke();
        }
        _ => ctx.fill(),
    }
    Ok(())
}

/// A shield: guaranteed.
pub fn shield(ctx: &Context, x: f64, y: f64, r: f64, colour: &str) -> Drawn {
    ctx.set_fill_style_str(colour);
    ctx.begin_path();
    ctx.move_to(x, y - r);
    ctx.line_to(x + r * 0.9, y - r * 0.6);
    ctx.line_to(x + r * 0.9, y);
    ctx.quadratic_curve_to(x + r * 0.8, y + r * 0.75, x, y + r);
    ctx.quadratic_curve_to(x - r * 0.8, y + r * 0.75, x - r * 0.9, y);
    ctx.line_to(x - r * 0.9, y - r * 0.6);
    ctx.close_path();
    ctx.fill();
    Ok(())
}

/// The power mark: forced off.
pub fn power(ctx: &Context, x: f64, y: f64, r: f64, colour: &str) -> Drawn {
    ctx.set_stroke_style_str(colour);
    ctx.set_line_width(1.6);
    ctx.begin_path();
    ctx.arc(x, y, r * 0.85, -PI * 0.3, PI * 1.3)?;
    ctx.stroke();
    ctx.begin_path();
    ctx.move_to(x, y - r);
    ctx.line_to(x, y);
    ctx.stroke();
    Ok(())
}

/// An open contact: the relay is open.
pub fn contact(ctx: &Context, x: f64, y: f64, r: f64, colour: &str) -> Drawn {
    ctx.set_stroke_style_str(colour);
    ctx.set_line_width(1.4);
    ctx.begin_path();
    ctx.move_to(x - r * 1.2, y + r * 0.4);
    ctx.line_to(x - r * 0.5, y + r * 0.4);
    ctx.line_to(x + r * 0.5, y - r * 0.7);
    ctx.move_to(x + r * 0.6, y + r * 0.4);
    ctx.line_to(x + r * 1.2, y + r * 0.4);
    ctx.stroke();
    Ok(())
}

/// An exclamation mark: needs attention.
pub fn attention(ctx: &Context, x: f64, y: f64, r: f64, colour: &str) -> Drawn {
    ctx.set_fill_style_str(colour);
    ctx.fill_rect(x - 1.0, y - r, 2.0, r * 1.2);
    ctx.fill_rect(x - 1.0, y + r * 0.6, 2.0, 2.0);
    Ok(())
}

/// Diagonal lines over a rectangle: the values are old.
pub fn hatch(ctx: &Context, x: f64, y: f64, w: f64, h: f64, step: f64, colour: &str) {
    ctx.save();
    ctx.begin_path();
    ctx.rect(x, y, w, h);
    ctx.clip();
    ctx.set_stroke_style_str(colour);
    ctx.set_line_width(1.0);
    ctx.begin_path();
    let mut at = -h;
    while at < w {
        ctx.move_to(x + at, y + h);
        ctx.line_to(x + at + h, y);
        at += step;
    }
    ctx.stroke();
    ctx.restore();
}

fn polygon(ctx: &Context, corners: &[(f64, f64)]) {
    let Some((&(x, y), rest)) = corners.split_first() else { return };
    ctx.move_to(x, y);
    for &(x, y) in rest {
        ctx.line_to(x, y);
    }
    ctx.close_path();
}
