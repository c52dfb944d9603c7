"""What the host offers a plugin.

In the component it is the imports of the contract, in a test a `FakeHost`: whoever comes first calls `connect`, and the
adapter never knows which it was.
"""

import json as json_module
import time
from datetime import UTC, datetime
from typing import Optional
from urllib.parse import urlencode

from . import contract
from .crossing import NATIVE, crossing, to_json
from .errors import Broken, RateLimited, Unauthorized, Unavailable
from .instants import seconds_to_wait
from .values import read_json, read_text


class _Connected:
    imports = None
    side = NATIVE
    seconds = time.time


def connect(imports, side=NATIVE, seconds=time.time):
    """`imports` has `http`, `signing`, `settings`, `state`, `core_data`, `log`, each with the contract's functions;
    `seconds` tells the time since 1970.
    """
    _Connected.imports, _Connected.side, _Connected.seconds = imports, side, seconds


def _out(hint, value):
    return crossing(hint, _Connected.side)(value)


def _in(hint, value):
    return crossing(hint, NATIVE)(value)


def _now():
    return datetime.fromtimestamp(int(_Connected.seconds()), UTC)


class clock:
    """What time it is, in UTC: the host's clock, which a `FakeHost` can hold still."""

    @staticmethod
    def now():
        """The present instant, without parts of a second: `2027-03-01T09:30:00Z`."""
        return _now().isoformat().replace("+00:00", "Z")

    @staticmethod
    def today():
        """Where the property stands it may still be yesterday, or tomorrow already."""
        return _now().date()


def settings():
    """The source's settings. The host has checked them against the manifest's schema and filled in its defaults."""
    return json_module.loads(_Connected.imports.settings.get())


class Response:
    """The response to a request."""

    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.body

    def header(self, name):
        return next((header.value for header in self.headers if header.name.lower() == name.lower()), None)

    def retry_after(self):
        """How many seconds the channel asks us to wait, where it says so in `Retry-After`: for `RateLimited`."""
        return seconds_to_wait((self.header("retry-after") or "").strip(), _now())

    def text(self):
        return read_text(self.body) if self.body else ""

    def json(self):
        return read_json(self.body)


class http:
    """The way to the network: granted hosts only. A secret is written `{{slot.field}}`, in URL, header or body, and
    filled in by the host on its way out where `secrets` names it, `slot.field` for URL and headers, `body:slot.field` for
    the body: without that it is text like any other. `json=` and `form=` make the body and name its type."""

    @staticmethod
    def get(url, headers=None, secrets=()):
        return http.send("GET", url, headers, secrets=secrets)

    @staticmethod
    def post(url, headers=None, **body):
        return http.send("POST", url, headers, **body)

    @staticmethod
    def put(url, headers=None, **body):
        return http.send("PUT", url, headers, **body)

    @staticmethod
    def patch(url, headers=None, **body):
        return http.send("PATCH", url, headers, **body)

    @staticmethod
    def delete(url, headers=None, **body):
        return http.send("DELETE", url, headers, **body)

    @staticmethod
    def send(method, url, headers=None, *, body=None, json=None, form=None, secrets=(), captures=()):
        """`captures`: parts of the answer that the host keeps as secrets."""
        headers = dict(headers or {})
        if json is not None:
            headers, body = _typed(headers, "application/json"), to_json(json)
        elif form is not None:
            headers, body = _typed(headers, "application/x-www-form-urlencoded"), urlencode(form)
        request = contract.HttpRequest(
            method=method,
            url=url,
            headers=[contract.Header(name, value) for name, value in headers.items()],
            body=body.encode() if isinstance(body, str) else body,
        )
        captures = _out(list[contract.Capture], list(captures))
        try:
            answer = _Connected.imports.http.send(_out(contract.HttpRequest, request), list(secrets), captures)
        except Exception as failure:
            refusal = _as_channel_error(getattr(failure, "value", None))
            if refusal is None:
                raise
            raise refusal from None
        return Response(_in(contract.HttpResponse, answer))


def _typed(headers, content_type):
    named = any(name.lower() == "content-type" for name in headers)
    return headers if named else {"content-type": content_type, **headers}


def _as_channel_error(value):
    """What the host or the network refuses, as the error that the contract has for it."""
    case = type(value).__name__.rpartition("_")[2]
    if not hasattr(contract.HttpError, case):
        return None
    said = getattr(value, "value", None)
    match case:
        case "RateLimited" | "CircuitOpen":
            return RateLimited(said)
        case "Credential":
            return Unauthorized(said)
        case "BadRequest":
            return Broken(f"the request may not be made: {said}")
        case "TooLarge":
            return Unavailable(f"an answer over {said} bytes")
        case "TimedOut":
            return Unavailable("timed out")
        case _:
            return Unavailable(f"{case}: {said}")


