"""Carries values over the boundary, both ways: the adapter's records on one side, the generated bindings' on the other.

What does not fit is named by its path. The bindings themselves would end in a trap that says less.
"""

import json
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from enum import Enum, Flag
from functools import cache
from typing import Annotated, Union, get_args, get_origin, get_type_hints

from .contract import Variant


class Misfit(TypeError):
    """Something the contract has no place for: a fault of the plugin, never of the channel."""

    def __init__(self, problem, path=""):
        super().__init__(f"{path}: {problem}" if path else problem)
        self.problem, self.path = problem, path

    def within(self, step):
        dot = "" if self.path == "" or self.path.startswith("[") else "."
        return Misfit(self.problem, f"{step}{dot}{self.path}")


def unfit(wanted, value):
    # The type and not the value: it may be a guest's name, and this text is kept.
    return Misfit(f"{wanted} is wanted, not {type(value).__name__}")


class Native:
    """The adapter's own side. The component has another, whose classes are the bindings'."""

    def of(self, cls):
        return cls

    def case(self, variant, name):
        return getattr(variant, name)

    def date(self, year, month, day):
        return date(year, month, day)


NATIVE = Native()


@cache
def crossing(hint, side):
    """What makes of a value, from whichever side it comes, one of this type on the side named."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        mark = hint.__metadata__[0]
        return {"json": as_json, "extra": as_extra}[mark] if isinstance(mark, str) else whole(mark)
    if origin is Union:
        return maybe(crossing(arguments[0], side))
    if origin is list:
        return sequence(crossing(arguments[0], side))
    if origin is tuple:
        return pair(*(crossing(argument, side) for argument in arguments))
    if hint in PLAIN:
        return PLAIN[hint]
    if hint is date:
        return day(side)
    if issubclass(hint, Enum):
        return member(hint, side)
    if issubclass(hint, Variant):
        return variant(hint, side)
    return record(hint, side)


def text(value):
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) < 40:
        return format(value, "f")
    raise unfit("a text", value)


def encodable(value):
    """JSON can spell half a character, which Python keeps and nobody can send: it becomes the sign for a lost one."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def yes_or_no(value):
    if isinstance(value, bool):
        return value
    raise unfit("True or False", value)


def number(value):
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return float(value)
    raise unfit("a number", value)


def octets(value):
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if isinstance(value, str):
        return value.encode()
    raise unfit("bytes or a text", value)


PLAIN = {str: text, bool: yes_or_no, float: number, bytes: octets}


def to_json(value):
    """JSON text. Decimals go as they were written, which is what `read_json` reads them for."""
    if isinstance(value, str):
        return json.dumps(encodable(value), ensure_ascii=False)
    if isinstance(value, Decimal) and value.is_finite():
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{to_json(str(key))}:{to_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(to_json, value)) + "]"
    return json.dumps(value, allow_nan=False)


def as_json(value):
    if not isinstance(value, str):
        return to_json(value)
    try:
        json.loads(value)
    except ValueError:
        raise Misfit("JSON is wanted: a text that is none has to go through json.dumps") from None
    return encodable(value)


def as_extra(value):
    if isinstance(value, dict):
        return [(text(key), to_json(item)) for key, item in value.items()]
    return [(text(key), as_json(item)) for key, item in value or ()]


def whole(bounds):
    def check(value):
        if isinstance(value, int) and not isinstance(value, bool) and value in bounds:
            return value
        raise unfit(f"a whole number from {bounds.start} to {bounds.stop - 1}", value)

    return check


def maybe(inner):
    # Unknown is not zero: what a payload leaves out, or sends as null or as an empty text, is absent.
    return lambda value: None if value is None or value == "" else inner(value)


def sequence(inner):
    def each(value):
        if value is None:
            return []
        if not isinstance(value, (list, tuple)):
            raise unfit("a list", value)
        return [fitting(inner, item, f"[{index}]") for index, item in enumerate(value)]

    return each


def pair(*inner):
    def both(value):
        if not isinstance(value, (list, tuple)) or len(value) != len(inner):
            raise unfit("a tuple of two", value)
        return tuple(check(item) for check, item in zip(inner, value))

    return both


def day(side):
    def read(value):
        try:
            return side.date(value.year, value.month, value.day)
        except AttributeError:
            raise unfit("a date", value) from None

    return read


def member(enum, side):
    target = side.of(enum)

    def read(value):
        if type(value).__name__ != enum.__name__:
            raise unfit(f"one of {enum.__name__}", value)
        return target(value.value) if issubclass(enum, Flag) else target[value.name]

    return read


def variant(hint, side):
    cases = {
        case.__name__: (side.case(hint, case.__name__), [crossing(payload, side) for payload in case.payload])
        for case in vars(hint).values()
        if isinstance(case, type)
    }

    def read(value):
        # `ReservationStatus_Pending` in the bindings, `ReservationStatus.Pending` here.
        owner, name = type(value).__qualname__.replace("_", ".").rpartition(".")[::2]
        if owner != hint.__name__ or name not in cases:
            raise unfit(f"a case of {hint.__name__}", value)
        target, payload = cases[name]
        return target(*(fitting(check, value.value, name) for check in payload))

    return read


def record(hint, side):
    if not is_dataclass(hint):
        raise TypeError(f"no way across for {hint}")
    target = side.of(hint)
    hints = get_type_hints(hint, include_extras=True)
    checks = [(item.name, crossing(hints[item.name], side)) for item in fields(hint)]

    def read(value):
        if type(value).__name__ != hint.__name__:
            raise unfit(f"a {hint.__name__}", value)
        return target(**{name: fitting(check, getattr(value, name), name) for name, check in checks})

    return read


def fitting(check, value, step):
    try:
        return check(value)
    except Misfit as misfit:
        # The path is put together on the way out: a page has many thousand fields, and most of them fit.
        raise misfit.within(step) from None
