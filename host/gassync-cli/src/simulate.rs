//! `gassync simulate`: runs a simulated channel.

use std::{net::SocketAddr, process::ExitCode};

use anyhow::Context;
use clap::{Args, builder::PossibleValuesParser};
use gassync_simulator::{CHANNELS, FaultSettings, SimulatorSettings, WebhookTarget, channel};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{print, say, serve::stop_signal, system_clock};

#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// The channel
    #[arg(value_parser = PossibleValuesParser::new(CHANNELS.iter().map(|channel| channel.name)))]
    channel: String,
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

impl SimulateArgs {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let channel = channel(&self.channel).context("no such channel")?;
        let settings = SimulatorSettings {
            seed: self.seed,
            bookings: self.bookings,
            properties: self.properties,
            faults: if self.faults > 0.0 { FaultSettings::any(self.faults) } else { FaultSettings::default() },
            odd: self.odd,
            generous: false,
        };
        let account = (channel.account)(&settings, system_clock());
        if let Some(url) = self.webhook {
            account.set_webhook(WebhookTarget { url, header: self.header });
        }
        let listener = TcpListener::bind(self.listen).await.context("the simulated channel cannot listen")?;
        let address = listener.local_addr()?;
        let settings = account.settings(address).into_iter().map(|(name, value)| (format!("setting {name}"), value));
        let credentials = account.credentials().into_iter();
        let credentials = credentials.map(|(name, value)| (format!("credential {name}"), value.into()));
        for (name, value) in settings.chain(credentials) {
            print(&format!("{name:<24} {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
        }
        print(&format!("{:<24} http://{address}/", "page"));
        say("The control page issues further credentials, which some channels take only once. Ctrl-C stops.");
        let stop = CancellationToken::new();
        let stopping = stop.clone();
        let signal = stop_signal()?;
        tokio::spawn(async move {
            signal.await;
            stopping.cancel();
        });
        account.serve(listener, stop).await?;
        Ok(ExitCode::SUCCESS)
    }
}
