//! Words of logging in.

use super::Lang;

#[derive(Clone, Copy)]
pub struct Words {
    pub log_in: &'static str,
    pub log_out: &'static str,
    pub login: &'static str,
    pub password: &'static str,
    pub show: &'static str,
    pub hide: &'static str,
    pub forgot: &'static str,
    pub change_password: &'static str,
    pub old_password: &'static str,
    pub new_password: &'static str,
    pub password_rule: &'static str,
    pub back: &'static str,
}

const ZH: Words = Words {
    log_in: "登录",
    log_out: "退出登录",
    login: "账号",
    password: "密码",
    show: "显示",
    hide: "隐藏",
    forgot: "忘记密码？请联系宿舍管理员重置。",
    change_password: "修改密码",
    old_password: "原密码",
    new_password: "新密码",
    password_rule: "至少 10 位。修改后，其他设备上的登录会全部退出。",
    back: "返回",
};

const EN: Words = Words {
    log_in: "Log in",
    log_out: "Log out",
    login: "Login name",
    password: "Password",
    show: "Show",
    hide: "Hide",
    forgot: "Forgot your password? The dormitory office can reset it.",
    change_password: "Change password",
    old_password: "Old password",
    new_password: "New password",
    password_rule: "At least 10 characters. All your other devices are logged out.",
    back: "Back",
};

/// In a language.
#[must_use]
pub const fn words(lang: Lang) -> Words {
    lang.pick(ZH, EN)
}
