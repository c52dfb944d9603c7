"""Records are read one by one: what is wrong with one of a page or a message stops no other."""

from .contract import Change, ChangeKind, Unreadable
from .crossing import NATIVE, crossing, to_json
from .errors import Broken, ChannelError, Malformed, Rejected, declared
from .notes import take_notes


def read_each(entity, items, read, path="", ids=("id",)):
    """Reads each of the records that a channel sent in a list: `read(item, path)` gives a change or a list of them. One that
    is `Malformed` or `Rejected`, or on which `read` fails otherwise, is handed on as `ChangeKind.Unreadable`, in its own words and
    with the id that stands under one of `ids`: the host sets it aside, shows it to people and goes on with the others.
    """
    changes = []
    for index, item in enumerate(items):
        place = f"{path}/{index}"
        changes += read_one(entity, item, lambda: read(item, place), ids)
    return changes


def read_one(entity, raw, read, ids=("id",)):
    """The same for one record: `raw` is a text as it came, or what JSON made of it, which is written as JSON."""
    # What was noted of another record says nothing of this one.
    take_notes()
    try:
        changes = read()
        changes = changes if isinstance(changes, list) else [changes]
        # What does not fit into the contract is this record's trouble too.
        return [crossing(Change, NATIVE)(change) for change in changes]
    except Exception as thrown:
        error = declared(thrown)
        if isinstance(thrown, ChannelError) and not isinstance(error, (Malformed, Rejected, Broken)):
            raise
        take_notes()
        words = raw if isinstance(raw, str) else to_json(raw)
        record = Unreadable(entity=entity, id=_id_of(raw, ids), problem=_problem_of(error), raw=words)
        return [Change(ChangeKind.Unreadable(record))]


def _problem_of(error):
    if isinstance(error, Rejected):
        return "; ".join(f"{item.path}: {item.problem}" for item in error.value)
    return f"the plugin failed on it: {error.value}" if isinstance(error, Broken) else error.value


def _id_of(raw, ids):
    said = (raw.get(name) for name in ids) if isinstance(raw, dict) else ()
    found = (item for item in said if isinstance(item, (str, int)) and not isinstance(item, bool))
    return next((str(item) for item in found if str(item).strip()), None)
