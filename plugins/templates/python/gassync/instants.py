"""Instants as channels and headers write them, and which of them is the later one."""

import re
from datetime import UTC, datetime

from .contract import ChangeKind
from .values import is_absent, text

# As headers have it: `Fri, 05 Mar 2027 10:00:00 GMT`.
_HTTP_DATE = re.compile(r"[A-Za-z]{3}, ([0-9]{2}) ([A-Za-z]{3}) ([0-9]{4}) ([0-9]{2}:[0-9]{2}:[0-9]{2}) GMT")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# The host's time ends within this year.
_LAST_YEAR = 9999
# Seconds to wait are a u32 in the contract.
_MAX_SECONDS = 2**32 - 1


def moment(value):
    """The instant that a text says, or None."""
    try:
        if not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}", value):
            return None
        there = datetime.fromisoformat(value)
        there = there.replace(tzinfo=there.tzinfo or UTC).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None
    return there if there.year < _LAST_YEAR else None


def instant(value, field="instant"):
    """An instant in UTC, `2027-03-01T09:30:00Z`. A text without a zone is read as UTC; one that is none goes on as it is."""
    if is_absent(value):
        return None
    there = moment(value)
    if there is None:
        # The host leaves it out, and says so.
        return text(value, field)
    return there.isoformat().replace("+00:00", "Z")


def last_modified(changes):
    """When the newest of these reservations was modified, as its record says it, whatever zones they have: the next run
    goes on from there, by the channel's clock and not by ours. None where no reservation says it.
    """
    newest = None
    for change in changes:
        said = change.data.value.modified_at if isinstance(change.data, ChangeKind.Reservation) else None
        # The host reads a day alone as its midnight.
        at = moment(said) or moment(f"{said}T00:00")
        if at is not None and (newest is None or at > newest[0]):
            newest = at, said
    return newest and newest[1]


def seconds_to_wait(said, now):
    """How many seconds a header asks to wait, which names them or their end; none are left where that is past."""
    seconds = int(said) if re.fullmatch(r"[0-9]{1,20}", said) else _seconds_until(said, now)
    return seconds if seconds is not None and seconds <= _MAX_SECONDS else None


def _seconds_until(said, now):
    parts = _HTTP_DATE.fullmatch(said)
    if parts is None or parts[2] not in _MONTHS:
        return None
    end = moment(f"{parts[3]}-{_MONTHS.index(parts[2]) + 1:02}-{parts[1]}T{parts[4]}Z")
    return None if end is None else max(0, int((end - now).total_seconds()))
