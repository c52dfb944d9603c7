"""What a plugin says when it cannot.

`raise Malformed("from: tomorrow")` reaches the host as the contract's error of that name; whatever else is raised
reaches it as `Broken`, the plugin's own fault, and never as a trap.
"""

import os
import traceback
from typing import Optional

from .contract import U32, FieldError
from .crossing import NATIVE, crossing, unfit


class ChannelError(Exception):
    """One of the contract's errors; `payload` holds the type of what it carries, `value` that itself.

    An adapter raises them, and is given one by `Reply.on_error`: `case Malformed(where):`.
    """

    payload = (str,)
    __match_args__ = ("value",)

    def __init__(self, *payload):
        super().__init__(*(crossing(hint, NATIVE)(item) for hint, item in zip(self.payload, payload, strict=True)))

    @property
    def value(self):
        return self.args[0] if self.args else None


class Unauthorized(ChannelError):
    """The credential does not work any more; say what the channel said."""


class RateLimited(ChannelError):
    """Seconds to wait, where the channel says so."""

    payload = (Optional[U32],)

    def __init__(self, seconds=None):
        super().__init__(seconds)


class Unavailable(ChannelError):
    """The channel does not answer, or not as it should: worth another try later."""


class Rejected(ChannelError):
    """Carries a list of `FieldError`."""

    payload = (list[FieldError],)


class Malformed(ChannelError):
    """Where in the payload, and what was expected there."""


class Conflict(ChannelError):
    pass


class Unsupported(ChannelError):
    payload = ()


class Broken(ChannelError):
    """The plugin's own code failed where it should not."""


_CASES = {cls.__name__: cls for cls in ChannelError.__subclasses__()}


def received(value):
    """An error that the host hands in, as the exception that it is here."""
    if isinstance(value, ChannelError):
        return value
    # `ChannelError_Malformed` in the bindings.
    variant, _, case = type(value).__name__.partition("_")
    if variant != "ChannelError" or case not in _CASES:
        raise unfit("one of the contract's errors", value)
    error = _CASES[case]
    return error(*(value.value for _ in error.payload))


# This folder as Python writes it into tracebacks: the partner's folders may have the same name.
_FOLDER = os.path.dirname(received.__code__.co_filename)


def declared(thrown):
    """What was raised, as an error that the contract has."""
    if isinstance(thrown, ChannelError) and type(thrown) is not ChannelError:
        return thrown
    text = f"{type(thrown).__name__}: {thrown}"
    # Of the stack only what is the partner's.
    own = [frame for frame in traceback.extract_tb(thrown.__traceback__) if os.path.dirname(frame.filename) != _FOLDER]
    where = [f"\n  {frame.filename.rpartition('/')[2]}:{frame.lineno} in {frame.name}" for frame in own[-3:]]
    return Broken(text + "".join(where))
