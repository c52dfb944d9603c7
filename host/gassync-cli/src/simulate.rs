//! `gassync simulate`: runs a simulated channel.

use std::{net::SocketAddr, process::ExitCode};

use anyhow::Context;
use clap::{Args, Subcommand};
use gassync_simulator::beds24::{Beds24, FaultSettings, Settings, WebhookTarget};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{print, say, serve::stop_signal, system_clock};

#[derive(Debug, Subcommand)]
pub enum SimulateCommand {
    /// Run a simulated Beds24: API, webhooks and a control page
    Beds24(SimulateArgs),
}

#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// Listen address; the control API has no authentication, so keep it local
    #[arg(long, default_value = "127.0.0.1:8491")]
    listen: SocketAddr,
    /// Random seed
    #[arg(long, default_value_t = 24)]
    seed: u64,
    /// Number of initial bookings
    #[arg(long, default_value_t = 20)]
    bookings: u32,
    /// Number of properties
    #[arg(long, default_value_t = 3)]
    properties: u32,
    /// Webhook URL for every property
    #[arg(long)]
    webhook: Option<String>,
    /// Header sent with webhooks, such as 'X-Proof: secret'
    #[arg(long, requires = "webhook", value_parser = header)]
    header: Option<(String, String)>,
    /// Share of calls and webhooks that fail, from 0 to 1
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    faults: f64,
    /// Share of odd bookings in responses, from 0 to 1, one kind after the other
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    odd: f64,
}

fn header(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once(':').ok_or("must be a name and a value, such as 'X-Proof: secret'")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

pub fn share(text: &str) -> Result<f64, &'static str> {
    text.parse().ok().filter(|share| (0.0..=1.0).contains(share)).ok_or("must be a number from 0 to 1")
}

impl SimulateCommand {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let Self::Beds24(options) = self;
        options.run().await
    }
}

impl SimulateArgs {
    async fn run(self) -> anyhow::Result<ExitCode> {
        let settings = Settings {
            seed: self.seed,
            bookings: self.bookings,
            properties: self.properties,
            faults: if self.faults > 0.0 { FaultSettings::any(self.faults) } else { FaultSettings::default() },
            odd: self.odd,
            ..Settings::default()
        };
        let beds24 = Beds24::new(settings, system_clock());
        if let Some(url) = self.webhook {
            beds24.set_webhook(WebhookTarget { url, header: self.header });
        }
        let listener = TcpListener::bind(self.listen).await.context("the simulated Beds24 cannot listen")?;
        let address = listener.local_addr()?;
        print(&format!("API            http://{address}/api/v2"));
        print(&format!("Invite code    {}", beds24.invite_code()));
        print(&format!("Page           http://{address}/"));
        say("An invite code can be used once; the control page creates more. Ctrl-C stops.");
        let stop = CancellationToken::new();
        let stopping = stop.clone();
        let signal = stop_signal()?;
        tokio::spawn(async move {
            signal.await;
            stopping.cancel();
        });
        beds24.serve(listener, stop).await?;
        Ok(ExitCode::SUCCESS)
    }
}
