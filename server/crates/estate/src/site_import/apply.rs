//! Makes the plan of an import, and carries it out in one transaction.

use std::collections::{BTreeSet, HashMap};

use model::audit::AuditAction;
use model::error::AppError;
use model::ids::{MeterId, UserId};
use model::money::Fen;
use model::person::Who;
use model::site_workbook::{CellChange, Preview, RowEffect, Sheet};
use model::time::Timestamp;

use super::job::Job;
use super::state;
use crate::{gateways, place_groups, places};
use domain::order::Limits;
use domain::rng::Rng;
use domain::site_plan::{Conflict, Outcome, PartialRows, PriceChanges, Rules, SitePlan, SiteRows, SiteState, plan};
use store::approvals;
use store::audit::{self, Entry};
use store::meters;
use store::{Db, Result, Tx};

/// The most objects that the audit line of an import names as created, and the most changed cells.
const RECORDED: usize = 20;

/// A file that was imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    pub name: String,
    /// In hexadecimal digits.
    pub sha256: String,
}

/// How an import reaches the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportWay {
    /// Prices wait for another person there, where there is one.
    Page,
    /// Whoever has the machine decides alone.
    CommandLine,
}

/// What is imported, and in whose name.
pub struct Import<'a> {
    pub rows: &'a SiteRows,
    /// The files that the rows are from, for the audit chain.
    pub files: &'a [SourceFile],
    /// The name of the site's root, where there is none yet.
    pub site: &'a str,
    /// Argon2id hashes of the first passwords, by login name; without one a resident cannot log in yet.
    pub password_hashes: &'a HashMap<String, String>,
    pub who: &'a Who,
    pub way: ImportWay,
    pub limits: &'a Limits,
    /// Hears which sheet is stored next.
    pub progress: &'a (dyn Fn(Sheet) + Sync),
}

/// What is looked at in a dry run, and in whose name.
pub struct DryRun<'a> {
    pub rows: &'a SiteRows,
    pub partial: &'a PartialRows,
    pub who: UserId,
    pub way: ImportWay,
    pub limits: &'a Limits,
    /// The most rows of a sheet with the same effect that are listed.
    pub listed: usize,
}

/// What importing these rows would do.
///
/// # Errors
/// As [`apply`].
pub async fn dry_run(db: &Db, at: Timestamp, run: &DryRun<'_>) -> Result<std::result::Result<Outcome, Vec<Conflict>>> {
    let mut tx = db.begin_reading().await?;
    let prices = price_changes(&mut tx, at, run.way, run.who).await?;
    let site = state_for(&mut tx, at, run.rows).await?;
    drop(tx);
    let rules = Rules { prices, hoarding: Fen(run.limits.hoarding_fen), listed: run.listed };
    Ok(plan(run.rows, run.partial, &site, &rules).map(|plan| plan.outcome))
}

async fn price_changes(tx: &mut Tx, at: Timestamp, way: ImportWay, who: UserId) -> Result<PriceChanges> {
    let waits = way == ImportWay::Page && approvals::waits_for_another_within(tx, at, who).await?;
    Ok(if waits { PriceChanges::NeedApproval } else { PriceChanges::Allowed })
}

/// What the site has, with the groups whose places do not change, and with the limits of its meters where the rows bring money
/// into them.
async fn state_for(tx: &mut Tx, at: Timestamp, rows: &SiteRows) -> Result<SiteState> {
    let mut site = state(tx).await?;
    if !rows.groups.is_empty() {
        site.priced_groups = place_groups::priced(tx, at).await?;
    }
    if rows.accounts.iter().any(|row| row.value.opening > Fen::ZERO) {
        super::limits::read(tx, &mut site).await?;
    }
    Ok(site)
}

