import unittest
from datetime import date
from decimal import Decimal

import gassync as g

STAY = g.Nights(date(2027, 6, 1), date(2027, 6, 4))


class ValuesTest(unittest.TestCase):
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

    def test_instants_are_read_strictly_whatever_their_zone(self):
        self.assertEqual(g.instant("2027-03-01 09:30:00"), "2027-03-01T09:30:00Z")
        self.assertEqual(g.instant("2027-03-01T09:30:00+02:00"), "2027-03-01T07:30:00Z")
        for wrong in ("2027-02-30T09:30:00Z", "2027-03-01", "9999-12-31T23:59:59Z", "now", 1):
            self.assert_malformed("at: no instant", g.instant, wrong, "at")

    def test_the_newest_is_the_latest_whatever_its_zone(self):
        def modified(at):
            booked = g.Reservation(id="1", status=g.ReservationStatus.Confirmed(), modified_at=at)
            return g.change(g.News.Reservation(booked))

        said = ["2027-03-04T12:30:00Z", None, "2027-03-04T13:00:00+02:00", "soon", "2027-03-04"]
        changes = [g.change(g.News.Removed(g.EntityRef(g.Entity.RESERVATION, "7"))), *map(modified, said)]
        self.assertEqual(g.last_modified(changes), "2027-03-04T12:30:00Z")
        self.assertEqual(g.last_modified([modified("2027-03-04 11:00"), modified("2027-03-05")]), "2027-03-05")
        self.assertIsNone(g.last_modified([modified(None), modified("soon")]))
        self.assertIsNone(g.last_modified([]))

    def test_money_is_read_digit_by_digit_and_only_what_the_host_takes(self):
        self.assertEqual(g.money("540.50", "EUR"), g.Money("540.50", "EUR"))
        self.assertEqual(g.money(540, ""), g.Money("540"))
        self.assertIsNone(g.money(None))
        for most in ("100000000000", "-100000000000.0000", "99999999999.9999", "0.1234", "1.0000000000000000"):
            self.assertEqual(g.money(most).amount, most)
            self.assertEqual(g.money(Decimal(most)).amount, most)
        for wrong in ("1,5", "a lot", Decimal("1e400"), "٥"):
            self.assert_malformed("price: no decimal number", g.money, wrong, "EUR", "price")
        for wrong in ("100000000000.0001", "-100000000000.0001", 100000000001, "1" + 29 * "0", Decimal("1e29")):
            self.assert_malformed("amount: too large for an amount, of at most 100 billion", g.money, wrong)
        for wrong in ("0.12345", Decimal("0.00001"), "0.10000000000000000555", "1.00000000000000000"):
            self.assert_malformed("amount: too fine for an amount, which has 4 places", g.money, wrong)

    def test_money_in_a_channels_smallest_unit_keeps_to_the_same_limits(self):
        for written, units, decimals in (
            ("-0.05", -5, 2),
            ("54050", "54050", 0),
            ("54.050", "54050", "3"),
            ("100000000000.00", "10000000000000", 2),
            ("100000000000.0000", 10**15, 4),
            ("54.05000000", "5405000000", 8),
            ("0.54050", 54050, 5),
        ):
            self.assertEqual(g.minor_money(units, "EUR", decimals), g.Money(written, "EUR"))
        self.assertIsNone(g.minor_money(""))
        for units, decimals, why in (
            ("10000000000001", 2, "amount: too large for an amount, of at most 100 billion"),
            ("-100000000001", 0, "amount: too large for an amount, of at most 100 billion"),
            (54051, 5, "amount: too fine for an amount, which has 4 places"),
            (1.5, 2, "amount: no text"),
            ("1.5", 2, "amount: no whole number"),
            (540, -1, "amount, decimals: no whole number"),
            (540, None, "amount, decimals: no number from 0 to 16"),
            (540, 17, "amount, decimals: no number from 0 to 16"),
        ):
            self.assert_malformed(why, g.minor_money, units, "EUR", decimals)

    def test_counts_are_whole(self):
        self.assertEqual((g.count("2"), g.count(0), g.count("")), (2, 0, None))
        self.assert_malformed("adults: no whole number", g.count, "two", "adults")
