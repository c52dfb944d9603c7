//! Reading an inbound call, and an answer.

use serde::Deserialize;

use crate::{ChannelError, Header, HttpRequest, HttpResponse};

impl HttpRequest {
    /// The body, or nothing.
    pub fn body_bytes(&self) -> &[u8] {
        self.body.as_deref().unwrap_or_default()
    }

    /// The body as JSON.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, ChannelError> {
        read_json(self.body_bytes())
    }

    /// The first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        find_header(&self.headers, name)
    }

    /// The path, without the query.
    pub fn path(&self) -> &str {
        self.url.split(['?', '#']).next().unwrap_or_default()
    }

    /// The first query parameter of this name, decoded. A query with broken encodings is read as far as it goes.
    pub fn query(&self, name: &str) -> Option<String> {
        form_value(self.url.split_once('?')?.1, name)
    }

    /// The first field of this name in a form body (`application/x-www-form-urlencoded`).
    pub fn form(&self, name: &str) -> Option<String> {
        form_value(str::from_utf8(self.body_bytes()).ok()?, name)
    }
}

impl HttpResponse {
    /// A plain text.
    pub fn text(status: u16, text: &str) -> Self {
        let headers = vec![Header { name: "content-type".to_owned(), value: "text/plain; charset=utf-8".to_owned() }];
        Self { status, headers, body: text.as_bytes().to_vec() }
    }

    /// The body as JSON.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, ChannelError> {
        read_json(&self.body)
    }

    /// The first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        find_header(&self.headers, name)
    }
}

fn read_json<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, ChannelError> {
    serde_json::from_slice(body).map_err(|error| ChannelError::malformed(&format!("body: {error}")))
}

fn find_header<'a>(headers: &'a [Header], name: &str) -> Option<&'a str> {
    headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value.as_str())
}

fn form_value(form: &str, name: &str) -> Option<String> {
    form.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(key) == name).then(|| decode(value))
    })
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                bytes.push(hex(*high) << 4 | hex(*low));
                rest = after;
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(url: &str) -> HttpRequest {
        HttpRequest { method: "GET".to_owned(), url: url.to_owned(), headers: Vec::new(), body: None }
    }

    #[test]
    fn a_query_is_decoded() {
        let request = get("/hook?bookid=12&name=J%C3%B3%20+B&empty=&broken=%zz%");
        assert_eq!(request.path(), "/hook");
        assert_eq!(request.query("bookid").as_deref(), Some("12"));
        assert_eq!(request.query("name").as_deref(), Some("Jó  B"));
        assert_eq!(request.query("empty").as_deref(), Some(""));
        assert_eq!(request.query("broken").as_deref(), Some("%zz%"));
        assert_eq!(request.query("absent"), None);
    }

    #[test]
    fn headers_have_no_case() {
        assert_eq!(HttpResponse::text(200, "").header("Content-Type"), Some("text/plain; charset=utf-8"));
    }
}
