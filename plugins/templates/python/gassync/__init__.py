"""What an adapter imports. This folder comes with the template and is replaced by a newer one as a whole: what is yours
lives beside it.
"""

from urllib.parse import parse_qsl, urlsplit

from .amounts import minor_money, money
from .contract import *
from .crossing import to_json
from .days import each_night, nights, parse_date, parse_date_or_note, read_date, read_date_or_note
from .documents import read_xml, write_xml
from .each import read_each, read_one
from .errors import (
    Broken,
    ChannelError,
    Conflict,
    Malformed,
    RateLimited,
    Rejected,
    Unauthorized,
    Unavailable,
    Unsupported,
)
from .exports import exports_of
from .host import clock, core_data, http, log, settings, signing, state
from .instants import instant, last_modified
from .notes import note, take_notes
from .values import count, read_json, read_text, text


def change(data, property_id=None, account=None):
    """A change: its data, and the source of the connection that it is for, if the message says so. Includes the notes that
    were made while the record was read.
    """
    return Change(data, Route(property_id, account), take_notes())


def reply(status, body="", headers=None):
    """A response to the channel's call: plain text, or a dict or list as JSON."""
    is_json = isinstance(body, (dict, list))
    named = {"content-type": "application/json" if is_json else "text/plain", **(headers or {})}
    content = to_json(body) if is_json else body
    return HttpResponse(
        status=status,
        headers=[Header(name, value) for name, value in named.items()],
        body=content.encode() if isinstance(content, str) else content,
    )


def header_of(request, name):
    """A header of a request, whatever the case of its name."""
    return next((header.value for header in request.headers if header.name.lower() == name.lower()), None)


def query_of(request):
    """The query of a request's URL, as a dict."""
    return dict(parse_qsl(urlsplit(request.url).query, keep_blank_values=True))
