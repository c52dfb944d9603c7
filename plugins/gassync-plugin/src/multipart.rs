//! Forms with files: `multipart/form-data`, as channels send and expect them.
//!
//! ```
//! use gassync_plugin::{HttpRequest, multipart::{self, Form, Part}, testing::FakeHost};
//!
//! let form = Form::default()
//!     .with(Part::text("caption", "The \"attic\""))
//!     .with(Part::file("photo", "attic.png", "image/png", b"\x89PNG\0".to_vec()));
//! FakeHost::answer(201, "");
//! form.request("POST", "https://api.example.org/photos")?.send()?;
//!
//! let sent: HttpRequest = FakeHost::take_requests().remove(0);
//! let parts = multipart::read(&sent)?;
//! assert_eq!(parts[0], Part::text("caption", "The \"attic\""));
//! assert_eq!((parts[1].file_name.as_deref(), &*parts[1].bytes), (Some("attic.png"), &b"\x89PNG\0"[..]));
//! # Ok::<(), gassync_plugin::ChannelError>(())
//! ```

use std::convert::Infallible;

use futures_util::{FutureExt as _, stream};
use multer::Multipart;

use crate::{ChannelError, FieldError, HttpRequest, http::Request, malformed};

/// Maximum parts of a form that is read.
const MAX_PARTS: usize = 1_000;
/// The boundary; a number follows.
const BOUNDARY: &str = "gassync-form-";

/// One field of a form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// The field's name.
    pub name: String,
    /// The file's name, if it is a file.
    pub file_name: Option<String>,
    /// The type of the content, if given.
    pub content_type: Option<String>,
    /// The content.
    pub bytes: Vec<u8>,
}

impl Part {
    /// A field with a text.
    pub fn text(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), bytes: text.into().into_bytes(), ..Self::default() }
    }

    /// A file.
    pub fn file(
        name: impl Into<String>,
        file_name: impl Into<String>,
        content_type: impl Into<String>,
        bytes: Vec<u8>,
    ) -> Self {
        let (file_name, content_type) = (Some(file_name.into()), Some(content_type.into()));
        Self { name: name.into(), file_name, content_type, bytes }
    }

    /// The content as text; malformed under the field's name if it is none.
    pub fn as_str(&self) -> Result<&str, ChannelError> {
        std::str::from_utf8(&self.bytes).map_err(|error| malformed(&self.name, format_args!("is not UTF-8: {error}")))
    }
}

/// Reads the form of a call, at most 1,000 parts. Anything else is malformed.
pub fn read(request: &HttpRequest) -> Result<Vec<Part>, ChannelError> {
    let header = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-type"));
    let wrong = |error: multer::Error| malformed("", format_args!("the form cannot be read: {error}"));
    let boundary = multer::parse_boundary(header.map_or("", |header| &header.value)).map_err(wrong)?;
    let body = stream::iter([Ok::<_, Infallible>(request.bytes().to_vec())]);
    let mut form = Multipart::new(body, boundary);
    // The whole body is there, so that nothing ever waits.
    let cut_off = || malformed("", "the form is cut off");
    let mut parts = Vec::new();
    while let Some(field) = form.next_field().now_or_never().ok_or_else(cut_off)?.map_err(wrong)? {
        if parts.len() == MAX_PARTS {
            return Err(malformed("", format_args!("the form has more than {MAX_PARTS} parts")));
        }
        let mut part = Part {
            name: field.name().unwrap_or_default().to_owned(),
            file_name: field.file_name().map(str::to_owned),
            content_type: field.content_type().map(ToString::to_string),
            bytes: Vec::new(),
        };
        part.bytes = field.bytes().now_or_never().ok_or_else(cut_off)?.map_err(wrong)?.to_vec();
        parts.push(part);
    }
    Ok(parts)
}

/// A form to send.
#[derive(Debug, Clone, Default)]
pub struct Form {
    parts: Vec<Part>,
    secrets: Vec<(String, String)>,
}

impl Form {
    /// Adds a part.
    #[must_use]
    pub fn with(mut self, part: Part) -> Self {
        self.parts.push(part);
        self
    }

    /// Adds a field that the host fills in, `slot.field`.
    #[must_use]
    pub fn with_secret(mut self, name: &str, secret: &str) -> Self {
        self.secrets.push((name.to_owned(), secret.to_owned()));
        self
    }

    /// The request that sends it. The host fills in secrets in text only, and cannot tell their placeholders from
    /// equal ones in the data: a form that has both, or a secret beside a file that is not text, is an error.
    pub fn request(self, method: &str, url: impl Into<String>) -> Result<Request, ChannelError> {
        for part in self.parts.iter().filter(|_| !self.secrets.is_empty()) {
            let Ok(text) = part.as_str() else {
                return Err(ChannelError::Broken(format!(
                    "{} is not text, and there is a secret beside it",
                    part.name
                )));
            };
            if [text, &part.name, part.file_name.as_deref().unwrap_or_default()].iter().any(|text| text.contains("{{"))
            {
                return Err(ChannelError::Rejected(vec![FieldError::new(&part.name, "must not contain {{")]));
            }
        }
        let boundary = self.boundary();
        let secret = |(name, secret): &(String, String)| Part::text(name, format!("{{{{{secret}}}}}"));
        let mut body = Vec::new();
        for part in self.secrets.iter().map(secret).chain(self.parts) {
            part.write(&boundary, &mut body);
        }
        body.extend(format!("--{boundary}--\r\n").into_bytes());
        let content_type = format!("multipart/form-data; boundary={boundary}");
        let request = Request::with_body(method, url, &content_type, body);
        Ok(self.secrets.iter().fold(request, |request, (_, secret)| request.body_secret(secret)))
    }

