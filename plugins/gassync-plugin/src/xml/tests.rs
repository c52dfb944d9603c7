//! Documents as channels write them, and as nobody should.

use super::*;
use crate::{ChannelError, Decimal, http::Request, parse_date, testing::FakeHost};

fn read(text: impl AsRef<[u8]>) -> Element {
    let text = text.as_ref();
    Element::parse(text).unwrap_or_else(|error| panic!("{}: {error:?}", String::from_utf8_lossy(text)))
}

/// The problem of a document that must not be read.
fn problem(text: impl AsRef<[u8]>) -> String {
    match Element::parse(text.as_ref()) {
        Err(ChannelError::Malformed(problem)) => problem,
        other => panic!("{:.200?}: {other:?}", String::from_utf8_lossy(text.as_ref())),
    }
}

fn within(limits: Limits, text: &str) -> Option<String> {
    match Element::parse_within(text.as_bytes(), limits) {
        Err(ChannelError::Malformed(problem)) => Some(problem),
        Err(other) => panic!("{other:?}"),
        Ok(_) => None,
    }
}

fn utf_16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    std::iter::once('\u{feff}').chain(text.chars()).collect::<String>().encode_utf16().flat_map(unit).collect()
}

const BOOKINGS: &str = r#"<?xml version="1.0"?>
<o:Envelope xmlns:o="urn:outer" xmlns="urn:inner">
  <Bookings count="2">
    <Booking id="1"><Guest xml:lang="nb">Åse</Guest><Nights>3</Nights></Booking>
    <!-- a comment --><Note/>
    <Booking id=" 2 " from="2027-03-04" o:kind="new"><Total>1e2</Total><Nights>some</Nights></Booking>
  </Bookings>
</o:Envelope>"#;

#[test]
fn elements_are_found_by_path_and_by_namespace() {
    let root = read(BOOKINGS);
    assert_eq!((root.name(), root.namespace()), ("Envelope", Some("urn:outer")));
    assert!(root.child_in("urn:inner", "Bookings").is_some() && root.child_in("urn:outer", "Bookings").is_none());
    let bookings = root.all("Bookings/Booking");
    assert_eq!(bookings.len(), 2);
    assert_eq!((bookings[1].attribute("id"), bookings[1].attribute("o:kind")), (Some("2"), Some("new")));
    assert_eq!((bookings[1].attribute_in("urn:outer", "kind"), bookings[1].attribute("kind")), (Some("new"), None));
    assert_eq!(root.text_at("Bookings/Booking/Guest"), Some("Åse"));
    let guest = root.find("Bookings/Booking/Guest").expect("a guest");
    assert_eq!(guest.attribute_in("http://www.w3.org/XML/1998/namespace", "lang"), Some("nb"));
    assert_eq!((root.text(), root.text_at("Bookings/Note"), root.text_at("Booking/Guest")), (None, None, None));
}

