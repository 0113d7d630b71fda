//! Files with secrets that other users of the machine can read.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::Config;

/// Bits beyond 0640.
const TOO_OPEN: u32 = 0o137;

/// One sentence for each file with secrets whose permissions go beyond 0640. `file` is the configuration file.
#[must_use]
pub fn problems(config: &Config, file: Option<&Path>) -> Vec<String> {
    let mut all = Vec::new();
    if let Some(file) = file.filter(|file| holds_secrets(file)) {
        all.push(("the configuration", file.to_owned()));
    }
    let (pay, former) = (&config.pay, &config.pay.former);
    let alipay = pay.alipay.iter().chain(&former.alipay).map(|alipay| &alipay.private_key_file);
    let wechat = pay.wechat.iter().chain(&former.wechat).map(|wechat| &wechat.private_key_file);
    let unionpay = pay.unionpay.iter().chain(&former.unionpay).map(|unionpay| &unionpay.private_key_file);
    let keys = alipay.chain(wechat).chain(unionpay).chain([&config.meters.tls.key_file]);
    all.extend(keys.flatten().map(|key| ("a private key", key.clone())));
    all.extend(config.notify.push.iter().map(|push| ("the key of Web Push", push.key_file.clone())));
    all.extend(config.audit.key_file.iter().map(|key| ("the key of the audit chain", key.clone())));
    if let Some(database) = config.database.url.expose().strip_prefix("sqlite:").and_then(|path| path.split('?').next()) {
        all.extend(["", "-wal"].map(|end| ("the database", PathBuf::from(format!("{database}{end}")))));
    }
    all.into_iter().filter_map(|(what, path)| problem(what, &path)).collect()
}

/// `None` for a file that is missing, which others report.
fn problem(what: &str, path: &Path) -> Option<String> {
    let mode = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?.permissions().mode() & 0o777;
    let path = path.display();
    (mode & TOO_OPEN != 0).then(|| format!("{path} holds {what} and is open to other users ({mode:04o}): chmod 640 {path}"))
}

fn holds_secrets(file: &Path) -> bool {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.parse::<Table>().is_ok_and(|table| table.iter().any(|(key, value)| is_secret(key, value)))
}

fn is_secret(key: &str, value: &Value) -> bool {
    const SECRETS: [&str; 11] = [
        "private_key",
        "app_secret",
        "api_v3_key",
        "password",
        "enc",
        "mac",
        "aes",
        "secret",
        "access_key_secret",
        "receipt_key",
        "pin",
    ];
    // Of the robots of groups.
    const IN_ADDRESSES: [&str; 3] = ["key=", "access_token=", "/hook/"];
    match value {
        Value::Table(table) => table.iter().any(|(key, value)| is_secret(key, value)),
        Value::Array(values) => values.iter().any(|value| is_secret(key, value)),
        Value::String(text) if key == "url" => {
            text.split_once('@').is_some_and(|(user, _)| user.matches(':').count() > 1)
                || IN_ADDRESSES.iter().any(|part| text.contains(part))
        }
        Value::String(text) => !text.is_empty() && SECRETS.contains(&key),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use domain::secret::Secret;

    use super::*;

    fn written(path: &Path, text: &str, mode: u32) {
        std::fs::write(path, text).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn secrets_that_others_can_read_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let (file, key, database) = (at("mine.toml"), at("key.pem"), at("t.db"));
        let (audit, former) = (at("audit.key"), at("former.pem"));
        let mut config = Config::default();
        config.database.url = Secret::from(&*format!("sqlite:{}?mode=rwc", database.display()));
        config.pay.alipay = Some(payments::AlipayConfig { private_key_file: Some(key.clone()), ..Default::default() });
        config.audit.key_file = Some(audit.clone());
        let private_key_file = Some(former.clone());
        config.pay.former.wechat = vec![payments::WechatConfig { private_key_file, ..Default::default() }];
        assert!(problems(&config, Some(&file)).is_empty(), "what is missing is no problem here");
        for (mode, expected) in [(0o600, 0), (0o640, 0), (0o400, 0), (0o644, 5), (0o660, 5), (0o604, 5)] {
            written(&file, "[keys]\naes = \"00\"\n", mode);
            for key in [&key, &audit, &former] {
                written(key, "", mode);
            }
            written(&database, "", mode);
            let found = problems(&config, Some(&file));
            assert_eq!(found.len(), expected, "{mode:o}: {found:?}");
            assert!(found.iter().all(|one| one.contains("chmod 640")), "{found:?}");
        }
    }

    #[test]
    fn only_a_configuration_with_secrets_must_be_hidden() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("mine.toml");
        for (text, is_found) in [
            ("[server]\naddress = \"127.0.0.1:80\"\n[keys]\nenc = \"\"\n", false),
            ("[database]\nurl = \"postgres://dormwatt@db/dormwatt\"\n", false),
            ("[database]\nurl = \"postgres://dormwatt:hunter2@db/dormwatt\"\n", true),
            ("[pay.wechat]\napi_v3_key = \"x\"\n", true),
            ("[pay.alipay]\nprivate_key = \"x\"\n", true),
            ("[[pay.former.wechat]]\napi_v3_key = \"x\"\n", true),
            ("[[pay.former.wechat]]\nmchid = \"1\"\n", false),
            ("[meters.dlt645]\npassword = \"12345678\"\n", true),
            ("[notify.wecom]\nurl = \"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=x\"\n", true),
            ("[notify.webhook]\nurl = \"https://campus.example.edu.cn/\"\n", false),
            ("[notify.webhook]\nsecret = \"x\"\n", true),
            ("[notify.modem]\npin = \"1234\"\n", true),
        ] {
            written(&file, text, 0o644);
            let mut config = Config::default();
            config.database.url = Secret::from("postgres://db/x");
            assert_eq!(!problems(&config, Some(&file)).is_empty(), is_found, "{text}");
        }
    }
}
