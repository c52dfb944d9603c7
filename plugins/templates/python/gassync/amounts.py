"""Money as channels write it, digit by digit. What is too fine for the host it rounds; what is no amount, or too large, it
leaves out, and notes it: the record is kept all the same.
"""

import re

from .contract import Money
from .notes import note
from .values import is_absent, text

# Places of a number that no currency and no channel has any more.
_MAX_PLACES = 16


def money(amount, currency=None, field="amount"):
    """Money with the digits the payload had."""
    digits = (text(amount, field) or "").strip()
    return Money(digits, currency or None) if digits else None


def minor_money(units, currency=None, decimals=2, field="amount"):
    """Money that a channel counts in its smallest unit: `minor_money(54050, "EUR")` is 540.50. What is no whole number is
    left out and noted: where its point stands nobody knows.
    """
    if is_absent(units):
        return None
    said = re.fullmatch(r"(-?)([0-9]{1,30})", str(units).strip())
    places = int(decimals) if re.fullmatch(r"[0-9]{1,2}", str(decimals)) else _MAX_PLACES + 1
    if said is None or places > _MAX_PLACES:
        note(field, f"is no whole number, or has no number of places from 0 to {_MAX_PLACES}")
        return None
    padded = said[2].rjust(places + 1, "0")
    point = len(padded) - places
    return money(said[1] + padded[:point] + (f".{padded[point:]}" if places else ""), currency, field)
