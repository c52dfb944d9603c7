import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import gassync as g
from gassync.crossing import NATIVE, Misfit, crossing
from gassync.errors import Broken
from gassync.fake_host import FakeHost, HostError, call

STAY = g.Nights(date(2027, 6, 1), date(2027, 6, 4))
FIRST = g.Attempt.FIRST


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
            ({"status": g.Selection.Queue("x")}, "status: a case of ReservationStatus is wanted, not Queue"),
            ({"id": None}, "id: a text is wanted, not NoneType"),
            ({"payment_collected_by": "bank"}, "payment_collected_by: a case of PaymentCollectedBy is wanted, not str"),
            ({"guest": g.GuestDetails(address="Faro")}, "guest.address: a Address is wanted, not str"),
            ({"raw": "{"}, "raw: JSON is wanted: a text that is none has to go through json.dumps"),
        ):
            with self.assertRaises(Misfit) as raised:
                crossed(booked(**wrong))
            self.assertEqual(str(raised.exception), message)

    def test_a_reservation_says_what_it_is_made_of_and_who_pays_whom(self):
        made = crossed(
            booked(
                pets=1,
                payment_collected_by=g.PaymentCollectedBy.Property(),
                payout=g.Money("390.00"),
                rooms=[g.RoomStay(id=5)],
                guest=g.GuestDetails(name="Ada Example", address=g.Address(city="Faro"), extra={"vip": True}),
                price_lines=[g.PriceLine(kind=g.PriceKind.DISCOUNT, name="Early", amount=g.Money("-20.00", "EUR"))],
            )
        )
        self.assertEqual((made.pets, made.rooms[0].id), (1, "5"))
        self.assertEqual((made.payment_collected_by, made.payout), (g.PaymentCollectedBy.Property(), g.Money("390.00")))
        self.assertEqual((made.guest.address.city, made.guest.extra), ("Faro", [("vip", "true")]))
        self.assertEqual(made.price_lines[0].amount, g.Money("-20.00", "EUR"))
        bare = crossed(booked())
        self.assertEqual((bare.price_lines, bare.payment_collected_by, bare.payout), ([], None, None))

    def test_what_else_a_message_may_be_about(self):
        def said(data):
            return crossed(g.change(data)).data.value

        block = said(g.ChangeKind.Block(g.Block(stay=STAY, room_type_ids=[1, 2], extra={"by": "owner"})))
        self.assertEqual((block.room_type_ids, block.extra), (["1", "2"], [("by", '"owner"')]))
        self.assertEqual(said(g.ChangeKind.Refetch(g.Hint(g.Entity.BLOCK))), g.Hint(g.Entity.BLOCK, None))
        asked = said(g.ChangeKind.Ask(g.Question.Available(g.StayQuery(stay=STAY, replaces="R1")))).value
        self.assertEqual((asked.property_id, asked.occupancy, asked.extra), (None, None, []))

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
            def push(self, updates, attempt):
                return [g.Outcome.Accepted(g.Accepted(channel_id="9")), g.Outcome.Unknown()]

        class PushReservations:
            def push(self, operations):
                raise g.Rejected([g.FieldError("/from", "in the past")])

        class Reply:
            def respond(self, request, changes, results):
                raise KeyError("words")

        class Connection:
            def subscribe(self, endpoint):
                return g.Subscribed(ids=[7])

        plugin = SimpleNamespace(
            Inbound=Inbound,
            Pull=Pull,
            PushCalendar=PushCalendar,
            PushReservations=PushReservations,
            Reply=Reply,
            Connection=Connection,
        )
        channel = g.exports_of(plugin, "{}")
        query = g.Query(entity=g.Entity.PROPERTY, selection=g.Selection.Everything())
        update = g.CalendarNights(room_type_id="1", stay=STAY)
        operation = g.Operation(kind=g.OperationKind.CANCEL, reference="G1", subject=g.Subject.Reservation(booked()))
        for attempt, said in (
            (lambda: channel.Inbound().decode(call()), "AttributeError: 'HttpRequest' object has no"),
            (lambda: channel.Pull().fetch(query), "Misfit: changes[0].data: a case of ChangeKind is wanted, not str"),
            (lambda: channel.PushCalendar().push([update], FIRST), "Misfit: 2 answers to 1 items"),
            (lambda: channel.Connection().check(), "AttributeError: 'Connection' object has no"),
        ):
            with self.assertRaises(Broken) as raised:
                attempt()
            self.assertTrue(raised.exception.args[0].startswith(said), raised.exception.args[0])
        with self.assertRaises(g.Rejected):
            channel.PushReservations().push([operation])
        self.assertFalse(channel.PushCalendar().push([update, update], FIRST)[0].value.confirmed)
        with self.assertRaises(Broken):
            channel.Reply().respond(call(), [], [])
        self.assertFalse(hasattr(channel, "Feeds"))

    def test_a_partners_frames_are_told_apart_from_ours_wherever_the_plugin_stands(self):
        with tempfile.TemporaryDirectory() as parent:
            # The partner's own folders are called as ours is.
            plugin = os.path.join(parent, "gassync", "gassync (2)")
            os.makedirs(os.path.join(plugin, "lib", "gassync"))
            ours = os.path.dirname(os.path.abspath(g.__file__))
            shutil.copytree(ours, os.path.join(plugin, "gassync"), ignore=shutil.ignore_patterns("__pycache__"))
            files = {
                "lib/gassync/read.py": "def read(request):\n    return request.nothing\n",
                "plugin.py": (
                    "import gassync as g\nfrom lib.gassync.read import read\n"
                    "class Inbound:\n    def decode(self, request):\n        return read(request)\n"
                ),
                "run.py": (
                    "import gassync as g\nfrom gassync.fake_host import call\nimport plugin\n"
                    "try:\n    g.exports_of(plugin, '{}').Inbound().decode(call())\n"
                    "except Exception as thrown:\n    print(thrown.args[0])\n"
                ),
            }
            for path, text in files.items():
                with open(os.path.join(plugin, path), "w") as file:
                    file.write(text)
            command = [sys.executable, "-B", os.path.join(plugin, "run.py")]
            said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
        self.assertTrue(said[0].startswith("AttributeError: "), said)
        self.assertEqual([line.split(":")[0].strip() for line in said[1:]], ["plugin.py", "read.py"])

    def test_where_a_run_left_off_is_a_time_or_a_word_and_says_which(self):
        class Pull:
            def fetch(self, query):
                match query.selection:
                    case g.Selection.After(word):
                        return g.Page(changes=[], resume=g.ResumePoint.Token(f"{word}+1"))
                    case g.Selection.ChangedSince(at):
                        return g.Page(changes=[], resume=g.ResumePoint.Instant(at))
                    case _:
                        return g.Page(changes=[], resume="2027-03-01T09:30:00Z")

        def fetched(selection):
            query = g.Query(entity=g.Entity.BLOCK, selection=selection)
            return g.exports_of(SimpleNamespace(Pull=Pull), "{}").Pull().fetch(query).resume

        self.assertEqual(fetched(g.Selection.After("p-9")), g.ResumePoint.Token("p-9+1"))
        at = "2027-03-01T09:30:00Z"
        self.assertEqual(fetched(g.Selection.ChangedSince(at)), g.ResumePoint.Instant(at))
        with self.assertRaisesRegex(Broken, "^Misfit: resume: a case of ResumePoint is wanted, not str"):
            fetched(g.Selection.Everything())

    def test_acknowledgements_pushes_and_subscriptions_are_taken_and_answered_in_full(self):
        class Acknowledgements:
            def acknowledge(self, acknowledgements):
                outcome = g.AcknowledgementOutcome
                return [outcome.Accepted(), outcome.Retry(), outcome.Outdated("newer")]

        class PushCalendar:
            def push(self, updates, attempt):
                return [g.Outcome.Retry() if attempt == g.Attempt.AFTER_UNKNOWN else g.Outcome.Unknown()]

        class PushReservations:
            def push(self, operations):
                return [g.Outcome.Accepted(g.Accepted(channel_id=self.of(item.subject))) for item in operations]

            def of(self, subject):
                match subject:
                    case g.Subject.Block(block):
                        return ",".join(block.room_type_ids)
                    case g.Subject.Reservation(reservation):
                        return reservation.id

        class Connection:
            def subscribe(self, endpoint):
                return g.Subscribed(ids=[7])

            def unsubscribe(self, subscriptions):
                return subscriptions

        classes = (Acknowledgements, PushCalendar, PushReservations, Connection)
        channel = g.exports_of(SimpleNamespace(**{cls.__name__: cls for cls in classes}), "{}")
        applied, at = g.AcknowledgementKind.Applied(), "2027-03-01T09:30:00Z"
        acknowledgement = g.Acknowledgement(token="q:1", external_id="1", kind=applied, at=at)
        outcome = g.AcknowledgementOutcome
        expected = [outcome.Accepted(), outcome.Retry(None), outcome.Outdated("newer")]
        self.assertEqual(channel.Acknowledgements().acknowledge([acknowledgement] * 3), expected)
        update = g.CalendarNights(room_type_id="1", stay=STAY)
        self.assertEqual(channel.PushCalendar().push([update], FIRST), [g.Outcome.Unknown()])
        self.assertEqual(channel.PushCalendar().push([update], g.Attempt.AFTER_UNKNOWN), [g.Outcome.Retry()])
        block = g.Subject.Block(g.Block(stay=STAY, room_type_ids=["1", "2"]))
        operations = [
            g.Operation(kind=g.OperationKind.BLOCK, reference="G1", subject=block),
            g.Operation(kind=g.OperationKind.CANCEL, reference="G2", subject=g.Subject.Reservation(booked(id="7"))),
        ]
        outcomes = channel.PushReservations().push(operations)
        self.assertEqual([outcome.value.channel_id for outcome in outcomes], ["1,2", "7"])
        self.assertEqual(channel.Connection().subscribe("{{webhook.url}}"), g.Subscribed(ids=["7"], steps=[]))
        self.assertEqual(channel.Connection().unsubscribe(["7"]), ["7"])

    def test_what_an_adapter_need_not_write_is_unsupported(self):
        class Reply:
            def respond(self, request, changes, results):
                return g.reply(200)

        class Connection:
            def check(self):
                return g.Report()

        channel = g.exports_of(SimpleNamespace(Reply=Reply, Connection=Connection), "{}")
        for attempt in (
            lambda: channel.Reply().on_error(call(), g.Malformed("from")),
            lambda: channel.Connection().subscribe("{{webhook.url}}"),
            lambda: channel.Connection().unsubscribe(["7"]),
        ):
            self.assertRaises(g.Unsupported, attempt)

    def test_what_went_wrong_is_handed_in_as_an_error_that_can_be_matched_and_raised(self):
        class Reply:
            def on_error(self, request, why):
                match why:
                    case g.Malformed(where):
                        return g.reply(400, where)
                    case g.RateLimited(seconds):
                        return g.reply(429, str(seconds))
                    case g.Rejected(errors):
                        return g.reply(422, errors[0].problem)
                    case g.Unsupported():
                        return g.reply(501)
                    case _:
                        raise why

        def on_error(why):
            worded = g.exports_of(SimpleNamespace(Reply=Reply), "{}").Reply().on_error(call(), why)
            return worded.status, worded.body.decode()

        self.assertEqual(on_error(g.Malformed("from")), (400, "from"))
        # What the bindings make of the contract's errors; a class for each of its cases.
        said = {"ChannelError_Malformed": "from", "ChannelError_RateLimited": None, "ChannelError_Unavailable": "down"}
        malformed, limited, unavailable = (type(name, (), {"value": value})() for name, value in said.items())
        self.assertEqual(on_error(malformed), (400, "from"))
        self.assertEqual(on_error(limited), (429, "None"))
        field_error = type("FieldError", (), {"path": "/from", "problem": "in the past"})()
        self.assertEqual(on_error(type("ChannelError_Rejected", (), {"value": [field_error]})()), (422, "in the past"))
        self.assertEqual(on_error(type("ChannelError_Unsupported", (), {})()), (501, ""))
        with self.assertRaisesRegex(g.Unavailable, "^down$"):
            on_error(unavailable)
        for none in ("malformed", None, type("ChannelError_Gossip", (), {})(), type("Outcome_Refused", (), {})()):
            with self.assertRaisesRegex(Broken, "^Misfit: one of the contract's errors is wanted"):
                on_error(none)


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
        def quote_stay(query):
            raise HostError([g.Refusal(reason=g.RefusalReason.UNKNOWN_RATE_PLAN, text="unknown")])

        def stays(room_type_id, span):
            return [g.CoreBooking(our_reference=str(span.until), changed_at="", reservation=booked(id=room_type_id))]

        pages = {None: g.PageOfProperties(items=[g.Property(id="P1", name="One")], next="2")}
        core_data = SimpleNamespace(
            properties=lambda cursor: pages.get(cursor, g.PageOfProperties()),
            stays=stays,
            blocks=lambda room, span: [g.Block(stay=span, room_type_ids=[room])],
            content=lambda of: '{"name": "One"}' if of == g.EntityRef(g.Entity.PROPERTY, "P1") else None,
            quote_stay=quote_stay,
        )
        host = FakeHost(settings={"a": 1}, core_data=core_data)
        self.assertEqual(g.settings(), {"a": 1})
        g.state.set("seen:1", {"at": 5})
        self.assertEqual((g.state.get("seen:1"), g.state.get("seen:2")), ({"at": 5}, None))
        self.assertEqual(g.state.keys("seen:"), ["seen:1"])
        g.state.delete("seen:1")
        self.assertEqual(host.state, {})
        self.assertEqual(g.signing.sign("slot", "secret", "hmac-sha256", "text"), b"signature")
        self.assertEqual([found.id for found in g.core_data.properties()], ["P1"])
        [found] = g.core_data.stays("1", STAY)
        self.assertEqual((found.our_reference, found.reservation.id), ("2027-06-04", "1"))
        self.assertEqual(g.core_data.blocks("1", STAY), [g.Block(stay=STAY, room_type_ids=["1"], extra=[])])
        self.assertEqual(g.core_data.content(g.EntityRef(g.Entity.PROPERTY, "P1")), {"name": "One"})
        self.assertIsNone(g.core_data.content(g.EntityRef(g.Entity.ROOM_TYPE, "1")))
        with self.assertRaisesRegex(Misfit, "^a EntityRef is wanted, not str"):
            g.core_data.content("P1")
        query = g.StayQuery(stay=STAY, replaces="R1")
        self.assertEqual(g.core_data.quote_stay(query)[0].reason, g.RefusalReason.UNKNOWN_RATE_PLAN)
        g.log.warn("odd", status=418)
        self.assertEqual(host.log, [("warn", "odd", {"status": "418"})])

    def test_a_wait_is_seconds_or_its_end_by_a_clock_that_can_be_held_still(self):
        host = FakeHost(now="2027-03-05T09:58:00Z")
        self.assertEqual((g.clock.now(), g.clock.today()), ("2027-03-05T09:58:00Z", date(2027, 3, 5)))

        def wait(said):
            host.answer(429, headers={} if said is None else {"Retry-After": said})
            return g.http.get("https://a.example").retry_after()

        self.assertEqual((wait("120"), wait(" 0 "), wait("4294967295")), (120, 0, 4294967295))
        self.assertEqual(wait("Fri, 05 Mar 2027 10:00:00 GMT"), 120)
        self.assertEqual(wait("Fri, 05 Mar 2027 09:00:00 GMT"), 0)
        no_ends = ("05 Mar 2027 10:00:00 CET", "31 Feb 2027 10:00:00 GMT", "05 Mai 2027 10:00:00 GMT")
        for none in (None, "", "soon", "-1", "1.5", "4294967296", *(f"Fri, {end}" for end in no_ends)):
            self.assertIsNone(wait(none), none)
        host.now = "2027-03-05T09:59:59Z"
        self.assertEqual(wait("Fri, 05 Mar 2027 10:00:00 GMT"), 1)
        FakeHost()
        self.assertNotEqual(g.clock.now(), host.now, "then it is the machine's")

    def test_a_calls_query_and_headers_are_at_hand(self):
        request = call(method="GET", url="/feed?from=2027-01-01", headers={"Accept": "text/plain"})
        self.assertEqual(g.query_of(request), {"from": "2027-01-01"})
        self.assertEqual(g.header_of(request, "accept"), "text/plain")
        self.assertEqual(g.reply(200, {"ok": True}).headers[0].value, "application/json")
