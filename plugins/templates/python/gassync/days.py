"""Days and nights as channels write them. Absent in, absent out; what is there and is no day is `Malformed`, under the
name of its field.
"""

import re
from datetime import date, timedelta
from functools import cache

from .contract import Nights
from .errors import Malformed
from .notes import note
from .values import is_absent

_ORDER = re.compile(r"(YYYY|MM?|DD?)([^A-Za-z0-9]*)(YYYY|MM?|DD?)([^A-Za-z0-9]*)(YYYY|MM?|DD?)")
_PARTS = {
    "YYYY": "(?P<year>[0-9]{4})",
    "MM": "(?P<month>[0-9]{2})",
    "M": "(?P<month>[0-9]{1,2})",
    "DD": "(?P<day>[0-9]{2})",
    "D": "(?P<day>[0-9]{1,2})",
}


# A page has thousands of days, and few orders.
@cache
def _pattern(order):
    said = _ORDER.fullmatch(order)
    parts, marks = (said.group(1, 3, 5), said.group(2, 4)) if said else ((), ())
    is_whole = len({part[0] for part in parts}) == 3
    # `112027` would be the first of November or the eleventh of January.
    is_clear = all(marks) or all(len(part) > 1 for part in parts)
    if not is_whole or not is_clear:
        raise ValueError(f'no order of a day, such as "DD.MM.YYYY": {order}')
    first, second, third = (_PARTS[part] for part in parts)
    return re.compile(f"{first}{re.escape(marks[0])}{second}{re.escape(marks[1])}{third}(?:[T ].*)?")


def read_date(value, order, field="date"):
    """A day in the order that the channel writes, with or without a time behind it:
    `read_date("05.03.2027", "DD.MM.YYYY")`.

    `D` and `M` take one digit or two. The order is never guessed, and neither is the century of a year.
    """
    # A wrong order is the adapter's fault, and shows at the first value, be it absent.
    pattern = _pattern(order)
    if is_absent(value):
        return None
    said = pattern.fullmatch(value) if isinstance(value, str) else None
    try:
        return date(int(said["year"]), int(said["month"]), int(said["day"]))
    except (TypeError, ValueError):
        raise Malformed(f"{field}: no day ({order})") from None


def parse_date(value, field="date"):
    """`YYYY-MM-DD`, with or without a time behind it."""
    return read_date(value, "YYYY-MM-DD", field)


def read_date_or_note(value, order, field="date"):
    """A day without which the record is worth as much, such as those of a cancellation: what is none is left out and noted."""
    try:
        return read_date(value, order, field)
    except Malformed:
        note(field, f"no day ({order})")
        return None


def parse_date_or_note(value, field="date"):
    """The same, as `YYYY-MM-DD`."""
    return read_date_or_note(value, "YYYY-MM-DD", field)


def nights(start, until):
    """Arrival and departure; absent unless both are known. The night of `until` is not slept."""
    return Nights(start, until) if start and until else None


def each_night(stay):
    """Each night of a stay, for channels that want one entry a day."""
    night = stay.start
    while night < stay.until:
        yield night
        night += timedelta(days=1)
