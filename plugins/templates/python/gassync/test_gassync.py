import unittest
from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import gassync as g
from gassync.crossing import NATIVE, Misfit, crossing
from gassync.errors import Broken
from gassync.fake_host import FakeHost, HostError, call

STAY = g.Nights(date(2027, 6, 1), date(2027, 6, 4))


def crossed(value):
    return crossing(type(value), NATIVE)(value)


def booked(**fields):
    return g.Reservation(**{"id": "1", "status": g.ReservationStatus.Confirmed(), **fields})


class CrossingTest(unittest.TestCase):
    def test_what_is_left_out_is_absent(self):
        extra, raw = {"door": "1234"}, {"n": Decimal("1.50")}
        made = crossed(booked(id=17, notes="", extra=extra, raw=raw, rooms=[g.RoomStay(stay=STAY)]))
        self.assertEqual((made.id, made.notes, made.intent), ("17", None, g.Intent.FACT))
        self.assertEqual((made.extra, made.raw), ([("door", '"1234"')], '{"n":1.50}'))
        self.assertEqual(crossed(made), made)
        self.assertEqual(crossed(booked(notes="half \ud83d", extra={"a": "\ud83d"})).notes, "half \ufffd")

    def test_what_does_not_fit_is_named_by_its_path(self):
        whole = "a whole number from 0 to 4294967295 is wanted"
        for wrong, message in (
            ({"rooms": [g.RoomStay(adults="2")]}, f"rooms[0].adults: {whole}, not str"),
            ({"total": g.Money(540.5)}, "total.amount: a text is wanted, not float"),
            ({"adults": True}, f"adults: {whole}, not bool"),
            ({"status": "confirmed"}, "status: a case of ReservationStatus is wanted, not str"),
            ({"status": g.Selection.Pending("x")}, "status: a case of ReservationStatus is wanted, not Pending"),
            ({"id": None}, "id: a text is wanted, not NoneType"),
            ({"raw": "{"}, "raw: JSON is wanted: a text that is none has to go through json.dumps"),
        ):
            with self.assertRaises(Misfit) as raised:
                crossed(booked(**wrong))
            self.assertEqual(str(raised.exception), message)

    def test_cases_are_matched(self):
        match g.Selection.ChangedSince("2027-01-01T00:00:00Z"):
            case g.Selection.ChangedSince(since):
                self.assertEqual(since, "2027-01-01T00:00:00Z")
        self.assertEqual(g.ReservationStatus.Pending(), g.ReservationStatus.Pending(None))


class ExportsTest(unittest.TestCase):
    def test_an_exception_is_an_error_of_the_contract_and_not_a_trap(self):
        class Inbound:
            def decode(self, request):
                return request.nothing

        class Pull:
            def fetch(self, query):
                return g.Page(changes=[g.change("gossip")])

        class PushCalendar:
            def push(self, updates):
                return [g.Outcome.Accepted(g.Accepted(channel_id="9")), g.Outcome.Unknown()]

        class PushReservations:
            def push(self, operations):
                raise g.Rejected([g.FieldError("/from", "in the past")])

        class Answer:
            def respond(self, request, changes, fates):
                raise KeyError("words")

        class Connection:
            def check(self):
                return g.Report(scopes=["read"])

        plugin = SimpleNamespace(
            Inbound=Inbound,
            Pull=Pull,
            PushCalendar=PushCalendar,
            PushReservations=PushReservations,
            Answer=Answer,
            Connection=Connection,
        )
        channel = g.exports_of(plugin, "{}")
        query = g.Query(entity=g.Entity.PROPERTY, selection=g.Selection.Everything())
        update = g.CalendarNights(room_type_id="1", stay=STAY)
        operation = g.Operation(verb=g.Verb.CANCEL, reference="G1", reservation=booked())
        for attempt, said in (
            (lambda: channel.Inbound().decode(call()), "AttributeError: 'HttpRequest' object has no"),
            (lambda: channel.Pull().fetch(query), "Misfit: changes[0].news: a case of News is wanted, not str"),
            (lambda: channel.PushCalendar().push([update]), "Misfit: 2 answers to 1 items"),
            (lambda: channel.Connection().subscribe("{{webhook.url}}"), "AttributeError: 'Connection' object has no"),
        ):
            with self.assertRaises(Broken) as raised:
                attempt()
            self.assertTrue(raised.exception.args[0].startswith(said), raised.exception.args[0])
        with self.assertRaises(g.Rejected):
            channel.PushReservations().push([operation])
        self.assertFalse(channel.PushCalendar().push([update, update])[0].value.confirmed)
        self.assertEqual(channel.Connection().check().missing, [])
        with self.assertRaises(Broken):
            channel.Answer().respond(call(), [], [])
        self.assertFalse(hasattr(channel, "Feeds"))


