"""Makes one component of the adapter: `NAME.wasm`, after the manifest's id."""

import json
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import plugin
from gassync.exports import INTERFACES

HERE = Path(__file__).resolve().parent


def main():
    component = json.loads((HERE / "manifest.json").read_text())["id"] + ".wasm"
    check_world((HERE / "wit" / "world.wit").read_text())
    # WASI stays as it is: with `--stub-wasi` the clock would be a trap and randomness that of this build for ever.
    subprocess.run(
        [
            Path(sys.executable).with_name("componentize-py"),
            *("--quiet", "--wit-path", "wit", "--world", "plugin"),
            *("componentize", "gassync.component", "--python-path", ".", "--output", component),
            # The packages of `requirements.txt`.
            *("--python-path", sysconfig.get_path("purelib")),
        ],
        cwd=HERE,
        check=True,
    )
    print(f"{component}: {(HERE / component).stat().st_size / 1e6:.1f} MB")


def check_world(world):
    """A world that names too much does not build, with an error that does not say why; one that names too little leaves
    the rest of the adapter unused."""
    exported = re.findall(r"^\s*export gassync:channel/([a-z-]+)@", world, re.MULTILINE)
    for name in INTERFACES:
        in_wit = re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()
        if hasattr(plugin, name) and in_wit not in exported:
            sys.exit(f"plugin.py has {name}, and wit/world.wit does not name {in_wit}")
        if not hasattr(plugin, name) and in_wit in exported:
            sys.exit(f"wit/world.wit names {in_wit}, and plugin.py has no {name}")


if __name__ == "__main__":
    main()
