"""Makes of an adapter what the component exports: every function answers in the contract's form, or with one of its
errors.
"""

from types import SimpleNamespace
from typing import Optional

from . import contract as c
from .crossing import NATIVE, Misfit, crossing
from .errors import ChannelError, Unsupported, declared, received

# The interfaces a plugin may export: what each of their functions is given, and what it answers.
INTERFACES = {
    "Inbound": {"decode": ([c.HttpRequest], c.Decoded)},
    "Reply": {
        "respond": ([c.HttpRequest, list[c.Change], list[c.ChangeResult]], c.HttpResponse),
        "on_error": ([c.HttpRequest, ChannelError], c.HttpResponse),
    },
    "Pull": {"fetch": ([c.Query], c.Page)},
    "Acknowledgements": {"acknowledge": ([list[c.Acknowledgement]], list[c.AcknowledgementOutcome])},
    "PushCalendar": {"push": ([list[c.CalendarNights], c.Attempt], list[c.Outcome])},
    "PushReservations": {"push": ([list[c.Operation]], list[c.Outcome])},
    "PushContent": {"push": ([list[c.ContentItem], c.Attempt], list[c.Outcome])},
    "Feeds": {"render": ([c.HttpRequest, Optional[str]], c.Chunk)},
    "Connection": {
        "check": ([], c.Report),
        "subscribe": ([str], c.Subscribed),
        "unsubscribe": ([list[str]], list[str]),
    },
}

# What an adapter need not write though it has the interface: such a call is answered with `Unsupported`.
OPTIONAL = ("on_error", "subscribe", "unsubscribe")


def exports_of(plugin, manifest, side=NATIVE, as_raised=lambda error: error):
    """`plugin` has a class for each interface it implements; `as_raised` gives what is raised in an error's place."""
    exported = {"Metadata": type("Metadata", (), {"describe": lambda self: manifest})}
    for name, functions in INTERFACES.items():
        if implementation := getattr(plugin, name, None):
            methods = {
                function: _guarded(implementation, function, given, answer, side, as_raised)
                for function, (given, answer) in functions.items()
            }
            exported[name] = type(name, (), methods)
    return SimpleNamespace(**exported)


def _guarded(implementation, function, given, answer, side, as_raised):
    # Errors are exceptions here, and no variant.
    inward = [received if hint is ChannelError else crossing(hint, NATIVE) for hint in given]
    outward = crossing(answer, side)

    def call(self, *values):
        try:
            if function in OPTIONAL and not hasattr(implementation, function):
                raise Unsupported()
            values = [read(value) for read, value in zip(inward, values, strict=True)]
            answered = outward(getattr(implementation(), function)(*values))
            # One answer for each: with one missing nobody could say whose the others are.
            if function in ("push", "acknowledge") and len(answered) != len(values[0]):
                raise Misfit(f"{len(answered)} answers to {len(values[0])} items")
            return answered
        # `sys.exit` would end the component, and is no `Exception`.
        except (Exception, SystemExit) as thrown:
            raise as_raised(declared(thrown)) from None

    return call
