use std::{process::ExitCode, time::Duration};

use anyhow::Context;
use clap::{Args, Subcommand};
use gassync_domain::Timestamp;
use indicatif::{ProgressBar, ProgressStyle};

use super::{client::Client, print, say, table};
use gassync::{
    admin::{JobDetail, JobFilter, JobResponse, JobRun, NewJobRun, RunPlan, paths},
    config::Config,
    store::queue::{JobState, RunState},
};

/// Interval between progress requests.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Debug, Subcommand)]
pub enum JobsCommand {
    /// List jobs, newest first
    List(List),
    /// Show a job
    Show {
        /// Job number
        id: i64,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Retry dead jobs that match, and follow the run until it ends
    Retry(Retry),
    /// Cancel a waiting or dead job; with --run, the waiting jobs of a run
    Cancel {
        /// Job number
        id: i64,
        /// The number identifies a run
        #[arg(long)]
        run: bool,
    },
}

#[derive(Debug, Args)]
pub struct List {
    /// Filter by source
    #[arg(long)]
    source: Option<String>,
    /// Filter by kind, such as push-booking
    #[arg(long)]
    kind: Option<String>,
    /// Filter by state: waiting, done, dead or cancelled
    #[arg(long)]
    state: Option<JobState>,
    /// Only jobs enqueued since (RFC 3339)
    #[arg(long)]
    since: Option<Timestamp>,
    /// Only jobs before this number (next page)
    #[arg(long)]
    before: Option<i64>,
    /// Maximum number, up to 1,000
    #[arg(long, default_value_t = 50)]
    limit: i64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct Retry {
    /// Filter by source
    #[arg(long)]
    source: Option<String>,
    /// Filter by kind, such as push-booking
    #[arg(long)]
    kind: Option<String>,
    /// Only jobs enqueued since (RFC 3339)
    #[arg(long)]
    since: Option<Timestamp>,
    /// Only show which jobs would be retried, and the minimum duration
    #[arg(long)]
    plan: bool,
    /// Print JSON and do not follow progress
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
                let run: JobRun = client.post(&paths::job_run_cancel(&id), &()).await?;
                say(&format!("Run {id} stopped: {} done, {} cancelled.", run.done, run.cancelled));
            }
            Self::Cancel { id, run: false } => {
                client.post::<()>(&paths::job_cancel(&id), &()).await?;
                say(&format!("Job {id} cancelled."));
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
        let jobs: Vec<JobResponse> = client.get(&format!("{}?{query}", paths::JOBS)).await?;
        if self.json {
            print(&serde_json::to_string(&jobs)?);
            return Ok(());
        }
        let mut rows = table::Listing::new();
        for JobResponse { id, source, kind, state, attempts, run_at, why } in jobs {
            let (tried, due) = (format!("{attempts} attempts"), format!("due {run_at:.0}"));
            rows.row(&[&id, &source, &kind, &state, &tried, &due, &why.unwrap_or_default()]);
        }
        rows.print();
        Ok(())
    }
}

/// The filter as a query string.
fn serde_urlencoded(filter: &JobFilter) -> anyhow::Result<String> {
    let fields = serde_json::to_value(filter).context("a filter")?;
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in fields.as_object().into_iter().flatten() {
        query.append_pair(name, value.as_str().unwrap_or(&value.to_string()));
    }
    Ok(query.finish())
}

async fn show(client: &Client, id: i64, json: bool) -> anyhow::Result<()> {
    let job: JobDetail = client.get(&paths::job(&id)).await?;
    if json {
        print(&serde_json::to_string(&job)?);
        return Ok(());
    }
    let JobResponse { source, kind, state, attempts, run_at, why, .. } = &job.job;
    print(&format!("{kind} for {source}, {state}, {attempts} attempts, due {run_at:.0}"));
    print(&format!("  payload   {}", job.payload));
    if let Some(why) = why {
        print(&format!("  error     {why}"));
    }
    if let Some(report) = &job.report {
        print(&format!("  did       {report}"));
    }
    if let (Some(until), Some(why)) = (job.paused_until, &job.pause_reason) {
        print(&format!("  queue paused until {until:.0}: {why}"));
    }
    if let Some(deadline) = job.deadline {
        print(&format!("  deadline  {deadline:.0}"));
    }
    Ok(())
}

impl Retry {
    async fn run(self, client: &Client) -> anyhow::Result<ExitCode> {
        let new = NewJobRun { source: self.source, kind: self.kind, since: self.since, dry_run: self.plan };
        let plan: RunPlan = client.post(paths::JOB_RUNS, &new).await?;
        if self.json {
            print(&serde_json::to_string(&plan)?);
            return Ok(ExitCode::SUCCESS);
        }
        let mut rows = table::Listing::new();
        for (source, kinds) in &plan.by_source {
            kinds.iter().for_each(|(kind, jobs)| rows.row(&[source, kind, jobs]));
        }
        rows.print();
        let Some(id) = plan.id else {
            say(&format!("{} jobs, at least {} s. Nothing has been retried yet.", plan.jobs, plan.seconds_at_least));
            return Ok(ExitCode::SUCCESS);
        };
        if matches!(client, Client::Here { .. }) {
            say("No host is running; the work continues once one starts.");
            return Ok(ExitCode::SUCCESS);
        }
        say(&format!(
            "Run {id} continues if you interrupt this command; stop it with `gassync jobs cancel --run {id}`."
        ));
        let bar = ProgressBar::new(u64::try_from(plan.jobs).unwrap_or_default());
        bar.set_style(ProgressStyle::with_template("{bar:40} {pos} of {len} jobs  {msg}")?);
        let run = loop {
            let run: JobRun = client.get(&paths::job_run(&id)).await?;
            bar.set_position(u64::try_from(run.jobs - run.waiting).unwrap_or_default());
            if run.state != RunState::Running {
                break run;
            }
            tokio::time::sleep(LOOK).await;
        };
        bar.finish_and_clear();
        say(&format!("{} done, {} dead again, {} cancelled.", run.done, run.dead, run.cancelled));
        Ok(if run.dead == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
