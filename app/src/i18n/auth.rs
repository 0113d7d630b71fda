//! Texts of logging in and of a person's own account.

use super::Lang;
pub use super::catalogue::auth::*;
use super::common;
use model::log_in::{LogIn, LogInMethod, SecondFactorProof};

/// Browsers by what their user agent contains, the most special first: most of them name others too.
const BROWSERS: [(&str, &str); 9] = [
    ("MicroMessenger", "WeChat"),
    ("AlipayClient", "Alipay"),
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("Chrome", "Chrome"),
    ("CriOS", "Chrome"),
    ("Safari", "Safari"),
];
const SYSTEMS: [(&str, &str); 8] = [
    ("HarmonyOS", "HarmonyOS"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
];

/// A browser as a person knows it: `Chrome, Windows`.
#[must_use]
pub fn device(agent: &str, lang: Lang) -> String {
    let find = |names: &[(&str, &'static str)]| names.iter().find(|(part, _)| agent.contains(part)).map(|(_, name)| *name);
    match (find(&BROWSERS), find(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser}, {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => texts(lang).unknown_device.to_owned(),
    }
}

/// How a person showed who they are.
#[must_use]
pub const fn method(method: LogInMethod, lang: Lang) -> &'static str {
    let t = texts(lang).method;
    match method {
        LogInMethod::Unknown => t.unknown,
        LogInMethod::Password => t.password,
        LogInMethod::Phone => t.phone,
        LogInMethod::Wechat => t.wechat,
        LogInMethod::KioskQr => t.kiosk_qr,
        LogInMethod::KioskCode => t.kiosk_code,
        LogInMethod::PasswordChange => t.password_change,
        LogInMethod::SetUp => t.set_up,
    }
}

/// How a session was opened: `Password, authenticator code`.
#[must_use]
pub fn log_in(log_in: LogIn, lang: Lang) -> String {
    let t = texts(lang).proof;
    let proof = log_in.second_factor.map(|proof| match proof {
        SecondFactorProof::Code => t.code,
        SecondFactorProof::RecoveryCode => t.recovery_code,
    });
    let parts = [Some(method(log_in.method, lang)), proof].into_iter().flatten().map(str::to_owned);
    common::list(parts, lang).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_in_is_said_with_its_second_factor() {
        let by = |method, second_factor| log_in(LogIn { method, second_factor }, Lang::En);
        assert_eq!(by(LogInMethod::Password, None), "Password");
        assert_eq!(by(LogInMethod::Wechat, Some(SecondFactorProof::Code)), "WeChat, authenticator code");
        assert_eq!(
            log_in(LogIn { method: LogInMethod::Phone, second_factor: Some(SecondFactorProof::RecoveryCode) }, Lang::Zh),
            "短信验证码，恢复码"
        );
    }

    #[test]
    fn browsers_are_named_by_their_user_agent() {
        let windows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)";
        for (agent, name) in [
            (format!("{windows} Chrome/131.0.0.0 Safari/537.36"), "Chrome, Windows"),
            (format!("{windows} Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0"), "Edge, Windows"),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0".into(), "Firefox, Linux"),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1) AppleWebKit/605.1.15 Version/18.1 Mobile/15E148 Safari/604.1".into(),
                "Safari, iPhone",
            ),
            ("Mozilla/5.0 (Linux; Android 15) Chrome/130 Mobile Safari/537.36 MicroMessenger/8.0.54".into(), "WeChat, Android"),
            ("curl/8.5.0".into(), "Unknown device"),
        ] {
            assert_eq!(device(&agent, Lang::En), name, "{agent}");
        }
    }
}
