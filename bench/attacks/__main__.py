"""One attack as a process, so that it takes nothing from the honest client's:

    python -m bench.attacks                                    lists them
    python -m bench.attacks 'half heads' PORT DATA_DIR SECONDS

It says when its connections are there, ends after SECONDS or by SIGTERM, and says how they fared.
"""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

from bench.attacks.crowd import Crowd
from bench.attacks.table import ATTACKS, Target, named

THERE = "there"


def main(name: str, port: str, data_dir: str, seconds: str) -> None:
    attack = named(name)
    script = attack.script(Target(int(port), Path(data_dir)))
    crowd = Crowd(int(port), script, attack.connections, attack.source)
    signal.signal(signal.SIGTERM, lambda *_: crowd.stop())
    ending = threading.Timer(float(seconds), crowd.stop)
    ending.start()
    threading.Thread(target=_say_when_there, args=(crowd,), daemon=True).start()
    crowd.run()
    ending.cancel()
    print(f"{crowd.opened} opened, {crowd.cut} cut, {crowd.failed} failed", flush=True)


def _say_when_there(crowd: Crowd) -> None:
    crowd.wait_until_there()
    print(THERE, flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        print("\n".join(f"{one.connections:4}  {one.name}" for one in ATTACKS))
    else:
        main(*sys.argv[1:])
