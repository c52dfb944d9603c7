"""Reading what channels write: JSON, texts, counts. Absent in, absent out; what is there and cannot be read is left out and
noted, under the name of its field. A body that is no JSON is `Malformed`.
"""

import json
import re
from decimal import Decimal

from .errors import Malformed
from .notes import note


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
    """A body, or a text, as JSON. Numbers keep their digits: a fraction is a `Decimal`, a whole number an `int`. Half a
    character, or a NUL, is replaced and no reason to fail.
    """
    source = body if isinstance(body, str) else read_text(body)
    if "\\u" in source:
        source = _ESCAPES.sub(lambda said: said[0] if said[1] is None else "\\ufffd", source)
    try:
        _check_depth(source)
        return json.loads(source, parse_float=Decimal, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        # Where, and not what.
        raise Malformed(f"not JSON: {error.msg} at {error.pos}") from None
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise Malformed(f"not JSON: {error}") from None


# Pairs of escapes that make a character; halves of one and NUL; any other escape.
_ESCAPES = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u(?:[dD][89a-fA-F][0-9a-fA-F]{2}|0000))|\\.", re.DOTALL
)

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
    """A text, or the digits of a number: many channels write ids as numbers."""
    if is_absent(value):
        return None
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, Decimal):
        # Written out, `1e400000000` would fill all memory.
        return format(value, "f") if value.is_finite() and abs(value.adjusted()) < 30 else str(value)
    note(field, "no text")
    return None


def count(value, field="count"):
    """A head count or the like, from a number, digits, or yes and no."""
    if is_absent(value):
        return None
    if isinstance(value, str) and (said := re.fullmatch(r"\s*([0-9]{1,10})(?:\.0+)?\s*", value, re.ASCII)):
        value = int(said[1])
    if isinstance(value, (bool, int)) or isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        if 0 <= value < 2**32:
            return int(value)
    note(field, "no whole number of at least 0")
    return None