/// Imports in one transaction, by a plan made in it, so that nothing changes between plan and deed.
///
/// # Errors
/// Where the database fails, and [`AppError::Conflict`] where the site changed meanwhile so that other meters are concerned. What
/// conflicts with the site is the inner error; in all cases nothing was changed.
pub async fn apply(
    db: &Db,
    rng: &Rng,
    at: Timestamp,
    import: &Import<'_>,
) -> Result<std::result::Result<Outcome, Vec<Conflict>>> {
    let mut tx = db.begin().await?;
    // Before the meters: none is placed behind a gateway that is being retired.
    gateways::lock_all(&mut tx).await?;
    let prices = price_changes(&mut tx, at, import.way, import.who.user).await?;
    let rules = Rules { prices, hoarding: Fen(import.limits.hoarding_fen), listed: Preview::LISTED };
    let partial = PartialRows::default();
    let before = state_for(&mut tx, at, import.rows).await?;
    let locked = plan(import.rows, &partial, &before, &rules).map(|plan| touched(&plan, &before)).unwrap_or_default();
    for meter in &locked {
        meters::lock(&mut tx, *meter).await?;
    }
    // After the meters, in the order of an opening. On PostgreSQL either may have waited for somebody who changed the site.
    places::lock(&mut tx).await?;
    let site = state_for(&mut tx, at, import.rows).await?;
    let planned = match plan(import.rows, &partial, &site, &rules) {
        Ok(planned) => planned,
        Err(conflicts) => return Ok(Err(conflicts)),
    };
    // An account may be opening on a meter that the site's change has brought into the plan.
    if !touched(&planned, &site).is_subset(&locked) {
        return Err(AppError::Conflict.into());
    }
    let mut job = Job::new(&mut tx, (rng, at), import, &site);
    (import.progress)(Sheet::Rooms);
    job.places(&planned).await?;
    job.groups(&planned).await?;
    (import.progress)(Sheet::Gateways);
    job.gateways(&planned).await?;
    (import.progress)(Sheet::Meters);
    job.meters(&planned).await?;
    (import.progress)(Sheet::Prices);
    job.prices(&planned).await?;
    (import.progress)(Sheet::Accounts);
    job.accounts(&planned).await?;
    (import.progress)(Sheet::Instruments);
    job.instruments(&planned).await?;
    (import.progress)(Sheet::FriendlyHours);
    job.friendly_hours(&planned).await?;
    (import.progress)(Sheet::Contacts);
    job.contacts(&planned).await?;
    (import.progress)(Sheet::Defaults);
    job.defaults(&planned).await?;
    record(&mut tx, at, import, &planned.outcome).await?;
    tx.commit().await?;
    Ok(Ok(planned.outcome))
}

/// The meters of the site that the plan changes or opens accounts on.
fn touched(plan: &SitePlan<'_>, site: &SiteState) -> BTreeSet<MeterId> {
    let opened = plan.new_accounts.iter().flat_map(|account| &account.meters).filter_map(|serial| site.meters.get(serial));
    plan.changed_meters.iter().map(|(id, _)| *id).chain(opened.map(|meter| meter.id)).collect()
}

/// How many rows of each sheet, from which files, and the first that were created and changed: bounded, so that the line stays
/// one that people read. The whole is in the files, which their digests tell.
async fn record(tx: &mut Tx, at: Timestamp, import: &Import<'_>, outcome: &Outcome) -> Result<()> {
    let of = |effect| outcome.rows.iter().filter(move |row| row.effect == effect);
    let created: Vec<&str> = of(RowEffect::Created).take(RECORDED).map(|row| row.subject.as_str()).collect();
    let changed: Vec<_> = of(RowEffect::Changed)
        .flat_map(|row| row.changes.iter().map(move |change| (row, change)))
        .take(RECORDED)
        .map(|(row, CellChange { column, before, after })| {
            serde_json::json!({
                "of": row.subject, "column": column, "before": before.to_string(), "after": after.to_string(),
            })
        })
        .collect();
    let files: Vec<_> = import.files.iter().map(|file| serde_json::json!({ "name": file.name, "sha256": file.sha256 })).collect();
    let detail = serde_json::json!({ "counts": outcome.counts, "files": files, "created": created, "changed": changed });
    let (actor, ip) = (format!("user:{}", import.who.user), import.who.ip.as_str());
    let entry = Entry { actor: &actor, ip, action: AuditAction::SiteImport, subject: "site", detail: &detail.to_string() };
    audit::append(tx, at, &entry).await
}
