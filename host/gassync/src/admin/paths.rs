//! The paths of the operator API: each stands once, as the router's pattern and as the function that fills it in.

use std::fmt::Display;

macro_rules! paths {
    ($($constant:ident $($function:ident($($part:ident),+))? = $pattern:literal;)+) => {
        $(
            #[doc = concat!("`", $pattern, "`")]
            pub const $constant: &str = $pattern;
            $(
                #[doc = concat!("`", $pattern, "`, filled in")]
                pub fn $function($($part: &dyn Display),+) -> String {
                    format!($pattern)
                }
            )?
        )+
    };
}

paths! {
    ALARMS = "/admin/v1/alarms";
    STATUS = "/admin/v1/status";
    SYNC_LOG = "/admin/v1/sync-log";
    LEDGER_DIFFERENCES = "/admin/v1/ledger/differences";
    MAP_IMPORT = "/admin/v1/map/import";
    BOOKING_CHANNELS booking_channels(id) = "/admin/v1/bookings/{id}/channels";

    INBOX = "/admin/v1/inbox";
    MESSAGE message(id) = "/admin/v1/inbox/{id}";
    MESSAGE_REPLAY message_replay(id) = "/admin/v1/inbox/{id}/replay";

    SET_ASIDE = "/admin/v1/set-aside";
    SET_ASIDE_RECORD set_aside_record(id) = "/admin/v1/set-aside/{id}";
    SET_ASIDE_RETRY set_aside_retry(id) = "/admin/v1/set-aside/{id}/retry";
    SET_ASIDE_DISMISS set_aside_dismiss(id) = "/admin/v1/set-aside/{id}/dismiss";

    JOBS = "/admin/v1/jobs";
    JOB job(id) = "/admin/v1/jobs/{id}";
    JOB_CANCEL job_cancel(id) = "/admin/v1/jobs/{id}/cancel";
    JOB_RUNS = "/admin/v1/job-runs";
    JOB_RUN job_run(id) = "/admin/v1/job-runs/{id}";
    JOB_RUN_CANCEL job_run_cancel(id) = "/admin/v1/job-runs/{id}/cancel";

    KEYS = "/admin/v1/keys";
    KEY_ROTATE key_rotate(prefix) = "/admin/v1/keys/{prefix}/rotate";
    KEY_REVOKE key_revoke(prefix) = "/admin/v1/keys/{prefix}/revoke";

    PLUGINS = "/admin/v1/plugins";
    PLUGIN plugin(id) = "/admin/v1/plugins/{id}";
    PLUGIN_CALLS plugin_calls(id) = "/admin/v1/plugins/{id}/calls";
    PLUGIN_GRANT plugin_grant(id) = "/admin/v1/plugins/{id}/grant";
    PLUGIN_ACT plugin_act(id, act) = "/admin/v1/plugins/{id}/{act}";

    SOURCES = "/admin/v1/sources";
    SOURCE source(name) = "/admin/v1/sources/{name}";
    SOURCE_AGE source_age(name) = "/admin/v1/sources/{name}/age";
    SOURCE_AUTHORITY source_authority(name) = "/admin/v1/sources/{name}/authority";
    SOURCE_BACKFILLS source_backfills(name) = "/admin/v1/sources/{name}/backfills";
    SOURCE_BACKFILL source_backfill(name, id) = "/admin/v1/sources/{name}/backfills/{id}";
    SOURCE_BOOKINGS source_bookings(name) = "/admin/v1/sources/{name}/bookings";
    SOURCE_CONNECT source_connect(name) = "/admin/v1/sources/{name}/connect";
    SOURCE_DELETE source_delete(name) = "/admin/v1/sources/{name}/delete";
    SOURCE_DISABLE source_disable(name) = "/admin/v1/sources/{name}/disable";
    SOURCE_DISCONNECT source_disconnect(name) = "/admin/v1/sources/{name}/disconnect";
    SOURCE_DISMISS_FAILED source_dismiss_failed(name) = "/admin/v1/sources/{name}/failed-messages/dismiss";
    SOURCE_REPLAY_FAILED source_replay_failed(name) = "/admin/v1/sources/{name}/failed-messages/replay";
    SOURCE_GO_LIVE source_go_live(name) = "/admin/v1/sources/{name}/go-live";
    SOURCE_LINKS source_links(name) = "/admin/v1/sources/{name}/links";
    SOURCE_LINK_ACT source_link_act(name, act) = "/admin/v1/sources/{name}/links/{act}";
    SOURCE_PARKED source_parked(name) = "/admin/v1/sources/{name}/parked";
    SOURCE_PARKED_DECIDE source_parked_decide(name) = "/admin/v1/sources/{name}/parked/decide";
    SOURCE_PAUSE source_pause(name) = "/admin/v1/sources/{name}/pause";
    SOURCE_POLL source_poll(name) = "/admin/v1/sources/{name}/poll";
    SOURCE_PUSH source_push(name) = "/admin/v1/sources/{name}/push";
    SOURCE_PUSHING source_pushing(name) = "/admin/v1/sources/{name}/pushing";
    SOURCE_RESUME source_resume(name) = "/admin/v1/sources/{name}/resume";
    SOURCE_RUNS source_runs(name) = "/admin/v1/sources/{name}/runs";
    SOURCE_SETTINGS source_settings(name) = "/admin/v1/sources/{name}/settings";
    SOURCE_SWITCHES source_switches(name) = "/admin/v1/sources/{name}/switches";
    SOURCE_SYNC source_sync(name) = "/admin/v1/sources/{name}/sync";
    SOURCE_TIME_ZONE source_time_zone(name) = "/admin/v1/sources/{name}/time-zone";

    WEBHOOKS = "/admin/v1/webhooks";
    WEBHOOK webhook(id) = "/admin/v1/webhooks/{id}";
    WEBHOOK_TEST webhook_test(id) = "/admin/v1/webhooks/{id}/test";
    WEBHOOK_ROTATE_SECRET webhook_rotate_secret(id) = "/admin/v1/webhooks/{id}/rotate-secret";
    WEBHOOK_DELIVERIES webhook_deliveries(id) = "/admin/v1/webhooks/{id}/deliveries";
    WEBHOOK_DELIVERY webhook_delivery(id, delivery) = "/admin/v1/webhooks/{id}/deliveries/{delivery}";
    WEBHOOK_REDELIVER webhook_redeliver(id, delivery) = "/admin/v1/webhooks/{id}/deliveries/{delivery}/replay";
    WEBHOOK_REPLAY webhook_replay(id) = "/admin/v1/webhooks/{id}/replay";
    WEBHOOK_REPLAY_RUN webhook_replay_run(id, run) = "/admin/v1/webhooks/{id}/replays/{run}";
    WEBHOOK_REPLAY_CANCEL webhook_replay_cancel(id, run) = "/admin/v1/webhooks/{id}/replays/{run}/cancel";
}