    /// One that occurs in no part.
    fn boundary(&self) -> String {
        let occurs = |boundary: &str| {
            self.parts.iter().any(|part| part.bytes.windows(boundary.len()).any(|bytes| bytes == boundary.as_bytes()))
        };
        let mut boundaries = (0_u64..).map(|number| format!("{BOUNDARY}{number}"));
        boundaries.find(|boundary| !occurs(boundary)).unwrap_or_default()
    }
}

impl Part {
    fn write(&self, boundary: &str, body: &mut Vec<u8>) {
        let mut head = format!("--{boundary}\r\ncontent-disposition: form-data; name=\"{}\"", quoted(&self.name));
        if let Some(file_name) = &self.file_name {
            head.push_str(&format!("; filename=\"{}\"", quoted(file_name)));
        }
        if let Some(content_type) = &self.content_type {
            head.push_str(&format!("\r\ncontent-type: {}", content_type.replace(['\r', '\n'], " ")));
        }
        body.extend(head.into_bytes());
        body.extend(b"\r\n\r\n");
        body.extend(&self.bytes);
        body.extend(b"\r\n");
    }
}

/// As browsers write names.
fn quoted(text: &str) -> String {
    text.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Header,
        testing::{FakeHost, post},
    };

    fn sent(form: Form) -> HttpRequest {
        FakeHost::reset();
        FakeHost::answer(200, "");
        form.request("POST", "https://api.example.org/").expect("a request").send().expect("an answer");
        FakeHost::take_requests().remove(0)
    }

    fn call(content_type: &str, body: &str) -> HttpRequest {
        let header = Header { name: "Content-Type".to_owned(), value: content_type.to_owned() };
        HttpRequest { headers: vec![header], ..post("/", body) }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let hostile = b"\r\n--gassync-form-0--\r\n--gassync-form-1\r\n\0\xff".to_vec();
        let parts = [
            Part::text("note", "Zoë & {{acme.key}}\r\n"),
            Part::file("photo", "a\u{e9}.png", "image/png", hostile),
            Part::text("", ""),
        ];
        let form = parts.iter().cloned().fold(Form::default(), Form::with);
        assert_eq!(read(&sent(form)).expect("a form"), parts);
        assert_eq!(read(&sent(Form::default())).expect("a form"), []);
    }

    #[test]
    fn names_end_no_header() {
        let sent = sent(Form::default().with(Part::file("a\"\r\nb", "c\".png", "x\r\ny: z", Vec::new())));
        let text = String::from_utf8(sent.body.expect("a body")).expect("text");
        let head = "name=\"a%22%0D%0Ab\"; filename=\"c%22.png\"\r\ncontent-type: x  y: z\r\n\r\n";
        assert!(text.contains(head), "{text}");
    }

    #[test]
    fn a_secret_is_filled_in_and_no_other_text() {
        let form = || Form::default().with_secret("token", "acme.token");
        let sent = sent(form().with(Part::text("note", "hello")));
        assert_eq!(FakeHost::secrets_meant(), ["body:acme.token"]);
        assert!(read(&sent).expect("a form").contains(&Part::text("token", "{{acme.token}}")));
        let refused = |part: Part| form().with(part).request("POST", "https://api.example.org/").expect_err("refused");
        assert!(matches!(refused(Part::text("note", "my {{acme.token}}")), ChannelError::Rejected(_)));
        assert!(matches!(refused(Part::file("f", "f", "x/y", vec![0xff])), ChannelError::Broken(_)));
    }

    #[test]
    fn what_is_no_form_is_malformed() {
        let form = "multipart/form-data; boundary=x";
        let many = "--x\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\n\r\n".repeat(1_001) + "--x--";
        for (content_type, body) in [
            ("", "--x--"),
            ("text/plain", "--x--"),
            ("multipart/form-data", "--x--"),
            (form, ""),
            (form, "no form"),
            (form, "--x\r\n"),
            (form, "--x\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\ncut"),
            (form, "--x\r\ncontent-disposition\r\n\r\n\r\n--x--"),
            (form, &many),
        ] {
            let read = read(&call(content_type, body));
            assert!(matches!(read, Err(ChannelError::Malformed(_))), "{content_type} {body:.40}: {read:?}");
        }
        let lone = call(form, "--x\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\n\r\n--x--");
        assert_eq!(read(&lone).expect("a form"), [Part::text("a", "")]);
        assert!(
            matches!(Part { bytes: vec![0xff], ..Part::text("a", "") }.as_str(), Err(ChannelError::Malformed(why)) if why.starts_with("a: "))
        );
    }
}
