"""Money as channels write it, digit by digit. What the host would refuse is `Malformed` here, under the name of its
field: handed on, it would be taken for a fault of the plugin.
"""

import re
from decimal import Decimal

from .contract import Money
from .errors import Malformed
from .values import count, is_absent, text

# The host keeps ten-thousandths.
_PLACES = 4
# The host takes more than 100 billion for a mistake.
_MAX_TEN_THOUSANDTHS = 100_000_000_000 * 10**_PLACES
# Places in all, zeros or not: an amount with many more the host could not read.
_MAX_WRITTEN_PLACES = 16


def money(amount, currency=None, field="amount"):
    """Money with the digits the payload had."""
    if is_absent(amount):
        return None
    if isinstance(amount, Decimal):
        # Written out, `1e400000000` would fill all memory.
        digits = format(amount, "f") if abs(amount.adjusted()) < 30 else ""
    else:
        digits = text(amount, field).strip()
    said = re.fullmatch(r"-?([0-9]{1,30})(?:\.([0-9]{1,30}))?", digits)
    if said is None:
        raise Malformed(f"{field}: no decimal number")
    whole, places = said[1], said[2] or ""
    if len(places) > _MAX_WRITTEN_PLACES or places[_PLACES:].strip("0"):
        raise Malformed(f"{field}: too fine for an amount, which has {_PLACES} places")
    if int(whole + places[:_PLACES].ljust(_PLACES, "0")) > _MAX_TEN_THOUSANDTHS:
        raise Malformed(f"{field}: too large for an amount, of at most 100 billion")
    return Money(digits, currency or None)


def minor_money(units, currency=None, decimals=2, field="amount"):
    """Money that a channel counts in its smallest unit: `minor_money(54050, "EUR")` is 540.50."""
    if is_absent(units):
        return None
    said = re.fullmatch(r"(-?)([0-9]{1,30})", text(units, field))
    if said is None:
        raise Malformed(f"{field}: no whole number")
    places = count(decimals, f"{field}, decimals")
    if places is None or places > _MAX_WRITTEN_PLACES:
        raise Malformed(f"{field}, decimals: no number from 0 to {_MAX_WRITTEN_PLACES}")
    padded = said[2].rjust(places + 1, "0")
    point = len(padded) - places
    return money(said[1] + padded[:point] + (f".{padded[point:]}" if places else ""), currency, field)
