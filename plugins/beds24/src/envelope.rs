//! Response envelopes of Beds24.

use gassync_plugin::{ChannelError, Lenient, http::Response, malformed, read_json};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    client::{self, Parameters},
    refusal::{self, ErrorBody},
    settings::Settings,
};

/// Maximum pages of a lookup of a few records.
pub(crate) const MAX_PAGES: u32 = 3;

/// The records of a response, as original JSON.
pub(crate) struct Records {
    pub items: Vec<Box<RawValue>>,
    pub another_page: bool,
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    success: Lenient,
    #[serde(default)]
    pages: Option<Pages>,
    data: Option<Vec<Box<RawValue>>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Pages {
    next_page_exists: Lenient,
    next_page_link: Lenient,
}

/// Fetches one page of records.
pub(crate) fn ask(settings: &Settings, path: &str, parameters: &Parameters) -> Result<Records, ChannelError> {
    let answer = client::get(settings, path, parameters)?;
    if answer.status() == 200 { records(&answer) } else { Err(refusal::of_status(&answer)) }
}

/// Fetches all pages of a lookup of a few records. Returns the number of requests too.
pub(crate) fn ask_whole(
    settings: &Settings,
    path: &str,
    parameters: &Parameters,
) -> (Result<Vec<Box<RawValue>>, ChannelError>, u32) {
    let mut all = Vec::new();
    for page in 1..=MAX_PAGES {
        let mut parameters = parameters.clone();
        if page > 1 {
            parameters.push(("page", page.to_string()));
        }
        match ask(settings, path, &parameters) {
            Ok(Records { items, another_page }) => {
                all.extend(items);
                if !another_page {
                    return (Ok(all), page);
                }
            }
            Err(error) => return (Err(error), page),
        }
    }
    (Err(malformed("/pages", format_args!("there are more than {MAX_PAGES}"))), MAX_PAGES)
}

/// Reads an envelope, a plain list, or a single record.
fn records(answer: &Response) -> Result<Records, ChannelError> {
    let text = std::str::from_utf8(answer.body()).map_err(|_| malformed("", "is not UTF-8"))?;
    if text.trim_start().starts_with('[') {
        let items = read_json(text, "")?;
        return Ok(Records { items, another_page: false });
    }
    let envelope: Envelope = read_json(text, "")?;
    if envelope.success.flag() == Some(false) {
        let said: ErrorBody = read_json(text, "")?;
        return Err(refusal::of_body(&said, answer));
    }
    match envelope.data {
        Some(items) => {
            // An empty page that announces another could continue for ever.
            let another_page = !items.is_empty() && envelope.pages.is_some_and(|pages| pages.go_on());
            Ok(Records { items, another_page })
        }
        None if envelope.success.flag().is_some() => Err(malformed("/data", "is missing")),
        None => {
            let item = read_json(text, "")?;
            Ok(Records { items: vec![item], another_page: false })
        }
    }
}

impl Pages {
    fn go_on(&self) -> bool {
        self.next_page_exists.flag().unwrap_or(self.next_page_link.as_str().is_some())
    }
}

#[cfg(test)]
mod tests {
    use gassync_plugin::testing::FakeHost;

    use super::*;

    fn asked(status: u16, body: &str) -> Result<Records, ChannelError> {
        FakeHost::reset();
        FakeHost::answer(status, body);
        ask(&Settings::default(), "/bookings", &Vec::new())
    }

    #[test]
    fn a_page_says_whether_there_is_another() {
        let another = |pages: &str, data: &str| {
            let body = format!(r#"{{"success":true,"type":"booking","count":1,{pages}"data":[{data}]}}"#);
            asked(200, &body).expect("a page").another_page
        };
        assert!(another(r#""pages":{"nextPageExists":true,"nextPageLink":null},"#, "1"));
        assert!(another(r#""pages":{"nextPageLink":"https://beds24.com/api/v2/bookings?page=2"},"#, "1"));
        assert!(!another(r#""pages":{"nextPageExists":false,"nextPageLink":"https://beds24.com"},"#, "1"));
        assert!(!another(r#""pages":{"nextPageExists":true},"#, ""), "no endless pages");
        assert!(!another("", "1") && !another(r#""pages":null,"#, "1"));
    }

    #[test]
    fn what_is_no_answer_is_no_empty_page() {
        let error = |status: u16, body: &str| asked(status, body).err().expect("an error");
        for nothing in ["", "<html>Back soon</html>", r#"{"success":true}"#, r#"{"success":true,"data":[{"id":1"#, "5"]
        {
            assert!(matches!(error(200, nothing), ChannelError::Malformed(_)), "{nothing}");
        }
        let said = r#"{"success":false,"type":"error","code":401,"error":"Token not valid"}"#;
        assert_eq!(error(200, said), ChannelError::Unauthorized("Token not valid".to_owned()));
        assert_eq!(error(401, said), ChannelError::Unauthorized("Token not valid".to_owned()));
        assert!(matches!(error(200, r#"{"success":false}"#), ChannelError::Rejected(_)));
        assert!(matches!(error(503, "<html>"), ChannelError::Unavailable(_)));
        // A single record, and a plain list as in API V1.
        assert_eq!(asked(200, r#"{"id":1,"status":"new"}"#).expect("a record").items.len(), 1);
        assert_eq!(asked(200, r#"[{"bookId":"1"},{"bookId":"2"}]"#).expect("a list").items.len(), 2);
    }
}
