//! The cost of reading alone on this machine: tokio-modbus on one thread, the same blocks of the same meters, nothing stored.
//!
//! It runs in a process of its own (the benchmark itself, started with `--bare`), so that the kernel can be asked for its CPU
//! time.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio_modbus::client::{Reader, tcp};
use tokio_modbus::slave::{Slave, SlaveContext};

use crate::Outcome;
use crate::bus::READS;
use crate::process::cpu_of;
use crate::site::Plan;

/// The cost of reading.
pub struct Baseline {
    /// CPU seconds for 10,000 readings.
    pub cpu: f64,
    /// From one reading of a meter to the next, s.
    pub sweep: f64,
}

/// Reads the gateways of a plan, the first at that port.
pub async fn measure(port: u16, plan: Plan, during: Duration) -> Outcome<Baseline> {
    let mut command = tokio::process::Command::new(std::env::current_exe()?);
    let task = [port, plan.gateways, plan.meters.into()].map(|number| number.to_string()).join(",");
    command.args(["--bare", &format!("{task},{}", during.as_secs())]).kill_on_drop(true);
    let output = String::from_utf8(command.output().await?.stdout)?;
    let (cpu, sweep) = output.trim().split_once(' ').ok_or("the baseline printed nothing")?;
    Ok(Baseline { cpu: cpu.parse()?, sweep: sweep.parse()? })
}

/// Runs in the process: takes `PORT,GATEWAYS,METERS,SECONDS`, prints both numbers.
pub fn run(task: &str) -> Outcome<()> {
    let numbers: Vec<u16> = task.split(',').map(str::parse).collect::<Result<_, _>>()?;
    let [port, gateways, meters, seconds] = *numbers.as_slice() else { return Err("four numbers".into()) };
    let (read, meters, seconds) = (Arc::new(AtomicUsize::new(0)), u8::try_from(meters)?, f64::from(seconds));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        for port in port..port + gateways {
            tokio::spawn(bus(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), meters, Arc::clone(&read)));
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        let (cpu, before) = (cpu_of("self")?, read.load(Ordering::Relaxed));
        tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
        let (took, all) = (cpu_of("self")? - cpu, (read.load(Ordering::Relaxed) - before) as f64);
        println!("{} {}", took / all * 10_000.0, seconds * f64::from(gateways) * f64::from(meters) / all);
        Ok(())
    })
}

/// Reads one meter of a bus after the other.
async fn bus(address: SocketAddr, meters: u8, read: Arc<AtomicUsize>) -> Outcome<()> {
    let mut client = tcp::connect(address).await?;
    for unit in (1..=meters).cycle() {
        client.set_slave(Slave(unit));
        for (from, count) in READS {
            client.read_holding_registers(from, count).await??;
        }
        read.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}
