import unittest
from datetime import date
from decimal import Decimal

import gassync as g

STAY = g.Nights(date(2027, 6, 1), date(2027, 6, 4))


class ValuesTest(unittest.TestCase):
    def assert_noted(self, paths):
        self.assertEqual([note.path for note in g.take_notes()], paths)

    def assert_malformed(self, said, read, *arguments):
        with self.assertRaises(g.Malformed, msg=arguments) as raised:
            read(*arguments)
        self.assertEqual(raised.exception.value, said)

    def test_json_keeps_the_digits_that_a_channel_wrote(self):
        self.assertEqual(g.read_json('{"price": 540.50, "id": 123456789012345678}')["price"], Decimal("540.50"))
        self.assertEqual(g.money(g.read_json("540.50")).amount, "540.50")
        self.assertEqual(len(g.read_json(str([{"a": ["]"]}] * 1000).replace("'", '"'))), 1000)
        for wrong in ("{", "NaN", "", "[" * 100000, "[" * 1000 + "]" * 1000, b"\xff"):
            with self.assertRaises(g.Malformed):
                g.read_json(wrong)

    def test_days_are_read_strictly(self):
        for wrong in ("2028-02-30", "2027-13-01", "2027-1-01", "tomorrow", "2027-01-01x", 7, ["2027-01-01"]):
            self.assert_malformed("from: no day (YYYY-MM-DD)", g.parse_date, wrong, "from")
        self.assertEqual(g.parse_date("2027-12-31T10:00:00Z"), date(2027, 12, 31))
        self.assertIsNone(g.nights(date(2027, 6, 1), g.parse_date(None)))
        self.assertEqual([night.day for night in g.each_night(STAY)], [1, 2, 3])

    def test_days_are_read_in_the_order_that_the_caller_says(self):
        for order, said in (
            ("DD.MM.YYYY", "05.03.2027"),
            ("DD.MM.YYYY", "05.03.2027 14:00"),
            ("D.M.YYYY", "5.3.2027"),
            ("D.M.YYYY", "05.03.2027"),
            ("MM/DD/YYYY", "03/05/2027"),
            ("DD - MM - YYYY", "05 - 03 - 2027"),
            ("YYYYMMDD", "20270305"),
            ("YYYY-MM-DD", "2027-03-05T10:00:00Z"),
        ):
            self.assertEqual(g.read_date(said, order), date(2027, 3, 5), order)
        no_days = ("31.02.2027", "29.02.2027", "00.03.2027", "05.13.2027")
        otherwise = ("5.3.2027", "05.03.27", "05-03-2027", "2027-03-05", "05.03.2027x", "05x03x2027", 5, {})
        for wrong in (*no_days, *otherwise):
            self.assert_malformed("from: no day (DD.MM.YYYY)", g.read_date, wrong, "DD.MM.YYYY", "from")
        self.assertEqual((g.read_date(None, "DD.MM.YYYY"), g.read_date("", "DD.MM.YYYY")), (None, None))
        for wrong in ("DD.MM", "DD.MM.YY", "DD.DD.YYYY", "DMYYYY", "D.MYYYY", "dd.mm.yyyy", "YYYY-MM-DDTHH", ""):
            for value in ("05.03.2027", None):
                self.assertRaises(ValueError, g.read_date, value, wrong)

    def test_instants_are_read_whatever_their_zone(self):
        self.assertEqual(g.instant("2027-03-01 09:30:00"), "2027-03-01T09:30:00Z")
        self.assertEqual(g.instant("2027-03-01T09:30:00+02:00"), "2027-03-01T07:30:00Z")
        for wrong in ("2027-02-30T09:30:00Z", "2027-03-01", "9999-12-31T23:59:59Z", "now"):
            self.assertEqual(g.instant(wrong, "at"), wrong, "the host leaves it out")

    def test_the_newest_is_the_latest_whatever_its_zone(self):
        def modified(at):
            booked = g.Reservation(id="1", status=g.ReservationStatus.Confirmed(), modified_at=at)
            return g.change(g.ChangeKind.Reservation(booked))

        said = ["2027-03-04T12:30:00Z", None, "2027-03-04T13:00:00+02:00", "soon", "2027-03-04"]
        changes = [g.change(g.ChangeKind.Removed(g.EntityRef(g.Entity.RESERVATION, "7"))), *map(modified, said)]
        self.assertEqual(g.last_modified(changes), "2027-03-04T12:30:00Z")
        self.assertEqual(g.last_modified([modified("2027-03-04 11:00"), modified("2027-03-05")]), "2027-03-05")
        self.assertIsNone(g.last_modified([modified(None), modified("soon")]))
        self.assertIsNone(g.last_modified([]))

    def test_money_keeps_its_digits(self):
        self.assertEqual(g.money("540.50", "EUR"), g.Money("540.50", "EUR"))
        self.assertEqual(g.money(540, ""), g.Money("540"))
        self.assertIsNone(g.money(None))
        # The host rounds what is too fine, and leaves out what is no amount.
        for said in ("1714.28571", "100000000000.0001", "1,5", "a lot"):
            self.assertEqual(g.money(said).amount, said)
        self.assertEqual(g.money(Decimal("1714.28571")).amount, "1714.28571")
        self.assertEqual(g.money(Decimal("1e400000000")).amount, "1E+400000000")
        self.assertIsNone(g.money({}, "EUR", "price"))
        self.assert_noted(["price"])

    def test_money_in_a_channels_smallest_unit(self):
        for written, units, decimals in (
            ("-0.05", -5, 2),
            ("54050", "54050", 0),
            ("54.050", "54050", "3"),
            ("54.05000000", "5405000000", 8),
            ("0.54051", 54051, 5),
        ):
            self.assertEqual(g.minor_money(units, "EUR", decimals), g.Money(written, "EUR"))
        self.assertIsNone(g.minor_money(""))
        self.assert_noted([])
        for units, decimals in ((1.5, 2), ("1.5", 2), ("a lot", 2), (540, -1), (540, None), (540, 17)):
            self.assertIsNone(g.minor_money(units, "EUR", decimals, "price"))
            self.assert_noted(["price"])

    def test_counts_come_as_numbers_texts_or_yes_and_no(self):
        read = [g.count(said) for said in ("2", 0, "", "2.0", True, False, Decimal("3.0"))]
        self.assertEqual(read, [2, 0, None, 2, 1, 0, 3])
        self.assert_noted([])
        for said, field in (("two", "adults"), (-1, "children"), (1.5, "infants"), (Decimal("NaN"), "pets")):
            self.assertIsNone(g.count(said, field))
        self.assertEqual((g.text(7), g.text({}, "name"), g.parse_date_or_note("soon", "from")), ("7", None, None))
        self.assert_noted(["adults", "children", "infants", "pets", "name", "from"])

    def test_half_a_character_fails_nothing(self):
        said = r'["caf\u00e9 \ud83d", "\u0000\ude00", "\ud83d\ude00", "\\ud83d"]'
        self.assertEqual(g.read_json(said), ["café \ufffd", "\ufffd\ufffd", "😀", "\\ud83d"])

    def test_one_record_stops_no_other_and_keeps_its_words_its_id_and_its_notes(self):
        def read(item, path):
            g.note(f"{path}/odd", "is odd")
            if "name" not in item:
                raise g.Malformed(f"{path}/name: is missing")
            booked = g.Reservation(id=item["id"], status=g.ReservationStatus.Confirmed(), adults=item.get("adults"))
            return g.change(g.ChangeKind.Reservation(booked))

        sent = [{"id": 1, "name": "Ada"}, {"id": 2, "price": Decimal("1.50")}, {"name": "Bo"}, None]
        changes = g.read_each(g.Entity.RESERVATION, [*sent, {"id": 5, "name": "Cy", "adults": []}], read, "/data")
        told = [(type(change.data).__name__, change.data.value.id, len(change.notes)) for change in changes]
        odd = [("Unreadable", id, 0) for id in ("2", None, None, "5")]
        self.assertEqual(told, [("Reservation", "1", 1), *odd])
        record = changes[1].data.value
        self.assertEqual((record.problem, record.raw), ("/data/1/name: is missing", '{"id":2,"price":1.50}'))
        self.assertTrue(changes[2].data.value.problem.startswith("the plugin failed on it: KeyError"))

        def busy():
            raise g.Unavailable("busy")

        self.assertRaises(g.Unavailable, g.read_one, g.Entity.RESERVATION, "<a/>", busy)