#[test]
fn errors_name_the_place() {
    let root = read(BOOKINGS);
    let booking = root.all("Bookings/Booking")[1];
    let at = |problem: Result<String, ChannelError>| match problem {
        Err(ChannelError::Malformed(problem)) => problem,
        other => panic!("{other:?}"),
    };
    let text = |found: &str| found.to_owned();
    assert_eq!(
        at(booking.field("Guest/@id").required().map(text)),
        "/Envelope/Bookings/Booking[2]/Guest/@id: is missing"
    );
    assert_eq!(at(root.field("Bookings/@x").required().map(text)), "/Envelope/Bookings/@x: is missing");
    assert_eq!(at(booking.required("Guest").map(|_| String::new())), "/Envelope/Bookings/Booking[2]/Guest: is missing");
    let nights = booking.field("Nights").count().map(|_| String::new());
    assert_eq!(at(nights), r#"/Envelope/Bookings/Booking[2]/Nights: is "some", and no count"#);
    let date = booking.field("Total").date().map(|_| String::new());
    assert_eq!(at(date), "/Envelope/Bookings/Booking[2]/Total: is not a date (YYYY-MM-DD)");
    let own = booking.find("Nights").expect("nights").field("").decimal().map(|_| String::new());
    assert_eq!(at(own), r#"/Envelope/Bookings/Booking[2]/Nights: is "some", and no decimal"#);
    assert_eq!(at(leaf("New", 5).field("@id").required().map(text)), "New/@id: is missing");
}

#[test]
fn values_are_read_as_those_of_json() {
    let root = read(BOOKINGS);
    let booking = root.all("Bookings/Booking")[1];
    assert_eq!(booking.field("@id").required_count(), Ok(2));
    assert_eq!(booking.field("@from").required_date().ok(), parse_date("2027-03-04"));
    assert_eq!(booking.field("Total").amount(), Ok(Some("100".to_owned())));
    assert_eq!(booking.field("Total").decimal(), Ok(Decimal::parse("100")));
    assert_eq!((booking.field("@x").amount(), booking.field("@x").date()), (Ok(None), Ok(None)));
    assert_eq!(booking.field("@x").lenient(), crate::Lenient::default());
    let json = serde_json::json!({
        "@xmlns:o": "urn:outer", "@xmlns": "urn:inner",
        "Bookings": {"@count": "2", "Note": null, "Booking": [
            {"@id": "1", "Guest": {"@xml:lang": "nb", "#text": "Åse"}, "Nights": "3"},
            {"@id": "2", "@from": "2027-03-04", "@o:kind": "new", "Total": "1e2", "Nights": "some"},
        ]},
    });
    assert_eq!(root.json(), json);
}

#[test]
fn encodings_are_read_as_declared() {
    let euro = "<a b=\"\u{20ac}\">Zoë \u{1f600}</a>";
    for bytes in [
        format!("\u{feff}{euro}").into_bytes(),
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>{euro}").into_bytes(),
        utf_16(euro, u16::to_le_bytes),
        utf_16(&format!("<?xml version='1.0' encoding='UTF-16'?>{euro}"), u16::to_be_bytes),
    ] {
        let root = read(bytes);
        assert_eq!((root.attribute("b"), root.text()), (Some("\u{20ac}"), Some("Zoë \u{1f600}")));
    }
    for name in ["ISO-8859-1", "windows-1252", "Latin1"] {
        let bytes = [b"<?xml version='1.0' encoding='", name.as_bytes(), b"'?><a>Zo\xeb \x80</a>"].concat();
        assert_eq!(read(bytes).text(), Some("Zoë \u{20ac}"), "{name}");
    }
}

#[test]
fn broken_encodings_are_malformed() {
    assert!(problem(b"<a>Zo\xeb</a>").contains("is not UTF-8"));
    assert!(problem(b"<?xml version='1.0' encoding='Shift_JIS'?><a/>").contains("shift_jis"));
    assert!(problem(b"<?xml version='1.0' encoding='UTF-16'?><a/>").contains("no byte order mark"));
    let mut odd = utf_16("<a/>", u16::to_le_bytes);
    odd.push(0x20);
    assert!(problem(odd).contains("is not UTF-16"));
    let mut half = utf_16("<a>", u16::to_le_bytes);
    half.extend(0xd83d_u16.to_le_bytes());
    assert!(problem(half).contains("is not UTF-16"));
    // Without its mark it is a row of NULs.
    problem(&utf_16("<a/>", u16::to_le_bytes)[2..]);
    problem(b"\xff\xfe\0\0<\0\0\0");
}

#[test]
fn nothing_expands_and_nothing_is_loaded() {
    let laughs: String =
        (1..10).map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10))).collect();
    for document in [
        format!("<!DOCTYPE a [<!ENTITY l0 \"ha\">{laughs}]><a>&l9;</a>"),
        "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>".to_owned(),
        "<!DOCTYPE a SYSTEM \"https://evil.example.org/a.dtd\"><a/>".to_owned(),
        "<!DOCTYPE a [<!ENTITY % x SYSTEM \"https://evil.example.org/\"> %x;]><a/>".to_owned(),
        "<!DOCTYPE html><a/>".to_owned(),
    ] {
        assert!(problem(&document).ends_with("a document type definition is not read"), "{document:.80}");
    }
    assert_eq!(problem("<a><b>&own;</b></a>"), r#"/a/b: the entity "own" is not known: entities are not expanded"#);
    problem("<a b='&own;'/>");
    assert_eq!(
        read("<a b='&lt;&#x41;&quot;'>&amp;&#66;&apos;&gt;</a>").json(),
        serde_json::json!({"@b": "<A\"", "#text": "&B'>"})
    );
    assert_eq!(read("<a><![CDATA[<b>&amp;]]></a>").text(), Some("<b>&amp;"));
}

