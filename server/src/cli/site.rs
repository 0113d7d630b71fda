//! `dormwatt import`, `export` and `template`: the site workbook.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use app::i18n::{Lang, site_workbook};
use clap::ValueEnum;
use model::permission::Permission;
use model::site_workbook::{Preview, RowEffect, Sheet};

use super::Outcome;
use crate::config::Config;
use crate::startup::{open_database, open_existing_database};
use domain::clock::{SharedClock, SystemClock};
use domain::rng::Rng;
use meters::live::Live;
use meters::profile::Profiles;
use services::auth::Passwords;
use services::site::SiteService;
use services::{Context, NoMeterGateway};
use store::roles;

#[derive(clap::Args)]
pub struct ImportArgs {
    /// The workbook (XLSX), or a CSV file of one sheet (`rooms.csv`, `gateways.csv`, `meters.csv`, `prices.csv`, `accounts.csv`)
    file: PathBuf,
    /// The operator in whose name it is imported: a login name
    #[arg(long, value_name = "LOGIN")]
    by: String,
    /// Say what would be done, and store nothing
    #[arg(long)]
    dry_run: bool,
    /// Write what would become of each row to this file (XLSX), which must not exist
    #[arg(long, value_name = "FILE", requires = "dry_run")]
    list: Option<PathBuf>,
    /// The site's name, where the database is empty
    #[arg(long, default_value = "园区")]
    site: String,
    /// The language of messages
    #[arg(long, value_enum, default_value = "en")]
    lang: LangArg,
}

#[derive(clap::Args)]
pub struct WriteArgs {
    /// The file to write (XLSX); it must not exist
    file: PathBuf,
    /// The language of its titles
    #[arg(long, value_enum, default_value = "zh")]
    lang: LangArg,
}

#[derive(Clone, Copy, ValueEnum)]
enum LangArg {
    Zh,
    En,
}

impl From<LangArg> for Lang {
    fn from(lang: LangArg) -> Self {
        match lang {
            LangArg::Zh => Self::Zh,
            LangArg::En => Self::En,
        }
    }
}

pub async fn import(config: &Config, args: &ImportArgs) -> Outcome {
    let lang = args.lang.into();
    let size = std::fs::metadata(&args.file).map_err(|error| format!("{}: {error}", args.file.display()))?.len();
    let (name, db) = (args.file.display().to_string(), open_database(config).await?);
    // What is too large is not read at all; the reader says so.
    let most = workbook::MAX_FILE_BYTES as u64;
    let bytes = if size > most { vec![0; workbook::MAX_FILE_BYTES + 1] } else { std::fs::read(&args.file)? };
    let site = service(config, &db).await?;
    let who = roles::by_login(&db, &args.by).await?.ok_or_else(|| format!("no operator logs in as {}", args.by))?;
    if !who.may(Permission::Site) {
        return Err(format!("{} may not import the site", args.by).into());
    }
    let preview = if let Some(file) = &args.list {
        let (preview, list) = site.dry_run_with_list(&who, &name, &bytes, lang).await?;
        if let Some(list) = list {
            write(file, &list)?;
        }
        preview
    } else if args.dry_run {
        site.dry_run(&who, &name, &bytes).await?
    } else {
        site.import(&who, &args.site, &name, &bytes).await?
    };
    db.close().await;
    print(&preview, lang, args.dry_run);
    Ok(if preview.problem_count == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

pub async fn export(config: &Config, args: &WriteArgs) -> Outcome {
    let db = open_existing_database(config).await?;
    let bytes = service(config, &db).await?.export(args.lang.into()).await?;
    db.close().await;
    write(&args.file, &bytes)
}

pub async fn template(config: &Config, args: &WriteArgs) -> Outcome {
    let db = store::Db::open("sqlite::memory:").await?;
    let bytes = service(config, &db).await?.template(args.lang.into())?;
    write(&args.file, &bytes)
}

async fn service(config: &Config, db: &store::Db) -> Result<SiteService, Box<dyn std::error::Error + Send + Sync>> {
    let (rng, clock): (_, SharedClock) = (Rng::from_system(), Arc::new(SystemClock));
    let context = Context {
        db: db.clone(),
        live: Live::load(db, clock.clone()).await?,
        clock,
        rng: rng.clone(),
        gateway: Arc::new(NoMeterGateway),
    };
    let profiles = Profiles::load(config.meters.profiles_dir.as_deref())?;
    Ok(SiteService::new(context, Passwords::new(rng)?, &profiles, config.pay.limits))
}

/// Never over a file: it may be one that was filled in.
fn write(file: &Path, bytes: &[u8]) -> Outcome {
    let written = std::fs::File::create_new(file).and_then(|mut file| std::io::Write::write_all(&mut file, bytes));
    written.map_err(|error| format!("{}: {error}", file.display()))?;
    println!("{}", file.display());
    Ok(ExitCode::SUCCESS)
}

fn print(preview: &Preview, lang: Lang, dry_run: bool) {
    let t = site_workbook::texts(lang);
    if preview.problem_count > 0 {
        for problem in &preview.problems {
            let place = site_workbook::position(problem, lang);
            let gap = if problem.sheet.is_empty() { "" } else { " " };
            let text = site_workbook::fault(&problem.fault, lang);
            println!("{}{gap}{place}: {text}", problem.sheet);
        }
        let more = preview.problem_count - u32::try_from(preview.problems.len()).unwrap_or(preview.problem_count);
        if more > 0 {
            println!("{}", site_workbook::More { number: &more.to_string() }.text(lang));
        }
        println!("{}", t.nothing_stored);
        return;
    }
    // Of the sheets that the file has.
    let found = Sheet::ALL.into_iter().zip(preview.counts).filter(|(_, counts)| *counts != Default::default());
    for (sheet, counts) in found {
        let model::site_workbook::Counts { created, changed, unchanged } = counts;
        let counts = site_workbook::Counts {
            created: &created.to_string(),
            changed: &changed.to_string(),
            unchanged: &unchanged.to_string(),
        };
        println!("{}: {}", site_workbook::sheet(sheet, lang), counts.text(lang));
    }
    print_rows(preview, lang);
    let done = if preview.is_idle() { t.imported_nothing } else { t.imported };
    println!("{}", if dry_run { t.dry_run } else { done });
}

/// What becomes of the first rows of each sheet; of what is left alone the number is enough.
fn print_rows(preview: &Preview, lang: Lang) {
    for (sheet, counts) in Sheet::ALL.into_iter().zip(preview.counts) {
        for effect in [RowEffect::Created, RowEffect::Changed] {
            let rows: Vec<_> = preview.rows.iter().filter(|row| row.sheet == sheet && row.effect == effect).collect();
            for row in &rows {
                let changes: Vec<String> = row.changes.iter().map(|change| site_workbook::change(change, effect, lang)).collect();
                let place = site_workbook::Row { row: &row.row.to_string() }.text(lang);
                let (sheet, word) = (site_workbook::sheet(sheet, lang), site_workbook::effect(effect, lang));
                let gap = if changes.is_empty() { "" } else { "; " };
                println!("{sheet} {place}, {word}: {}{gap}{}", row.subject, changes.join("; "));
            }
            let rest = counts.of(effect) as usize - rows.len().min(counts.of(effect) as usize);
            if rest > 0 {
                println!(
                    "{} {}",
                    site_workbook::sheet(sheet, lang),
                    site_workbook::More { number: &rest.to_string() }.text(lang)
                );
            }
        }
    }
}
