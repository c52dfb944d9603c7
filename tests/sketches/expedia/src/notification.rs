//! Booking notifications by SOAP, repeated until they are answered with our reference.

use gassync_plugin::{
    AppliedChange, Change, ChangeKind, ChangeResult, ChannelError, Completeness, Decoded, GuestDetails, HttpResponse,
    Nights, PriceKind, Refusal, RefusalReason, Reservation, ReservationStatus, RoomStay, change, clock, malformed,
    reply_with,
    xml::{Element, element},
};

use crate::price;

const OTA: &str = "http://www.opentravel.org/OTA/2003/05";
const HEADER: &str = "http://www.newtrade.com/expedia/R14/header";
const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";
/// The type codes of a booking's numbers, theirs and ours: inside a booking, and at the top level.
const THEIRS: (&str, &str) = ("8", "14");
const OURS: (&str, &str) = ("3", "10");
/// The code of unreadable messages.
const UNREADABLE: &str = "2002";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    New,
    Modified,
    Cancelled,
}

impl Kind {
    const ALL: [Self; 3] = [Self::New, Self::Modified, Self::Cancelled];

    fn message(self) -> &'static str {
        match self {
            Self::New => "OTA_HotelResNotif",
            Self::Modified => "OTA_HotelResModifyNotif",
            Self::Cancelled => "OTA_Cancel",
        }
    }

    /// The list in a message, and its only entry.
    fn path(self) -> (&'static str, &'static str) {
        match self {
            Self::Modified => ("HotelResModifies", "HotelResModify"),
            Self::New | Self::Cancelled => ("HotelReservations", "HotelReservation"),
        }
    }

    /// The attribute of the result, and its value for success.
    fn verdict(self) -> (&'static str, &'static str) {
        match self {
            Self::New => ("ResResponseType", "Committed"),
            Self::Modified => ("ResResponseType", "Modified"),
            Self::Cancelled => ("Status", "Cancelled"),
        }
    }
}

/// A notification with its header.
struct Notification {
    info: Element,
    body: Element,
    kind: Kind,
}

impl Notification {
    fn read(bytes: &[u8]) -> Result<Self, ChannelError> {
        let mut envelope = Element::parse(bytes)?;
        let info = envelope.required("Header/Interface/PayloadInfo")?.clone();
        let body = envelope.children_mut().iter_mut().find(|child| child.name() == "Body");
        let body = body.and_then(|body| body.children_mut().pop());
        let body = body.ok_or_else(|| malformed(envelope.place_of("Body"), "has no message"))?;
        let kind = Kind::ALL.into_iter().find(|kind| body.name() == format!("{}RQ", kind.message()));
        let kind = kind.ok_or_else(|| malformed(body.place_of(""), "is no notification"))?;
        Ok(Self { info, body, kind })
    }

    /// The booking; for a cancellation, the message itself.
    fn entry(&self) -> Option<&Element> {
        let (list, entry) = self.kind.path();
        if self.kind == Kind::Cancelled { Some(&self.body) } else { self.body.find(list)?.find(entry) }
    }

    /// A number of the booking: at the top level, else in the list of all its numbers.
    fn number(&self, (listed, own): (&str, &str)) -> Option<&str> {
        let entry = self.entry()?;
        let own = entry.all("UniqueID").into_iter().find(|id| id.attribute("Type") == Some(own));
        let all = entry.all("ResGlobalInfo/HotelReservationIDs/HotelReservationID");
        let listed = all.into_iter().find(|id| id.attribute("ResID_Type") == Some(listed));
        own.and_then(|id| id.attribute("ID")).or_else(|| listed?.attribute("ResID_Value"))
    }

    fn hotel(&self) -> Option<&str> {
        let vendors = self.body.all("Verification/Vendor").into_iter();
        let named = vendors.filter(|vendor| vendor.attribute("Code") == Some("3")).find_map(Element::text);
        let stay = self.entry().and_then(|entry| entry.find("RoomStays/RoomStay/BasicPropertyInfo"));
        let header = || self.info.find("PayloadDescriptor/PayloadReference")?.attribute("SupplierHotelCode");
        named.or_else(|| stay?.attribute("HotelCode")).or_else(header)
    }

    fn change(&self) -> Result<Change, ChannelError> {
        let missing = |what: &str| malformed(self.body.place_of(""), format_args!("{what} is not said"));
        let id = self.number(THEIRS).ok_or_else(|| missing("UniqueID"))?;
        let entry = self.entry().ok_or_else(|| missing("the booking"))?;
        let instant = |element: &Element, name: &str| element.field(name).instant();
        let (made_at, entries_at) = (instant(entry, "@CreateDateTime")?, instant(&self.body, "@TimeStamp")?);
        let mut reservation = match self.kind {
            // It contains ids, and a name for comparison; all else is unchanged.
            Kind::Cancelled => Reservation {
                completeness: Completeness::Partial,
                ..Reservation::new(id, ReservationStatus::Cancelled)
            },
            Kind::New | Kind::Modified => booked(id, entry)?,
        };
        reservation.property_id = self.hotel().map(str::to_owned);
        reservation.source = Some("expedia".to_owned());
        reservation.booked_at = made_at.clone().or(entries_at.clone()).filter(|_| self.kind == Kind::New);
        reservation.modified_at = entries_at.or(made_at);
        reservation.raw = Some(self.body.json().to_string());
        Ok(change(self.hotel(), ChangeKind::Reservation(reservation)))
    }

