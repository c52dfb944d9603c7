"""Where the build begins: the imports of the contract on one side, the adapter on the other. Only the build can import
this module, which is run once then: the component starts from what it left in memory.
"""

# There are no files when a component runs, and these would be looked for only then.
import _strptime
import encodings.cp1252
import encodings.idna
import encodings.iso8859_15
import encodings.latin_1
import encodings.utf_16
from pathlib import Path
from types import SimpleNamespace

from componentize_py_types import Err
from wit_world.imports import core_data, http, log, settings, signing, state, types

import plugin

from .crossing import crossing
from .exports import exports_of
from .host import connect


class Bindings:
    """The side of the generated classes."""

    def of(self, cls):
        modules = (types, http, core_data, log)
        return next(getattr(module, cls.__name__) for module in modules if hasattr(module, cls.__name__))

    def case(self, variant, name):
        return getattr(http if variant.__name__ == "HttpError" else types, f"{variant.__name__}_{name}")

    def date(self, year, month, day):
        return types.Date(year, month, day)


BINDINGS = Bindings()


def as_raised(error):
    # A partner may have made an error of their own out of one of the contract's.
    names = (f"ChannelError_{cls.__name__}" for cls in type(error).__mro__)
    case = next(getattr(types, name) for name in names if hasattr(types, name))
    return Err(case(*(crossing(hint, BINDINGS)(value) for hint, value in zip(error.payload, error.args))))


connect(SimpleNamespace(http=http, core_data=core_data, signing=signing, log=log, settings=settings, state=state), BINDINGS)

_manifest = Path(plugin.__file__).with_name("manifest.json").read_text()
globals().update(vars(exports_of(plugin, _manifest, BINDINGS, as_raised)))
