import json
import unittest
from datetime import date
from pathlib import Path

import plugin
from gassync import (
    ChannelError,
    Entity,
    HttpError,
    Malformed,
    Money,
    ChangeKind,
    Query,
    RateLimited,
    ReservationStatus,
    Selection,
    Unauthorized,
    Unavailable,
    Unsupported,
    exports_of,
)
from gassync.fake_host import FakeHost, call

CHANNEL = exports_of(plugin, Path(__file__).with_name("manifest.json").read_text())
SETTINGS = {"baseUrl": "https://channel.example/api"}
BOOKING = {
    "number": "B-17",
    "room": "sea-view",
    "from": "2027-06-01",
    "to": "2027-06-04",
    "state": "booked",
    "name": "Ada Example",
    "price": "410.00",
    "currency": "EUR",
    "changed": "2027-01-05T09:00:00Z",
}
SINCE = Query(entity=Entity.RESERVATION, selection=Selection.ChangedSince("2027-01-01T00:00:00Z"))


def decode(body):
    return CHANNEL.Inbound().decode(call(body))


class PluginTest(unittest.TestCase):
    def test_the_manifest_is_json_with_an_id(self):
        self.assertTrue(json.loads(CHANNEL.Metadata().describe())["id"])

    def test_a_booking_becomes_a_reservation(self):
        decoded = decode(BOOKING)
        reservation = decoded.changes[0].data.value
        self.assertEqual(reservation.id, "B-17")
        self.assertEqual(reservation.status, ReservationStatus.Confirmed())
        self.assertEqual(reservation.total, Money("410.00", "EUR"))
        self.assertEqual(reservation.rooms[0].room_type_id, "sea-view")
        self.assertEqual(reservation.stay.until, date(2027, 6, 4))
        self.assertEqual(decoded.reply.status, 200)

    def test_what_the_payload_does_not_say_stays_unsaid(self):
        reservation = decode({"number": "B-18", "state": "moved", "room": "", "price": None}).changes[0].data.value
        self.assertEqual(reservation.status, ReservationStatus.Other("moved"))
        self.assertEqual(reservation.rooms, [])
        for field in ("stay", "total", "guest", "adults", "modified_at"):
            self.assertIsNone(getattr(reservation, field), field)

    def test_a_call_that_cannot_be_read_is_malformed(self):
        for body in ("{", "[]", ""):
            with self.assertRaises(Malformed):
                decode(body)

    def test_a_booking_that_cannot_be_read_is_handed_on_with_its_number(self):
        odd = decode({**BOOKING, "from": "tomorrow"}).changes[0].data
        self.assertIsInstance(odd, ChangeKind.Unreadable)
        self.assertEqual((odd.value.id, odd.value.problem), ("B-17", "from: no day (YYYY-MM-DD)"))

    def test_what_a_booking_can_do_without_is_not_needed(self):
        change = decode({**BOOKING, "price": "a lot", "changed": "soon", "name": {}}).changes[0]
        self.assertEqual(change.data.value.total, Money("a lot", "EUR"))
        self.assertEqual([note.path for note in change.notes], ["name"])

    def test_one_booking_stops_no_other(self):
        bookings = [BOOKING, {**BOOKING, "number": None}, "odd", {**BOOKING, "number": "B-19"}]
        FakeHost(settings=SETTINGS).answer(200, bookings)
        told = [type(change.data).__name__ for change in CHANNEL.Pull().fetch(SINCE).changes]
        self.assertEqual(told, ["Reservation", "Unreadable", "Unreadable", "Reservation"])

    def test_bookings_are_fetched_with_the_key_as_a_placeholder(self):
        host = FakeHost(settings=SETTINGS).answer(200, [BOOKING])
        page = CHANNEL.Pull().fetch(SINCE)
        self.assertEqual(len(page.changes), 1)
        request = host.requests[0]
        self.assertEqual(request.url, "https://channel.example/api/bookings?changedSince=2027-01-01T00:00:00Z")
        self.assertEqual(request.headers["authorization"], "Bearer {{example.key}}")

    def test_the_channels_refusals_have_their_names(self):
        host = FakeHost(settings=SETTINGS).answer(401).answer(429, headers={"Retry-After": "12"})
        host.answer(500).fail(HttpError.RateLimited(30))
        for error, said in (
            (Unauthorized, "the key is refused"),
            (RateLimited, 12),
            (Unavailable, "status 500"),
            (RateLimited, 30),
        ):
            with self.assertRaises(ChannelError) as raised:
                CHANNEL.Pull().fetch(SINCE)
            self.assertEqual((type(raised.exception), raised.exception.args[0]), (error, said))
        with self.assertRaises(Unsupported):
            CHANNEL.Pull().fetch(Query(entity=Entity.PROPERTY, selection=Selection.Everything()))


if __name__ == "__main__":
    unittest.main()
