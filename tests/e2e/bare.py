"""signal-cli on a machine that brings nothing along: no locale, no table of media types.

The bridge of the real world runs like this always: what signal-cli needs, the bridge has to bring.
"""

from __future__ import annotations

import functools
import os
import subprocess
from pathlib import Path

MEDIA_TYPES = "/etc/mime.types"
# As of a service that nobody gave a locale.
ENVIRONMENT = {"LC_ALL": "C", "LANG": ""}

# In a mount namespace of its own, which ends with the program: the machine keeps its file. It is
# the JVM in the end, as what the bridge starts has to be.
_WRAPPER = f"""#!/bin/sh
exec {{unshare}} sh -c 'mount --bind /dev/null {MEDIA_TYPES} && exec "$@"' - '{{program}}' "$@"
"""


def without_media_types(signal_cli: Path, home: Path) -> Path:
    """A program in `home` that is `signal_cli` without /etc/mime.types.

    Itself where there is no such file, or it may not be hidden here.
    """
    unshare = _unshare()
    if not os.path.exists(MEDIA_TYPES) or unshare is None:
        return signal_cli
    wrapper = home / "bin" / "signal-cli"
    wrapper.parent.mkdir()
    wrapper.write_text(_WRAPPER.format(unshare=unshare, program=signal_cli))
    wrapper.chmod(0o755)
    cache = signal_cli.parent.parent / "signal-cli.aot"
    if cache.exists():
        (home / cache.name).symlink_to(cache)
    return wrapper


@functools.cache
def _unshare() -> str | None:
    """The command that begins a mount namespace, as root or as whoever may be root within it."""
    hide = f"mount --bind /dev/null {MEDIA_TYPES}"
    for command in ("unshare --mount", "unshare --mount --map-root-user"):
        tried = [*command.split(), "sh", "-c", hide]
        if subprocess.run(tried, capture_output=True, check=False).returncode == 0:
            return command
    return None