#[test]
fn each_limit_is_kept() {
    let limits = Limits { bytes: 200, depth: 3, elements: 5, attributes: 4, attributes_of_element: 3, text_bytes: 10 };
    for (fits, exceeds, problem) in [
        ("<a><b><c/></b></a>", "<a><b><c><d/></c></b></a>", "/a/b/c: the document is more than 3 elements deep"),
        ("<a><b/><b/><b/><b/></a>", "<a><b/><b/><b/><b/><b/></a>", "/a: the document has more than 5 elements"),
        ("<a b='' c='' d=''/>", "<a b='' c='' d='' e=''/>", "/a: there are more than 4 attributes, or more than 3"),
        ("<a b='' c=''><b c='' d=''/></a>", "<a b='' c=''><b c='' d='' e=''/></a>", "/a/b: there are more than 4"),
        ("<a>0123456789</a>", "<a>01234<b/>56789.</a>", "/a: the text has more than 10 bytes"),
        ("<a>01234<![CDATA[56789]]></a>", "<a>01234&#65;<![CDATA[56789]]></a>", "/a: the text has more than 10 bytes"),
        ("<a b='0123456789'/>", "<a b='0123456789.'/>", "/a: an attribute has more than 10 bytes"),
    ] {
        assert_eq!(within(limits, fits), None, "{fits}");
        let reported = within(limits, exceeds).expect(exceeds);
        assert!(reported.starts_with(problem), "{exceeds}: {reported}");
    }
    let long = format!("<a>{}</a>", " ".repeat(194));
    assert_eq!(within(limits, &long).as_deref(), Some("the XML has more than 200 bytes"));
    let wide = [&b"<?xml version='1.0' encoding='latin1'?><a>"[..], &[0x80; 60], b"</a>"].concat();
    let wide = Element::parse_within(&wide, limits).expect_err("its text is longer than the document");
    assert_eq!(wide, ChannelError::Malformed("the XML has more than 200 bytes".to_owned()));
}

#[test]
fn hostile_documents_cost_little() {
    let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
    assert!(problem(deep).contains("more than 64 elements deep"));
    assert!(problem(format!("<a>{}</a>", "<b/>".repeat(200_000))).ends_with("more than 100000 elements"));
    let attributes: String = (0..300).map(|n| format!(" a{n}=''")).collect();
    assert!(problem(format!("<a{attributes}/>")).contains("more than 256 of one element"));
    let prefixes: String = (0..200).map(|n| format!(" xmlns:a{n}='u'")).collect();
    problem(format!("<a{prefixes}/>"));
    assert!(problem(format!("<a>{}</a>", "x".repeat(1_048_577))).contains("more than 1048576 bytes"));
    let long_name = "n".repeat(1_000_000);
    assert!(problem(format!("<{long_name}>&x;</{long_name}>")).len() < 200, "an error stays short");
    // Names that all differ.
    let names: String = (0..90_000).map(|n| format!("<n{n}/>")).collect();
    assert_eq!(read(format!("<a>{names}</a>")).children().len(), 90_000);
}

#[test]
fn truncated_and_ill_formed_documents_are_malformed() {
    let whole = BOOKINGS.trim();
    // Every beginning of a document, cut between characters.
    for (at, _) in whole.char_indices() {
        problem(&whole[..at]);
    }
    for document in [
        "",
        " ",
        "no XML at all",
        "{\"a\":1}",
        "<a/><b/>",
        "<a/>text",
        "text<a/>",
        "<a></b>",
        "</a>",
        "<a b='1' b='2'/>",
        "<a b=1/>",
        "<a b/>",
        "<x:a/>",
        "<a x:b=''/>",
        "<a>&</a>",
        "<a>&amp</a>",
        "<a>&#;</a>",
        "<a>&#xzz;</a>",
        "<a b='&#xzz;'/>",
        "<a><![CDATA[</a>",
        "<a><!-- </a>",
        "<html><body><br></body></html>",
    ] {
        problem(document);
    }
    assert!(problem("<a><b><c></b></a>").starts_with("/a/b/c: "));
}

#[test]
fn characters_that_nobody_can_store_are_replaced() {
    let root = read("<a b='1\0&#0;&#xD83D;&#x1F;2'>x\0\u{1}&#0;&#xdead;&#x110000;&#x7;\u{ffff}y\t\n</a>");
    assert_eq!(root.attribute("b"), Some("1\u{fffd}\u{fffd}\u{fffd}\u{fffd}2"));
    assert_eq!(root.text(), Some("x\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}y"));
    assert_eq!(read("<a><![CDATA[\0&#0;]]></a>").text(), Some("\u{fffd}&#0;"));
    assert_eq!(read("<a\0 b\0=''/>").json().to_string(), "{\"@b\u{fffd}\":\"\"}", "nor in a name");
    assert!(read("<a xmlns='urn:&lt;a&#0;&amp;b'/>").is_in("urn:<a\u{fffd}&b"));
}

