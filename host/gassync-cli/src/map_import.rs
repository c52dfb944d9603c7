//! `gassync map import`: reads a file of links.

use std::{fs, path::PathBuf, process::ExitCode};

use anyhow::{Context, bail};
use clap::Args;
use serde_json::Value;

use super::{client::Client, print, say, table::Listing};
use gassync::{
    admin::{EntityImportResult, ImportedLine, ImportedLink, LineCount, MapImportRequest, MapImportResponse, paths},
    inbound::map_import::MAX_LINES,
};

/// The largest file, in bytes.
const MAX_FILE_BYTES: u64 = 10 * 1024 * 1024;
/// Required CSV columns.
const COLUMNS: [&str; 3] = ["entity", "external_id", "ours"];
/// Optional CSV columns.
const FURTHER: [&str; 2] = ["source", "origin"];

#[derive(Debug, Args)]
pub struct Import {
    /// CSV with the header entity,external_id,ours (and source, origin), or a JSON list of the same fields. entity is property,
    /// room-type, rate-plan or booking; ours is the core number; origin is core for bookings pushed to the channel
    file: PathBuf,
    /// Source name or number for lines without a source column
    #[arg(long)]
    source: Option<String>,
    /// Only show what would be imported
    #[arg(long)]
    plan: bool,
    /// Replace existing links to other entities
    #[arg(long)]
    replace: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Import {
    pub(super) async fn send(self, client: &Client) -> anyhow::Result<ExitCode> {
        let Self { file, source, plan, replace, json } = self;
        let name = file.display();
        let size = fs::metadata(&file).with_context(|| format!("{name} cannot be read"))?.len();
        if size > MAX_FILE_BYTES {
            bail!("{name} has {size} bytes; the limit is {MAX_FILE_BYTES}");
        }
        let text = fs::read_to_string(&file).with_context(|| format!("{name} cannot be read"))?;
        let links = read(&text).with_context(|| format!("{name} cannot be read"))?;
        let asked = MapImportRequest { source, links, plan, replace };
        let done: MapImportResponse = client.post(paths::MAP_IMPORT, &asked).await?;
        if json {
            print(&serde_json::to_string(&done)?);
        } else {
            show(&done);
        }
        Ok(if done.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// The links of a file, each with its line number or, in JSON, its position.
fn read(text: &str) -> anyhow::Result<Vec<ImportedLink>> {
    let text = text.trim_start_matches('\u{feff}');
    let links = if text.trim_start().starts_with('[') { read_json(text)? } else { read_csv(text)? };
    if links.len() > MAX_LINES {
        bail!("there are {} links; the limit is {MAX_LINES}", links.len());
    }
    Ok(links)
}

fn read_json(text: &str) -> anyhow::Result<Vec<ImportedLink>> {
    let links: Vec<ImportedLink> = serde_json::from_str(text)?;
    Ok((1..).zip(links).map(|(line, link)| ImportedLink { line: Some(line), ..link }).collect())
}

fn read_csv(text: &str) -> anyhow::Result<Vec<ImportedLink>> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers()?.clone();
    let known = |name: &&str| COLUMNS.contains(name) || FURTHER.contains(name);
    if let Some(unknown) = header.iter().find(|name| !known(name)) {
        bail!("line 1: {unknown:?} is none of the columns {}, {}", COLUMNS.join(", "), FURTHER.join(", "));
    }
    let place = |name: &str| header.iter().position(|known| known == name);
    if let Some(missing) = COLUMNS.into_iter().find(|name| place(name).is_none()) {
        bail!("line 1: the column {missing} is missing");
    }
    let mut links = Vec::new();
    let (mut line, mut counted) = (1, 0);
    for record in reader.records() {
        let record = record?;
        // The reader reports where it began to search: line ends and empty lines may precede the record.
        let looked_from = record.position().map_or(0, csv::Position::byte);
        let rest = usize::try_from(looked_from).ok().and_then(|from| text.get(from..)).unwrap_or_default();
        let start = text.len() - rest.trim_start_matches(['\r', '\n']).len();
        line += text.get(counted..start).map_or(0, |passed| passed.matches('\n').count()) as u64;
        counted = start;
        let said = |name: &str| place(name).and_then(|at| record.get(at)).map_or(Value::Null, Value::from);
        links.push(ImportedLink {
            line: Some(line),
            entity: said("entity"),
            external_id: said("external_id"),
            ours: said("ours"),
            source: said("source"),
            origin: said("origin"),
        });
    }
    Ok(links)
}

fn show(done: &MapImportResponse) {
    let mut rows = Listing::new();
    for entity in &done.entities {
        let EntityImportResult { entity, new, unchanged, changed, wrong } = entity;
        let counts = [("new", new), ("unchanged", unchanged), ("changed", changed), ("wrong", wrong)];
        let words: Vec<String> = counts.iter().map(|(word, lines)| format!("{} {word}", lines.count)).collect();
        rows.row(&[entity, &words.join(", ")]);
        for (word, LineCount { first, .. }) in counts {
            let Some(first) = first else { continue };
            let was = first.was.map(|was| format!(", was {was}")).unwrap_or_default();
            let ImportedLine { line, external_id, ours, .. } = first;
            rows.below(format!("    first {word}: line {line}: {external_id} -> {ours}{was}"));
        }
    }
    rows.print();
    for problem in &done.problems {
        print(&format!("line {}: {}: {}", problem.line, problem.field, problem.problem));
    }
    if done.more_problems > 0 {
        print(&format!("and {} more problems", done.more_problems));
    }
    say(match (done.applied, done.problems.is_empty()) {
        (true, _) => "imported; records parked for these links are applied automatically",
        (false, true) => "nothing is written yet; run again without --plan to import",
        (false, false) => "nothing was imported: every line must be valid",
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_known_by_its_number() {
        let text = "\u{feff}ours, entity ,external_id,source\r\n1,property,\"a, \"\"b\"\"\",x\n\n2,booking,007,\n";
        let links = read(text).expect("links");
        let said: Vec<_> =
            links.iter().map(|link| (link.line, link.external_id.as_str(), link.source.as_str())).collect();
        assert_eq!(said, [(Some(2), Some("a, \"b\""), Some("x")), (Some(4), Some("007"), Some(""))]);
        let list =
            r#"[{"entity":"property","external_id":4100,"ours":1},{"entity":"booking","externalId":"b","ours":"2"}]"#;
        let links = read(list).expect("links");
        assert_eq!((links[0].line, links[1].line, links[0].external_id.as_i64()), (Some(1), Some(2), Some(4_100)));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (text, said) in [
            ("entity,ours\n", "external_id is missing"),
            ("entity,external_id,ours,house\n", "\"house\" is none of the columns"),
            ("entity,external_id,ours\nproperty,1\n", "line: 2"),
            ("[{\"entity\":1,\"house\":2}]", "unknown field `house`"),
        ] {
            let error = format!("{:#}", read(text).expect_err("wrong"));
            assert!(error.contains(said), "{error}");
        }
        let many = format!("entity,external_id,ours\n{}", "property,1,1\n".repeat(MAX_LINES + 1));
        assert!(read(&many).is_err_and(|error| error.to_string().contains("the limit is 50000")));
    }
}
