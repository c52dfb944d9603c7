"""What of a record was left out because it could not be read."""

from .contract import FieldError

# More on one record would tell nobody more.
_MAX_NOTES = 50

_notes = []


def note(path, problem):
    """Notes that something of the record that is being read was left out: where, as a rule a JSON pointer, and what was
    expected there, never the value. The next `change` carries it to the host.
    """
    if len(_notes) < _MAX_NOTES:
        _notes.append(FieldError(str(path), str(problem)))


def take_notes():
    """What was noted since it was asked last."""
    taken = _notes[:]
    _notes.clear()
    return taken