    /// The envelope of a reply: theirs, with the roles swapped.
    fn envelope(&self, answer: Element) -> HttpResponse {
        let said = |path: &str, name: &str| self.info.find(path).and_then(|found| found.attribute(name));
        let descriptor = element("PayloadDescriptor")
            .with("Name", answer.name())
            .with("Version", "2003A")
            .with_children([element("PayloadReference").with_some("SupplierHotelCode", self.hotel())]);
        let communication = element("CommDescriptor")
            .with_some("SourceId", said("CommDescriptor", "DestinationId"))
            .with_some("DestinationId", said("CommDescriptor", "SourceId"))
            .with("RetryIndicator", "false");
        let info = ["RequestId", "RequestorId", "ResponderId"]
            .into_iter()
            .fold(element("PayloadInfo"), |info, name| info.with_some(name, self.info.attribute(name)));
        let header = element("Interface")
            .with("xmlns", HEADER)
            .with("Name", "ExpediaDirectConnect")
            .with("Version", "4.0")
            .with_children([info.with("Location", "Body").with_children([communication, descriptor])]);
        let parts =
            [element("soap-env:Header").with_children([header]), element("soap-env:Body").with_children([answer])];
        let envelope = element("soap-env:Envelope").with("xmlns:soap-env", ENVELOPE).with_children(parts);
        reply_with(200, "text/xml; charset=utf-8", envelope.document())
    }

    fn answer(&self, verdict: &str) -> Element {
        element(&format!("{}RS", self.kind.message()))
            .with("xmlns", OTA)
            .with_some("EchoToken", self.body.attribute("EchoToken"))
            .with("TimeStamp", clock::now())
            .with("Target", self.body.attribute("Target").unwrap_or("Production"))
            .with("Version", "1.000")
            .with("PrimaryLangID", "en-us")
            .with(self.kind.verdict().0, verdict)
    }

    fn taken(&self, ours: &AppliedChange) -> Element {
        let answer = self.answer(self.kind.verdict().1).with_children([element("Success")]);
        let theirs = self.number(THEIRS);
        let us = self.info.attribute("ResponderId");
        if self.kind == Kind::Cancelled {
            let unique = |kind, id: Option<&str>| element("UniqueID").with("Type", kind).with_some("ID", id);
            let number = || unique(OURS.1, Some(&ours.our_reference));
            return answer.with_children([
                unique(THEIRS.1, theirs),
                number(),
                element("CancelInfoRS").with_children([number()]),
            ]);
        }
        let number = |kind: &str, id: Option<&str>, source: Option<&str>| {
            element("HotelReservationID")
                .with("ResID_Type", kind)
                .with_some("ResID_Value", id)
                .with_some("ResID_Source", source)
                .with("ResID_Date", &ours.at)
        };
        let numbers = [number(THEIRS.0, theirs, Some("Expedia")), number(OURS.0, Some(&ours.our_reference), us)];
        let ids = element("ResGlobalInfo").with_children([element("HotelReservationIDs").with_children(numbers)]);
        let (list, entry) = self.kind.path();
        answer.with_children([element(list).with_children([element(entry).with_children([ids])])])
    }

    fn refused(&self, reasons: &[(&str, String)]) -> Element {
        let errors = reasons.iter().map(|(code, text)| {
            let error = element("Error").with("Language", "en-us").with("Type", "3").with("Code", "450");
            error.with("ShortText", code).with_text(text)
        });
        self.answer("Ignored").with_children([element("Errors").with_children(errors)])
    }
}

/// Decodes a booking notification.
pub fn decode(bytes: &[u8]) -> Result<Decoded, ChannelError> {
    let notification = Notification::read(bytes)?;
    let event_id = notification.info.attribute("RequestId").map(str::to_owned);
    Ok(Decoded { event_id, changes: vec![notification.change()?], reply: None })
}

/// Refuses an unreadable booking at once, since repeating it would not help. For other errors the manifest's fault
/// response is sent, and Expedia repeats the notification.
pub fn on_error(bytes: &[u8], why: ChannelError) -> Result<HttpResponse, ChannelError> {
    let ChannelError::Malformed(why) = why else { return Err(why) };
    let notification = Notification::read(bytes)?;
    Ok(notification.envelope(notification.refused(&[(UNREADABLE, why)])))
}

