//! The configuration of a sandbox's channels, for a server in a process of its own.

use domain::secret::Secret;
use sandbox::Sandbox;

/// The `[pay]` sections of a configuration file, with this time-out for the sandbox's answers.
pub fn channels(sandbox: &Sandbox, timeout_ms: u64) -> String {
    let (alipay, wechat) = (sandbox.product_config("127.0.0.1"), sandbox.wechat_config("127.0.0.1"));
    let unionpay = sandbox.unionpay_config("127.0.0.1");
    let secret = |secret: &Option<Secret>| secret.as_ref().unwrap().expose().to_owned();
    let key = &wechat.verify[0];
    format!(
        r#"
[pay.alipay]
gateway = "{}"
app_id = "{}"
seller_id = "{}"
private_key = """{}"""
alipay_public_key = """{}"""
timeout_ms = {timeout_ms}
[pay.wechat]
gateway = "{}"
app_id = "{}"
app_secret = "{}"
mchid = "{}"
api_v3_key = "{}"
certificate = """{}"""
private_key = """{}"""
timeout_ms = {timeout_ms}
[[pay.wechat.verify]]
id = "{}"
public_key = """{}"""
[pay.unionpay]
gateway = "{}"
files = "{}"
mer_id = "{}"
certificate = """{}"""
private_key = """{}"""
root = """{}"""
middle = """{}"""
timeout_ms = {timeout_ms}
"#,
        alipay.gateway,
        alipay.app_id,
        alipay.seller_id,
        secret(&alipay.private_key),
        alipay.alipay_public_key.as_ref().unwrap(),
        wechat.gateway,
        wechat.app_id,
        secret(&wechat.app_secret),
        wechat.mchid,
        wechat.api_v3_key.expose(),
        wechat.certificate.as_ref().unwrap(),
        secret(&wechat.private_key),
        key.id,
        key.public_key.as_ref().unwrap(),
        unionpay.gateway,
        unionpay.files,
        unionpay.mer_id,
        unionpay.certificate.as_ref().unwrap(),
        secret(&unionpay.private_key),
        unionpay.root.as_ref().unwrap(),
        unionpay.middle.as_ref().unwrap(),
    )
}