class log:
    """Lines for the one who runs the host. No personal data."""

    @staticmethod
    def _write(level, message, fields):
        pairs = [(name, str(value)) for name, value in fields.items()]
        _Connected.imports.log.write(_out(contract.Level, level), str(message), pairs)

    @staticmethod
    def debug(message, **fields):
        log._write(contract.Level.DEBUG, message, fields)

    @staticmethod
    def info(message, **fields):
        log._write(contract.Level.INFO, message, fields)

    @staticmethod
    def warn(message, **fields):
        log._write(contract.Level.WARN, message, fields)

    @staticmethod
    def error(message, **fields):
        log._write(contract.Level.ERROR, message, fields)


class state:
    """A small memory per source, kept as JSON; what a call writes is kept when it ends, with an error too; a trap discards it."""

    @staticmethod
    def get(key):
        kept = _Connected.imports.state.get(key)
        return None if kept is None else json_module.loads(kept)

    @staticmethod
    def set(key, value):
        _Connected.imports.state.set(key, to_json(value).encode())

    @staticmethod
    def delete(key):
        _Connected.imports.state.delete(key)

    @staticmethod
    def keys(prefix=""):
        return _Connected.imports.state.list_keys(prefix)


class signing:
    """Signing with keys that a plugin never sees: it builds the text, the host fills in placeholders and signs."""

    @staticmethod
    def sign(slot, field, algorithm, text, secrets=()):
        """`secrets`: those that the text names, as `slot.field`."""
        return signing._say("sign", slot, field, algorithm, text, secrets)

    @staticmethod
    def verify(slot, field, algorithm, text, signature, secrets=()):
        return signing._say("verify", slot, field, algorithm, text, secrets, signature)

    @staticmethod
    def _say(function, slot, field, algorithm, text, secrets, *signature):
        text = text.encode() if isinstance(text, str) else text
        try:
            return getattr(_Connected.imports.signing, function)(slot, field, algorithm, text, list(secrets), *signature)
        except Exception as failure:
            if not isinstance(getattr(failure, "value", None), str):
                raise
            raise Unauthorized(failure.value) from None


class core_data:
    """What the host holds for this source, in the channel's own ids. For pushes, feeds and testing a connection."""

    @staticmethod
    def properties():
        return _every_page(contract.PageOfProperties, lambda cursor: _Connected.imports.core_data.properties(cursor))

    @staticmethod
    def room_types(property_id):
        return _in(list[contract.RoomType], _Connected.imports.core_data.room_types(property_id))

    @staticmethod
    def rate_plans(property_id):
        return _in(list[contract.RatePlan], _Connected.imports.core_data.rate_plans(property_id))

    @staticmethod
    def calendar(room_type_id, span):
        found = _Connected.imports.core_data.calendar(room_type_id, _out(contract.Nights, span))
        return _in(list[contract.CalendarNights], found)

    @staticmethod
    def reservations(changed_since=None):
        return _every_page(
            contract.PageOfReservations, lambda cursor: _Connected.imports.core_data.reservations(changed_since, cursor)
        )

    @staticmethod
    def stays(room_type_id, span):
        """The reservations that hold nights of a room type within these."""
        found = _Connected.imports.core_data.stays(room_type_id, _out(contract.Nights, span))
        return _in(list[contract.CoreBooking], found)

    @staticmethod
    def blocks(room_type_id, span):
        """What else keeps nights of a room type within these out of sale."""
        found = _Connected.imports.core_data.blocks(room_type_id, _out(contract.Nights, span))
        return _in(list[contract.Block], found)

    @staticmethod
    def find_reservation(id):
        return _in(Optional[contract.CoreBooking], _Connected.imports.core_data.find_reservation(id))

    @staticmethod
    def changed_at(property_id):
        return _Connected.imports.core_data.changed_at(property_id)

    @staticmethod
    def quote_stay(query):
        """`Quote`, or a list of `Refusal`."""
        try:
            return _in(contract.Quote, _Connected.imports.core_data.quote_stay(_out(contract.StayQuery, query)))
        except Exception as failure:
            if not isinstance(getattr(failure, "value", None), list):
                raise
            return _in(list[contract.Refusal], failure.value)

    @staticmethod
    def content(of):
        """Of a property, a room type or a rate plan: `content(EntityRef(Entity.ROOM_TYPE, id))`."""
        found = _Connected.imports.core_data.content(_out(contract.EntityRef, of))
        return None if found is None else json_module.loads(found)


def _every_page(hint, page_after):
    cursor = None
    while True:
        page = _in(hint, page_after(cursor))
        yield from page.items
        cursor = page.next
        if cursor is None:
            return
