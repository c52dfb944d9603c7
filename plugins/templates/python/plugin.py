"""The adapter: a made-up channel that sends one booking as JSON, and lists them on request.

{"number": "B-17", "room": "sea-view", "from": "2027-06-01", "to": "2027-06-04", "state": "booked",
 "name": "Ada Example", "price": "410.00", "currency": "EUR", "changed": "2027-01-05T09:00:00Z"}
"""

from gassync import (
    Decoded,
    Entity,
    GuestDetails,
    Malformed,
    ChangeKind,
    Page,
    RateLimited,
    Reservation,
    ReservationStatus,
    RoomStay,
    Selection,
    Unauthorized,
    Unavailable,
    Unsupported,
    change,
    http,
    instant,
    money,
    nights,
    parse_date,
    read_each,
    read_json,
    read_one,
    reply,
    settings,
    text,
)


# Where a booking's id stands, even if nothing else of it can be read.
NUMBER = ("number",)


class Inbound:
    def decode(self, request):
        booking = read_json(request.body)
        if not isinstance(booking, dict):
            raise Malformed("a booking is expected")
        changes = read_one(Entity.RESERVATION, booking, lambda: booking_change(booking), NUMBER)
        return Decoded(changes=changes, reply=reply(200, "ok"))


class Pull:
    def fetch(self, query):
        if query.entity != Entity.RESERVATION:
            raise Unsupported()
        since = ""
        if isinstance(query.selection, Selection.ChangedSince):
            since = f"?changedSince={query.selection.value}"
        # The plugin never has the key: the host fills the placeholder in on the way out.
        answer = http.get(f"{settings()['baseUrl']}/bookings{since}", {"authorization": "Bearer {{example.key}}"}, ["example.key"])
        if answer.status in (401, 403):
            raise Unauthorized("the key is refused")
        if answer.status == 429:
            raise RateLimited(answer.retry_after())
        if answer.status != 200:
            raise Unavailable(f"status {answer.status}")
        bookings = answer.json()
        if not isinstance(bookings, list):
            raise Malformed("a list of bookings is expected")
        # One by one: one that cannot be read is set aside by the host, and the others are taken.
        return Page(changes=read_each(Entity.RESERVATION, bookings, booking_change, ids=NUMBER))


def booking_change(booking, path=""):
    if not isinstance(booking, dict):
        raise Malformed("a booking is expected")
    number, state = text(booking.get("number"), "number"), text(booking.get("state"), "state")
    if not number or not state:
        raise Malformed("a booking has a number and a state")
    room = text(booking.get("room"), "room")
    name = text(booking.get("name"), "name")
    stay = nights(parse_date(booking.get("from"), "from"), parse_date(booking.get("to"), "to"))
    # What is not in the payload is left out, or None: never zero, never an empty text.
    reservation = Reservation(
        id=number,
        status=status_of(state),
        rooms=[RoomStay(room_type_id=room, stay=stay)] if room else [],
        stay=stay,
        source="__NAME__",
        # One text for the whole name stays one text.
        guest=GuestDetails(name=name) if name else None,
        total=money(booking.get("price"), text(booking.get("currency"), "currency"), "price"),
        modified_at=instant(booking.get("changed"), "changed"),
    )
    return change(ChangeKind.Reservation(reservation))


def status_of(state):
    match state:
        case "booked":
            return ReservationStatus.Confirmed()
        case "cancelled":
            return ReservationStatus.Cancelled()
        case _:
            # A word nobody knows is passed on: the host holds the record back until a person decides.
            return ReservationStatus.Other(state)
