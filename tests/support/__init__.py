"""What the tests share: the real bridge as a process, a signal-cli that follows a script, waiting.

    Bridge           bridge.py           starts `signal-bridge serve`, talks to it, ends it
    check_answer     described.py        every JSON answer of a `Bridge` is as described
    Halves           halves.py           its two halves as programs of their own
    ScriptedDaemon   scripted_daemon.py  answers JSON-RPC as the test says
    eventually       waiting.py          the only way a test waits
    Database         databases.py        SQLite or PostgreSQL, and a look into a running bridge's
    Server           postgres.py         a PostgreSQL that is started, stopped, cut off
    Proxy            proxy.py            the network before it: a hole, refusing, slow
    descendants      processes.py        which processes a process has started

No test asserts how long something took: `eventually` has a generous limit and returns at once.
"""

from tests.support.bridge import Bridge
from tests.support.halves import Halves
from tests.support.processes import Process, descendants
from tests.support.scripted_daemon import ScriptedDaemon
from tests.support.waiting import eventually, free_port

__all__ = [
    "Bridge",
    "Halves",
    "Process",
    "ScriptedDaemon",
    "descendants",
    "eventually",
    "free_port",
]
