//! Words of the frame around all pages.

use super::Lang;

#[derive(Clone, Copy)]
pub struct Words {
    pub theme_system: &'static str,
    pub theme_light: &'static str,
    pub theme_dark: &'static str,
    pub not_found: &'static str,
    pub forbidden: &'static str,
    pub failed: &'static str,
    pub to_start: &'static str,
}

const ZH: Words = Words {
    theme_system: "外观：跟随系统",
    theme_light: "外观：浅色",
    theme_dark: "外观：深色",
    not_found: "没有这个页面",
    forbidden: "没有权限",
    failed: "出了点问题",
    to_start: "回到首页",
};

const EN: Words = Words {
    theme_system: "Theme: system",
    theme_light: "Theme: light",
    theme_dark: "Theme: dark",
    not_found: "No such page",
    forbidden: "Not allowed",
    failed: "Something went wrong",
    to_start: "Go to the start",
};

/// In a language.
#[must_use]
pub const fn words(lang: Lang) -> Words {
    lang.pick(ZH, EN)
}