/// Replies with committed, modified or cancelled and our reference, or with ignored and an accepted reason. Otherwise
/// the manifest's fault response is sent, and Expedia repeats the notification.
pub fn respond(bytes: &[u8], result: Option<&ChangeResult>) -> Result<HttpResponse, ChannelError> {
    let notification = Notification::read(bytes)?;
    match result {
        // A parked booking is stored, too, and has a reference.
        Some(ChangeResult::Applied(applied)) if !applied.our_reference.is_empty() => {
            Ok(notification.envelope(notification.taken(applied)))
        }
        Some(ChangeResult::Refused(reasons)) => {
            let coded = reasons.iter().map(|reason| Some((code(reason)?, reason.text.clone())));
            let coded = coded.collect::<Option<Vec<_>>>().filter(|coded| !coded.is_empty());
            // The guest has paid: price and availability are no accepted reasons to refuse.
            let coded = coded.ok_or_else(|| ChannelError::Conflict("no reason that Expedia takes".to_owned()))?;
            Ok(notification.envelope(notification.refused(&coded)))
        }
        _ => Err(ChannelError::Unavailable("the booking could not be taken now".to_owned())),
    }
}

/// Expedia's code for a reason, if Expedia accepts it.
fn code(reason: &Refusal) -> Option<&'static str> {
    let about = |field: &str| reason.path.as_deref().is_some_and(|path| path.contains(field));
    match reason.reason {
        RefusalReason::UnknownProperty => Some("3202"),
        RefusalReason::UnknownRoomType => Some("3203"),
        RefusalReason::Occupancy => Some("3208"),
        RefusalReason::UnknownRatePlan => Some("3204"),
        RefusalReason::Invalid if about("guest") => Some("3205"),
        RefusalReason::Invalid if about("checkIn") => Some("3206"),
        RefusalReason::Invalid if about("checkOut") => Some("3207"),
        RefusalReason::Invalid => Some(UNREADABLE),
        _ => None,
    }
}

fn booked(id: &str, entry: &Element) -> Result<Reservation, ChannelError> {
    let stay = entry.required("RoomStays/RoomStay")?;
    let nights = Nights {
        start: stay.field("TimeSpan/@Start").required_date()?,
        until: stay.field("TimeSpan/@End").required_date()?,
    };
    let total = price::amount(stay.find("Total"), "AmountAfterTax", "CurrencyCode")?;
    let taxes = price::amount(stay.find("Total/Taxes"), "Amount", "CurrencyCode")?.map(|taxes| taxes.amount);
    let reported = [(PriceKind::Fee, "", None), (PriceKind::Tax, "Taxes", taxes)];
    let count = |code: &str| {
        let counts = stay.all("GuestCounts/GuestCount").into_iter();
        let counts = counts.filter(|count| count.attribute("AgeQualifyingCode") == Some(code));
        let numbers: Vec<u32> = counts.filter_map(|count| count.attribute("Count")?.parse().ok()).collect();
        (!numbers.is_empty()).then(|| numbers.iter().sum())
    };
    let plans = stay.all("RatePlans/RatePlan");
    let plan = plans.first().and_then(|plan| plan.attribute("RatePlanCode"));
    let plan = plan.filter(|code| plans.iter().all(|plan| plan.attribute("RatePlanCode") == Some(code)));
    let room_type = stay.find("RoomTypes/RoomType").and_then(|room| room.attribute("RoomTypeCode"));
    let room = RoomStay {
        rate_plan_id: plan.map(str::to_owned),
        stay: Some(nights),
        adults: count("10"),
        children: count("8"),
        total: total.clone(),
        ..RoomStay::new(room_type.map(str::to_owned))
    };
    let requests = stay.all("SpecialRequests/SpecialRequest");
    let notes: Vec<&str> = requests.iter().filter_map(|request| request.text_at("Text")).collect();
    let customer = entry.find("ResGuests/ResGuest/Profiles/ProfileInfo/Profile/Customer");
    Ok(Reservation {
        adults: room.adults,
        children: room.children,
        rooms: vec![room],
        stay: Some(nights),
        price_lines: total.as_ref().map(|total| price::lines(total, reported)).unwrap_or_default(),
        total,
        guest: customer.map(guest),
        notes: Some(notes.join("\n")).filter(|notes| !notes.is_empty()),
        ..Reservation::new(id, ReservationStatus::Confirmed)
    })
}

fn guest(customer: &Element) -> GuestDetails {
    let said = |path: &str| customer.text_at(path).map(str::to_owned);
    let phone = customer.find("Telephone").map(|phone| {
        let parts = ["AreaCityCode", "PhoneNumber"].into_iter().filter_map(|name| phone.attribute(name));
        let country = phone.attribute("CountryAccessCode").map(|code| format!("+{code}"));
        country.as_deref().into_iter().chain(parts).collect::<Vec<_>>().join(" ")
    });
    GuestDetails {
        first_name: said("PersonName/GivenName"),
        last_name: said("PersonName/Surname"),
        email: said("Email"),
        phone,
        ..GuestDetails::unknown()
    }
}
