//! "Their Beds24", to look at.

use std::fmt::Write;

use axum::{extract::State, response::Html};

use super::Beds24;

const HEAD: &str = r#"<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="2">
<title>Simulated Beds24</title><style>body{font:15px system-ui;margin:2rem;max-width:70rem}table{border-collapse:collapse}
td,th{padding:.2rem .8rem;border-bottom:1px solid #ddd;text-align:left}.cancelled{color:#999;text-decoration:line-through}
</style></head><body><h1>Simulated Beds24</h1>"#;

pub(super) async fn show(State(simulator): State<Beds24>) -> Html<String> {
    let mut page = HEAD.to_owned();
    let pending = simulator.webhooks_pending();
    let mut entries = simulator.book();
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.modified));
    let rows = entries.iter().fold(String::new(), |mut rows, e| {
        // Writing to a String cannot fail.
        let _ = write!(
            rows,
            "<tr class=\"{0}\"><td>{1}</td><td>{2}</td><td>{0}</td><td>{3}</td><td>{4}</td><td>{5}</td></tr>",
            e.status, e.id, e.room_id, e.arrival, e.departure, e.modified
        );
        rows
    });
    page.push_str(&format!(
        "<p>{} bookings, {pending} webhooks waiting</p><table><tr><th>booking</th><th>room type</th><th>status</th>\
         <th>arrival</th><th>departure</th><th>modified</th></tr>{rows}</table></body></html>",
        entries.len()
    ));
    Html(page)
}
