"""The command line: `python -m signal_bridge.sandbox <signal-cli flags>`."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from typing import Final

from signal_bridge.sandbox import logs, options, server
from signal_bridge.sandbox.errors import StartFailure

RECURSION_LIMIT: Final = 5000
"""JSON may be nested a thousand deep, which needs more than Python allows by itself."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the sandbox as signal-cli would run, and return the exit code."""
    sys.setrecursionlimit(RECURSION_LIMIT)
    os.umask(0o077)  # as if it were real, nobody else reads what it keeps
    try:
        chosen = options.parse(sys.argv[1:] if argv is None else argv)
        if chosen.only_version:
            sys.stdout.write(f"signal-cli {chosen.version.number} (Signal Bridge sandbox)\n")
            return 0
        logs.set_up(chosen)
        return asyncio.run(server.run(chosen))
    except StartFailure as failure:
        sys.stderr.write(f"{failure}\n")
        return failure.exit_code


if __name__ == "__main__":
    sys.exit(main())