class ValuesTest(unittest.TestCase):
    def test_json_keeps_the_digits_that_a_channel_wrote(self):
        self.assertEqual(g.read_json('{"price": 540.50, "id": 123456789012345678}')["price"], Decimal("540.50"))
        self.assertEqual(g.money(g.read_json("540.50")).amount, "540.50")
        self.assertEqual(len(g.read_json(str([{"a": ["]"]}] * 1000).replace("'", '"'))), 1000)
        for wrong in ("{", "NaN", "", "[" * 100000, "[" * 1000 + "]" * 1000, b"\xff"):
            with self.assertRaises(g.Malformed):
                g.read_json(wrong)

    def test_days_and_instants_are_read_strictly(self):
        for wrong in ("2028-02-30", "2027-13-01", "2027-1-01", "tomorrow", "2027-01-01x", 7, ["2027-01-01"]):
            with self.assertRaises(g.Malformed):
                g.parse_date(wrong, "from")
        self.assertEqual(g.parse_date("2027-12-31T10:00:00Z"), date(2027, 12, 31))
        self.assertIsNone(g.nights(date(2027, 6, 1), g.parse_date(None)))
        self.assertEqual([night.day for night in g.each_night(STAY)], [1, 2, 3])
        self.assertEqual(g.instant("2027-03-01 09:30:00"), "2027-03-01T09:30:00Z")
        self.assertEqual(g.instant("2027-03-01T09:30:00+02:00"), "2027-03-01T07:30:00Z")
        for wrong in ("2027-02-30T09:30:00Z", "2027-03-01", "now", 1):
            with self.assertRaises(g.Malformed):
                g.instant(wrong)

    def test_money_and_counts_are_read_strictly(self):
        self.assertEqual(g.money("540.50", "EUR"), g.Money("540.50", "EUR"))
        self.assertEqual(g.money(540, ""), g.Money("540"))
        self.assertIsNone(g.money(None))
        self.assertEqual(g.minor_money(-5, "EUR").amount, "-0.05")
        self.assertEqual(g.minor_money("54050", "JPY", 0).amount, "54050")
        self.assertEqual((g.count("2"), g.count(0), g.count("")), (2, 0, None))
        for read, wrong in ((g.money, "1,5"), (g.money, Decimal("1e400")), (g.minor_money, 1.5), (g.count, "two")):
            with self.assertRaises(g.Malformed):
                read(wrong)


class HostTest(unittest.TestCase):
    def test_requests_and_their_refusals(self):
        host = FakeHost().answer(200, {"x": Decimal("1.50")}, {"ETag": "v1"})
        host.fail(g.HttpError.Credential("no key")).fail(g.HttpError.TooLarge(8))
        answer = g.http.post("https://a.example", {"X-Key": "{{slot.key}}"}, json={"b": Decimal("2.0")})
        self.assertEqual((answer.header("etag"), answer.json()), ("v1", {"x": Decimal("1.50")}))
        sent = host.requests[0]
        self.assertEqual((sent.method, sent.body), ("POST", '{"b":2.0}'))
        self.assertEqual(sent.headers, {"content-type": "application/json", "x-key": "{{slot.key}}"})
        for error, said in ((g.Unauthorized, "no key"), (g.Unavailable, "an answer over 8 bytes")):
            with self.assertRaises(error) as raised:
                g.http.get("https://a.example")
            self.assertEqual(raised.exception.args[0], said)
        self.assertEqual(g.http.get("https://a.example").status, 503)
        g.http.post("https://a.example", form={"a": "b c"})
        self.assertEqual(host.requests[-1].body, "a=b+c")

    def test_what_else_the_host_offers(self):
        def quote(query):
            raise HostError([g.Refused(why=g.Refusal.CLOSED, text="closed")])

        pages = {None: g.PageOfProperties(items=[g.Property(id="P1", name="One")], next="2")}
        inventory = SimpleNamespace(properties=lambda cursor: pages.get(cursor, g.PageOfProperties()), quote=quote)
        host = FakeHost(settings={"a": 1}, inventory=inventory)
        self.assertEqual(g.settings(), {"a": 1})
        g.state.set("seen:1", {"at": 5})
        self.assertEqual((g.state.get("seen:1"), g.state.get("seen:2")), ({"at": 5}, None))
        self.assertEqual(g.state.keys("seen:"), ["seen:1"])
        g.state.delete("seen:1")
        self.assertEqual(host.state, {})
        self.assertEqual(g.keys.sign("slot", "secret", "hmac-sha256", "text"), b"signature")
        self.assertEqual([found.id for found in g.inventory.properties()], ["P1"])
        query = g.StayQuery(property_id="P1", stay=STAY, party=g.Party(adults=2))
        self.assertEqual(g.inventory.quote(query)[0].why, g.Refusal.CLOSED)
        g.log.warn("odd", status=418)
        self.assertEqual(host.log, [("warn", "odd", {"status": "418"})])

    def test_a_calls_query_and_headers_are_at_hand(self):
        request = call(method="GET", url="/feed?from=2027-01-01", headers={"Accept": "text/plain"})
        self.assertEqual(g.query_of(request), {"from": "2027-01-01"})
        self.assertEqual(g.header_of(request, "accept"), "text/plain")
        self.assertEqual(g.reply(200, {"ok": True}).headers[0].value, "application/json")
