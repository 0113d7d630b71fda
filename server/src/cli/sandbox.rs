//! `dormwatt sandbox`

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::Outcome;
use crate::clock::SystemClock;
use crate::pay::sandbox::{self, APP_ID, Config, KEY_ID, Keys, MCHID};
use crate::rng::Rng;

#[derive(Args)]
pub struct Sandbox {
    /// Where to listen; phones on the LAN must reach it to see the cashier
    #[arg(long, default_value = "127.0.0.1:8090")]
    address: SocketAddr,
    /// Directory that keeps the throw-away keys of both sides, made there the first time; without it they are new at every start
    #[arg(long, value_name = "DIRECTORY")]
    keys: Option<PathBuf>,
    /// How many times faster than Alipay's own schedule unacknowledged notifications are sent again
    #[arg(long, default_value_t = 60)]
    speed: u32,
}

pub async fn run(args: Sandbox) -> Outcome {
    let keys = match &args.keys {
        Some(directory) => Keys::keep(directory)?,
        None => Keys::generate()?,
    };
    let rng = Rng::from_system();
    let config = Config { address: args.address, keys, speed: args.speed, clock: Arc::new(SystemClock), rng };
    let sandbox = sandbox::start(config).await?;
    let (address, keys) = (sandbox.address(), sandbox.keys());
    println!("The payment sandbox listens on http://{address}. Put this into the product's configuration:\n");
    println!("[pay.alipay]\ngateway = \"http://{address}/gateway.do\"");
    println!("app_id = \"{}\"\nseller_id = \"{}\"", keys.app_id, keys.seller_id);
    match &args.keys {
        Some(directory) => {
            let directory = directory.display();
            println!("private_key_file = \"{directory}/app-private.pem\"");
            println!("alipay_public_key_file = \"{directory}/alipay-public.pem\"");
        }
        // Throw-away keys that open nothing but this sandbox.
        None => {
            println!("private_key = '''\n{}'''", keys.app_private.as_str());
            println!("alipay_public_key = '''\n{}'''", keys.gateway_public);
        }
    }
    println!("\n[pay.wechat]\ngateway = \"http://{address}\"");
    println!("app_id = \"{APP_ID}\"\nmchid = \"{MCHID}\"\napi_v3_key = \"{}\"", keys.api_v3_key.as_str());
    match &args.keys {
        Some(directory) => {
            let directory = directory.display();
            println!("certificate_file = \"{directory}/merchant-certificate.pem\"");
            println!("private_key_file = \"{directory}/app-private.pem\"");
            println!("verify = [{{ id = \"{KEY_ID}\", public_key_file = \"{directory}/alipay-public.pem\" }}]");
        }
        None => {
            println!("certificate = '''\n{}'''\nprivate_key = '''\n{}'''", keys.certificate, keys.app_private.as_str());
            println!("[[pay.wechat.verify]]\nid = \"{KEY_ID}\"\npublic_key = '''\n{}'''", keys.gateway_public);
        }
    }
    super::serve::stop_signal().await;
    sandbox.stop().await;
    Ok(ExitCode::SUCCESS)
}
