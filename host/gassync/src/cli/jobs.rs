use std::{process::ExitCode, time::Duration};

use anyhow::Context;
use clap::{Args, Subcommand};
use gassync_domain::Timestamp;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use super::{client::Client, print, say};
use crate::{
    admin::{JobFilter, JobRun, JobShown, JobWhole, NewJobRun, RunPlan},
    config::Config,
};

/// How often the host is asked how far a run has come.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Debug, Subcommand)]
pub enum JobsCommand {
    /// Show work, the newest first
    List(List),
    /// Show a job
    Show {
        /// Its number
        id: i64,
        /// One JSON document
        #[arg(long)]
        json: bool,
    },
    /// Bring dead work back: what fits is counted, done, and followed until it ends
    Retry(Retry),
    /// Throw a job away that waits or is dead; with --run, what still waits of a run
    Cancel {
        /// Its number
        id: i64,
        /// The number is a run's
        #[arg(long)]
        run: bool,
    },
}

#[derive(Debug, Args)]
pub struct List {
    /// Only of this source
    #[arg(long)]
    source: Option<String>,
    /// Only of this kind, such as push-booking
    #[arg(long)]
    kind: Option<String>,
    /// Only waiting, done, dead or cancelled ones
    #[arg(long)]
    state: Option<String>,
    /// Only those put in the queue since (RFC 3339)
    #[arg(long)]
    since: Option<Timestamp>,
    /// Before this number: the next page
    #[arg(long)]
    before: Option<i64>,
    /// How many, 1,000 at most
    #[arg(long, default_value_t = 50)]
    limit: i64,
    /// One JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct Retry {
    /// Only of this source
    #[arg(long)]
    source: Option<String>,
    /// Only of this kind, such as push-booking
    #[arg(long)]
    kind: Option<String>,
    /// Only those put in the queue since (RFC 3339)
    #[arg(long)]
    since: Option<Timestamp>,
    /// Only say what would be done: how many, which, and how long it takes at least
    #[arg(long)]
    plan: bool,
    /// One JSON document; does not follow
    #[arg(long)]
    json: bool,
}

impl JobsCommand {
    pub async fn run(self, config: Config) -> anyhow::Result<ExitCode> {
        let client = Client::connect(config).await?;
        match self {
            Self::List(list) => list.run(&client).await?,
            Self::Show { id, json } => show(&client, id, json).await?,
            Self::Retry(retry) => return retry.run(&client).await,
            Self::Cancel { id, run: true } => {
                let run: JobRun = client.post(&format!("/admin/v1/job-runs/{id}/cancel"), &()).await?;
                say(&format!("Run {id} is stopped: {} done, {} thrown away.", run.done, run.cancelled));
            }
            Self::Cancel { id, run: false } => {
                let _: Value = client.post(&format!("/admin/v1/jobs/{id}/cancel"), &()).await?;
                say(&format!("Job {id} is thrown away."));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl List {
    async fn run(self, client: &Client) -> anyhow::Result<()> {
        let filter = JobFilter {
            source: self.source,
            kind: self.kind,
            state: self.state,
            since: self.since,
            before: self.before,
            limit: Some(self.limit),
        };
        let query = serde_urlencoded(&filter)?;
        let jobs: Vec<JobShown> = client.get(&format!("/admin/v1/jobs?{query}")).await?;
        if self.json {
            print(&serde_json::to_string(&jobs)?);
            return Ok(());
        }
        for job in jobs {
            let why = job.why.map(|why| format!("  {why}")).unwrap_or_default();
            let JobShown { id, source, kind, state, attempts, run_at, .. } = job;
            print(&format!("{id:<8} {source:<20} {kind:<14} {state:<10} {attempts:>3} times  due {run_at:.0}{why}"));
        }
        Ok(())
    }
}

/// The fields that are said, as a query.
fn serde_urlencoded(filter: &JobFilter) -> anyhow::Result<String> {
    let fields = serde_json::to_value(filter).context("a filter")?;
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in fields.as_object().into_iter().flatten() {
        query.append_pair(name, value.as_str().unwrap_or(&value.to_string()));
    }
    Ok(query.finish())
}

async fn show(client: &Client, id: i64, json: bool) -> anyhow::Result<()> {
    let job: JobWhole = client.get(&format!("/admin/v1/jobs/{id}")).await?;
    if json {
        print(&serde_json::to_string(&job)?);
        return Ok(());
    }
    let JobShown { source, kind, state, attempts, run_at, why, .. } = &job.job;
    print(&format!("{kind} for {source}, {state}, begun {attempts} times, due {run_at:.0}"));
    print(&format!("  on        {}", job.payload));
    if let Some(why) = why {
        print(&format!("  because   {why}"));
    }
    if let (Some(until), Some(why)) = (job.paused_until, &job.pause_reason) {
        print(&format!("  its channel is left alone until {until:.0}: {why}"));
    }
    if let Some(deadline) = job.deadline {
        print(&format!("  tried until {deadline:.0}"));
    }
    Ok(())
}

impl Retry {
    async fn run(self, client: &Client) -> anyhow::Result<ExitCode> {
        let new = NewJobRun { source: self.source, kind: self.kind, since: self.since, dry_run: self.plan };
        let plan: RunPlan = client.post("/admin/v1/job-runs", &new).await?;
        if self.json {
            print(&serde_json::to_string(&plan)?);
            return Ok(ExitCode::SUCCESS);
        }
        for (source, kinds) in &plan.by_source {
            for (kind, jobs) in kinds {
                print(&format!("{source:<20} {kind:<14} {jobs}"));
            }
        }
        let Some(id) = plan.id else {
            say(&format!("{} jobs, which take {} s at least. Nothing is done yet.", plan.jobs, plan.seconds_at_least));
            return Ok(ExitCode::SUCCESS);
        };
        if matches!(client, Client::Here { .. }) {
            say("No host runs: it goes on as soon as one does.");
            return Ok(ExitCode::SUCCESS);
        }
        say(&format!("Run {id}: to end this command does not end it; `gassync jobs cancel --run {id}` does."));
        let bar = ProgressBar::new(u64::try_from(plan.jobs).unwrap_or_default());
        bar.set_style(ProgressStyle::with_template("{bar:40} {pos} of {len} jobs  {msg}")?);
        let run = loop {
            let run: JobRun = client.get(&format!("/admin/v1/job-runs/{id}")).await?;
            bar.set_position(u64::try_from(run.jobs - run.waiting).unwrap_or_default());
            if run.state != "running" {
                break run;
            }
            tokio::time::sleep(LOOK).await;
        };
        bar.finish_and_clear();
        say(&format!("{} done, {} came to nothing again, {} thrown away.", run.done, run.dead, run.cancelled));
        Ok(if run.dead == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
