//! `dormwatt sandbox`: the payment sandbox as a process of its own. Prints the configuration with which a server uses it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::Outcome;
use domain::clock::SystemClock;
use domain::rng::Rng;
use sandbox::{APP_ID, APP_SECRET, Config, KEY_ID, Keys, MCHID, MER_ID};

#[derive(Args)]
pub struct Sandbox {
    /// Where to listen; phones on the LAN must reach it to see the cashier
    #[arg(long, default_value = "127.0.0.1:8090")]
    address: SocketAddr,
    /// Directory that keeps the throw-away keys of both sides, made there the first time; without it they are new at every start
    #[arg(long, value_name = "DIRECTORY")]
    keys: Option<PathBuf>,
    /// How many times faster than the channels' own schedules unacknowledged notifications are sent again
    #[arg(long, default_value_t = 60)]
    speed: u32,
}

pub async fn run(args: Sandbox) -> Outcome {
    let keys = match &args.keys {
        Some(directory) => Keys::load_or_generate(directory)?,
        None => Keys::generate()?,
    };
    let rng = Rng::from_system();
    let config = Config { address: args.address, keys, speed: args.speed, clock: Arc::new(SystemClock), rng };
    let sandbox = sandbox::start(config).await?;
    let address = sandbox.address();
    println!("The payment sandbox listens on http://{address}. Put this into the product's configuration:\n");
    print!("{}", settings(address, sandbox.keys(), args.keys.as_deref()));
    super::serve::stop_signal().await;
    sandbox.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// All channels as the product's configuration has them: keys by file where a directory keeps them.
fn settings(address: SocketAddr, keys: &Keys, directory: Option<&Path>) -> String {
    let key = |name: &str, file: &str, pem: &str| match directory {
        Some(directory) => format!("{name}_file = \"{}\"\n", directory.join(file).display()),
        // Throw-away keys that open nothing but this sandbox.
        None => format!("{name} = \"\"\"\n{pem}\"\"\"\n"),
    };
    let private_key = key("private_key", "app-private.pem", keys.app_private.expose());
    let certificate = key("certificate", "merchant-certificate.pem", &keys.certificate);
    let alipay_key = key("alipay_public_key", "alipay-public.pem", &keys.gateway_public);
    let public_key = key("public_key", "alipay-public.pem", &keys.gateway_public);
    let root = key("root", "unionpay-root.pem", &keys.chain.root);
    let middle = key("middle", "unionpay-middle.pem", &keys.chain.middle);
    let (app_id, seller_id, api_v3_key) = (&keys.app_id, &keys.seller_id, keys.api_v3_key.expose());
    format!(
        "[pay.alipay]\ngateway = \"http://{address}/gateway.do\"\napp_id = \"{app_id}\"\nseller_id = \"{seller_id}\"\n\
         {private_key}{alipay_key}\n\
         [pay.wechat]\ngateway = \"http://{address}\"\napp_id = \"{APP_ID}\"\napp_secret = \"{APP_SECRET}\"\n\
         mchid = \"{MCHID}\"\napi_v3_key = \"{api_v3_key}\"\n\
         {certificate}{private_key}[[pay.wechat.verify]]\nid = \"{KEY_ID}\"\n{public_key}\n\
         [pay.unionpay]\ngateway = \"http://{address}\"\nfiles = \"http://{address}\"\n\
         mer_id = \"{MER_ID}\"\n{certificate}{private_key}{root}{middle}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::clock::SystemClock;

    #[test]
    fn what_is_printed_is_a_configuration_of_all_channels() {
        #[derive(serde::Deserialize)]
        struct File {
            pay: payments::Config,
        }
        let directory = tempfile::tempdir().unwrap();
        let keys = Keys::load_or_generate(directory.path()).unwrap();
        for directory in [None, Some(directory.path())] {
            let text = settings(([127, 0, 0, 1], 8090).into(), &keys, directory);
            let File { pay } = toml::from_str(&text).unwrap();
            let clock = Arc::new(SystemClock);
            assert!(pay.alipay.unwrap().build("https://a", "https://a", clock.clone()).is_ok());
            assert!(pay.wechat.unwrap().build("https://a", "https://a", clock.clone(), Rng::from_system()).is_ok());
            assert!(pay.unionpay.unwrap().build("https://a", "https://a", clock).is_ok());
        }
    }
}
