"""Reading what channels write: JSON, texts, counts. Absent in, absent out; what is there and cannot be read is
`Malformed`, under the name of its field.
"""

import json
import re
from decimal import Decimal

from .errors import Malformed


def is_absent(value):
    """Whether nothing is said: None, or an empty text."""
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


def count(value, field="count"):
    """A head count or the like, from a number or from digits."""
    if is_absent(value):
        return None
    if isinstance(value, str) and re.fullmatch(r"\s*\d{1,10}\s*", value, re.ASCII):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**32:
        raise Malformed(f"{field}: no whole number")
    return value
