"""Reading what channels write: JSON, days, instants, money, counts. Absent in, absent out; what is there and cannot be
read is `Malformed`, under the name of its field.
"""

import json
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from .contract import Money, Nights
from .errors import Malformed


def is_absent(value):
    return value is None or value == ""


def read_text(body):
    """A body as text."""
    if not body:
        raise Malformed("the body is empty")
    try:
        return bytes(body).decode()
    except UnicodeDecodeError:
        raise Malformed("the body is not UTF-8") from None


def read_json(body):
    """A body, or a text, as JSON. Numbers keep their digits: a fraction is a `Decimal`, a whole number an `int`."""
    source = body if isinstance(body, str) else read_text(body)
    try:
        _check_depth(source)
        return json.loads(source, parse_float=Decimal, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        # Where, and not what.
        raise Malformed(f"not JSON: {error.msg} at {error.pos}") from None
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise Malformed(f"not JSON: {error}") from None


_NO_BRACKETS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[^][{}"]+')


def _check_depth(source):
    """Python's own guard against deep nesting does not know how small a component's stack is, and ends in a trap."""
    if source.count("[") + source.count("{") < 500:
        return
    brackets = _NO_BRACKETS.sub("", source)
    for _ in range(100):
        brackets = brackets.replace("[]", "").replace("{}", "")
    if brackets:
        raise ValueError("nested too deep, or not closed")


def _no_number(word):
    raise ValueError(f"{word} is no number")


def text(value, field="text"):
    """A text, or the digits of a whole number: many channels write ids as numbers."""
    if is_absent(value):
        return None
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        return str(value)
    raise Malformed(f"{field}: no text")


def parse_date(value, field="date"):
    """`YYYY-MM-DD`, with or without a time behind it."""
    if is_absent(value):
        return None
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d([T ].*)?", value):
        try:
            return date(int(value[:4]), int(value[5:7]), int(value[8:10]))
        except ValueError:
            pass
    raise Malformed(f"{field}: no day")


def nights(start, until):
    """Arrival and departure; absent unless both are known. The night of `until` is not slept."""
    return Nights(start, until) if start and until else None


def each_night(stay):
    """Each night of a stay, for channels that want one entry a day."""
    night = stay.start
    while night < stay.until:
        yield night
        night += timedelta(days=1)


def instant(value, field="instant"):
    """An instant in UTC, `2027-03-01T09:30:00Z`. A text without a zone is read as UTC."""
    if is_absent(value):
        return None
    try:
        if not re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", value):
            raise ValueError
        there = datetime.fromisoformat(value)
        there = there.replace(tzinfo=there.tzinfo or UTC).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise Malformed(f"{field}: no instant") from None
    return there.isoformat().replace("+00:00", "Z")


def money(amount, currency=None, field="amount"):
    """Money with the digits the payload had."""
    if is_absent(amount):
        return None
    if isinstance(amount, Decimal):
        # Written out, `1e400000000` would fill all memory.
        digits = format(amount, "f") if abs(amount.adjusted()) < 30 else ""
    else:
        digits = text(amount, field).strip()
    if not re.fullmatch(r"-?\d{1,30}(\.\d{1,30})?", digits, re.ASCII):
        raise Malformed(f"{field}: no decimal number")
    return Money(digits, currency or None)


def minor_money(units, currency=None, decimals=2, field="amount"):
    """Money that a channel counts in its smallest unit: `minor_money(54050, "EUR")` is 540.50."""
    if is_absent(units):
        return None
    if not re.fullmatch(r"-?\d{1,15}", text(units, field), re.ASCII):
        raise Malformed(f"{field}: no whole number")
    units = int(units)
    whole, rest = divmod(abs(units), 10**decimals)
    digits = f"{whole}.{rest:0{decimals}}" if decimals else str(whole)
    return Money(f"-{digits}" if units < 0 else digits, currency or None)


def count(value, field="count"):
    """A head count or the like, from a number or from digits."""
    if is_absent(value):
        return None
    if isinstance(value, str) and re.fullmatch(r"\s*\d{1,10}\s*", value, re.ASCII):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**32:
        raise Malformed(f"{field}: no whole number")
    return value