#[test]
fn what_is_written_is_read_back() {
    let hostile = "<>&\"' ]]> &amp; {{acme.key}} \r\n\t {{{ é \u{1f600}";
    let written = element("A").with("b", hostile).with("c", 7).with_some("d", None::<&str>).with_children([
        leaf("E", hostile),
        element("Empty"),
        element("p:F").with("xmlns:p", "urn:f").with_text(true),
    ]);
    let document = String::from_utf8(written.document()).expect("UTF-8");
    assert!(document.starts_with(r#"<?xml version="1.0" encoding="UTF-8"?><A b=""#) && !document.contains("{{"));
    assert!(document.contains("<Empty/>") && document.ends_with("<p:F xmlns:p=\"urn:f\">true</p:F></A>"), "{document}");
    let root = read(&document);
    assert_eq!(
        (root.attribute("b"), root.text_at("E"), root.text_at("F")),
        (Some(hostile), Some(hostile), Some("true"))
    );
    assert!(root.child_in("urn:f", "F").is_some());
    assert_eq!(read(leaf("A", "1\u{0}2\u{b}3").with("b", "\u{1}").document()).text(), Some("1\u{fffd}2\u{fffd}3"));
    let mut part = b"<list>".to_vec();
    leaf("x", 1).write_to(&mut part);
    assert_eq!(part, b"<list><x>1</x>");
}

#[test]
fn what_was_read_keeps_its_namespaces_elsewhere() {
    let root = read(BOOKINGS);
    let booking = root.all("Bookings/Booking")[1].clone();
    let answer = element("Answer").with("xmlns", "urn:answer").with_children([booking, element("Own")]);
    let document = String::from_utf8(answer.document()).expect("UTF-8");
    let answer = read(&document);
    let booking = answer.child_in("urn:inner", "Booking").expect("a booking");
    assert_eq!(booking.attribute_in("urn:outer", "kind"), Some("new"));
    assert!(booking.child_in("urn:inner", "Total").is_some() && answer.child_in("urn:answer", "Own").is_some());
    assert_eq!(document.matches("urn:inner").count(), 1, "declared once: {document}");
    let again = read(read(BOOKINGS).document());
    assert_eq!((again.namespace(), again.text_at("Bookings/Booking/Guest")), (Some("urn:outer"), Some("Åse")));
    assert!(again.child_in("urn:inner", "Bookings").is_some(), "a default of before is none of what was prefixed");
}

#[test]
fn secrets_are_named_and_declared() {
    let login = element("Login").with_secret("user", "acme.user").with_children([
        element("Password").with_secret_text("acme.password"),
        element("Again").with_secret_text("acme.password"),
    ]);
    assert_eq!(login.secrets(), ["acme.user", "acme.password"]);
    FakeHost::reset();
    FakeHost::answer(200, "<ok/>");
    let request = Request::with_document("POST", "https://api.example.org/", "text/xml; charset=utf-8", &login);
    request.send().expect("an answer");
    assert_eq!(FakeHost::secrets_meant(), ["body:acme.user", "body:acme.password"]);
    let body = FakeHost::take_requests().remove(0).body.expect("a body");
    let written = r#"<Login user="{{acme.user|xml}}"><Password>{{acme.password|xml}}</Password>"#;
    assert!(String::from_utf8_lossy(&body).contains(written));
    assert_eq!((login.attribute("user"), login.text_at("Password")), (None, None));
}

/// Everything but the declarations of namespaces, which the writer makes as it needs them.
fn content(element: &Element) -> String {
    let is_declaration = |name: &str| name == "xmlns" || name.starts_with("xmlns:");
    let attributes = element.attributes.iter().filter(|attribute| !is_declaration(&attribute.name));
    let attributes: Vec<_> = attributes.map(|attribute| (&attribute.name, attribute.value.said())).collect();
    let children: String = element.children().iter().map(content).collect();
    format!("{:?}[{children}]", (element.namespace(), element.name(), attributes, element.text()))
}

#[test]
fn no_damage_to_a_document_is_more_than_an_error() {
    let mut read_in_spite = 0;
    let mut damaged = |bytes: Vec<u8>| match Element::parse(&bytes) {
        Ok(root) => {
            read_in_spite += 1;
            let again = read(root.document());
            assert_eq!(content(&again), content(&root), "{}", String::from_utf8_lossy(&bytes));
        }
        Err(ChannelError::Malformed(problem)) => assert!(problem.len() < 400, "{problem}"),
        Err(other) => panic!("{other:?}"),
    };
    let whole = BOOKINGS.as_bytes();
    for at in 0..whole.len() {
        for byte in *b"\0<>&;\"'/:![]=x \n#?-\xff\xc3\x80" {
            let mut bytes = whole.to_vec();
            bytes[at] = byte;
            damaged(bytes.clone());
            bytes.insert(at, whole[at]);
            damaged(bytes);
        }
        // Pieces that are missing, and pieces that come twice.
        for length in [1, 2, 7, 30] {
            let end = (at + length).min(whole.len());
            damaged([&whole[..at], &whole[end..]].concat());
            damaged([&whole[..end], &whole[at..]].concat());
        }
    }
    assert!(read_in_spite > 1_000, "{read_in_spite}");
}
