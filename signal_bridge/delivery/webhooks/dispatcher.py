"""Turns for many jobs on few threads: whoever has nothing to do holds no thread.

    woken, or its time has come ──► ready ──► one turn, on a thread `courier-N` ──► waits, or ready
                                                      ▲
              thread `couriers`: keeps the time ──────┘ and looks at turns that last

A job is in the hands of one thread at most. Threads are made on demand and end when they are idle.
A turn that lasts no longer counts against their number, so that many receivers which begin to hang
at once take nobody's place.

Who may use how many of them goes by what is known of a job. QUICK ones may use all. Of NEW ones
nothing is known yet, and whoever makes webhooks can make many: there is always a thread left for
the others. SLOW ones have a part for themselves. Among each the origins take turns, so that many
jobs at one origin do not stand before the only one at another.
"""

from __future__ import annotations

import enum
import functools
import heapq
import itertools
import logging
import math
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from signal_bridge.clock import Deadline, backoff_seconds
from signal_bridge.delivery.webhooks.fairqueue import FairQueue
from signal_bridge.errors import StoreError
from signal_bridge.threads import Loop

log = logging.getLogger(__name__)

# What a turn returns: seconds until the next one, 0 for at once.
NOW: Final = 0.0
WOKEN: Final = math.inf  # not before somebody wakes it

THREADS: Final = 32
THREADS_IN_ALL: Final = 128  # with those whose turn lasts
# Of jobs nothing is known of: so many at a time whose turn does not last, and so many in all.
NEW_THREADS: Final = 24
NEW_THREADS_IN_ALL: Final = 80
SLOW_THREADS: Final = 16
SLOW_SECONDS: Final = 1.0  # a turn that lasts longer is slow
_IDLE_SECONDS: Final = 10.0
# How often to look at the turns that are under way, while there are any.
_LOOK_SECONDS: Final = 0.25
_LONGEST_STORE_WAIT_SECONDS: Final = 5.0
_LONGEST_DEFECT_WAIT_SECONDS: Final = 60.0


class Pace(enum.Enum):
    """What is known of how long a job's turns take."""

    QUICK = "quick"
    NEW = "new"  # nothing
    SLOW = "slow"  # the last did, for longer than SLOW_SECONDS


class Job:
    """Something that does its work turn by turn.

    `name` is for the log, `origin` says whom its turns may wait for. `wake` asks for a turn, from
    any thread; a dispatcher that gives turns sets it.
    """

    name = ""
    origin = ""
    pace = Pace.QUICK

    def __init__(self) -> None:
        self.wake: Callable[[], None] = _nobody

    def turn(self) -> float:
        """Do the next thing. Seconds until it wants to do another: NOW, or WOKEN.

        What it raises is logged, and it gets its next turn after a wait that grows.
        """
        raise NotImplementedError

    def look(self) -> None:
        """Called now and then while a turn lasts, on thread `couriers`."""

    def cut_off(self) -> None:
        """End the turn that is under way, if that can be done; from any thread."""

    def end(self) -> None:
        """There are no more turns."""


def _nobody() -> None:
    """Not enrolled yet: its first turn is still to come."""


class Task:
    """A job and what the dispatcher knows of it."""

    def __init__(self, job: Job) -> None:
        self.job: Final = job
        # Guarded by the dispatcher's lock. Times are on the monotonic clock.
        self.ready = False
        self.removed = False
        self.began = 0.0  # the turn that is under way; 0 without one
        self.woken = False  # while it was
        self.began_as = Pace.QUICK  # what it was then, and is counted among
        self.due = WOKEN  # when its next turn is
        self.alarm = WOKEN  # its first entry in the heap of timers
        # Of the thread that gives it a turn.
        self.failures = 0
        self.logged: set[type[Exception]] = set()


class Dispatcher:
    """Safe from any thread. `start` and `stop` once each."""

    def __init__(self) -> None:
        # Guards everything down to `_troubled`.
        self._mutex = threading.Lock()
        self._work = threading.Condition(self._mutex)
        self._turn_ended = threading.Condition(self._mutex)
        self._ready = {pace: FairQueue[Task]() for pace in Pace}
        self._timers: list[tuple[float, int, Task]] = []
        self._numbers = itertools.count()
        self._running: set[Task] = set()
        self._running_as: Counter[Pace] = Counter()
        self._threads: set[int] = set()  # their numbers
        self._looks_at = WOKEN  # when thread `couriers` looks again
        self._troubled: Task | None = None  # who has told that the database is away
        self._stop = threading.Event()
        self._alarm = threading.Event()
        self._clock = Loop("couriers", self._keep_time, self._stop)

    def start(self) -> None:
        """Thread `couriers` begins; those that give turns are made when there are turns to give."""
        self._clock.start()

    def enrol(self, job: Job) -> Task:
        """From now on the job can be woken."""
        task = Task(job)
        job.wake = functools.partial(self._wake, task)
        return task

    def _wake(self, task: Task) -> None:
        """Give it a turn soon. Does not block. One that has failed has to wait all the same."""
        with self._mutex:
            if task.began:
                task.woken = True
            elif not task.failures and not self._stop.is_set():
                self._make_ready(task)
                self._find_threads()

    def remove(self, task: Task) -> None:
        """No more turns: its job ends, at once or with the turn that is under way."""
        with self._mutex:
            ends_now = not task.began and not task.removed
            task.removed = True
        if ends_now:
            _end(task.job)

    def stop(self) -> None:
        """From now on there are no new turns."""
        with self._mutex:
            self._stop.set()
            self._alarm.set()
            self._work.notify_all()

    def wait(self, seconds: float) -> list[Job]:
        """After `stop`: wait until no turn is under way. The jobs whose turn still is."""
        deadline = Deadline(seconds)
        with self._mutex:
            while self._running and not deadline.expired():
                self._turn_ended.wait(deadline.remaining_seconds())
            return [task.job for task in self._running]

    # -- who is next, and on which thread; under the lock --------------------------------------

    def _make_ready(self, task: Task) -> None:
        if task.ready or task.removed:
            return
        task.ready = True
        task.due = WOKEN
        self._ready[task.job.pace].push(task.job.origin, next(self._numbers), task)

    def _take(self) -> Task | None:
        """The next of those that may have a turn."""
        while (queue := self._next_queue()) is not None:
            task = queue.pop()
            task.ready = False
            if not task.removed:
                return task
        return None

    def _next_queue(self) -> FairQueue[Task] | None:
        """None when there is nothing to do."""
        eligible = [queue for pace, queue in self._ready.items() if queue and self._room(pace)]
        return min(eligible, key=lambda queue: queue.first_number, default=None)

    def _room(self, pace: Pace) -> int:
        """How many more threads may give turns to jobs of that pace."""
        running = self._running_as[pace]
        if pace is Pace.SLOW:
            return max(0, SLOW_THREADS - running)
        if pace is Pace.QUICK or running < NEW_THREADS:
            return THREADS_IN_ALL
        return max(0, min(NEW_THREADS + self._lasting(pace), NEW_THREADS_IN_ALL) - running)

    def _find_threads(self) -> None:
        """Threads for what is ready: those that are free, and new ones if there may be more."""
        ready = sum(min(len(queue), self._room(pace)) for pace, queue in self._ready.items())
        free = len(self._threads) - len(self._running)
        if ready and free:
            self._work.notify(min(ready, free))
        if ready > free:
            for _ in range(min(ready - free, self._most_threads() - len(self._threads))):
                self._make_thread()

    def _most_threads(self) -> int:
        if len(self._running) < THREADS:
            return THREADS
        lasting = sum(self._lasting(pace) for pace in Pace)
        return min(THREADS + lasting, THREADS_IN_ALL)

    def _lasting(self, pace: Pace) -> int:
        """How many turns of jobs that began with that pace are under way for long."""
        since = time.monotonic() - SLOW_SECONDS
        return sum(task.began < since and task.began_as is pace for task in self._running)

    def _make_thread(self) -> None:
        number = next(one for one in itertools.count(1) if one not in self._threads)
        thread = threading.Thread(
            target=self._serve, args=(number,), name=f"courier-{number}", daemon=True
        )
        self._threads.add(number)
        try:
            thread.start()
        except RuntimeError as error:  # the system has none left; thread `couriers` tries again
            self._threads.discard(number)
            self._look_by(time.monotonic() + _LOOK_SECONDS)
            log.debug("no thread for a courier: %s", error)

    def _look_by(self, at: float) -> None:
        """Thread `couriers` looks again by then."""
        if at < self._looks_at:
            self._looks_at = at
            self._alarm.set()

    # -- threads courier-N ---------------------------------------------------------------------

    def _serve(self, number: int) -> None:
        while (task := self._next_task(number)) is not None:
            self._give_turn(task)

    def _next_task(self, number: int) -> Task | None:
        """The next task, begun. None when this thread is not needed: it counts no more."""
        with self._mutex:
            patient = True
            while not self._stop.is_set():
                if (task := self._take()) is not None:
                    self._begin(task)
                    return task
                if not patient:
                    break
                patient = self._work.wait(_IDLE_SECONDS)
            self._threads.discard(number)
        return None

    def _begin(self, task: Task) -> None:
        task.began = time.monotonic()
        task.woken = False
        task.began_as = task.job.pace
        self._running.add(task)
        self._running_as[task.began_as] += 1
        self._look_by(task.began + 2 * _LOOK_SECONDS)

    def _give_turn(self, task: Task) -> None:
        seconds = self._turn(task)
        with self._mutex:
            self._running.discard(task)
            self._running_as[task.began_as] -= 1
            task.began = 0.0
            self._turn_ended.notify_all()
            if not task.removed:
                self._go_on(task, seconds)
        if task.removed:
            _end(task.job)

    def _go_on(self, task: Task, seconds: float) -> None:
        """Under the lock. No thread is looked for: this one is free."""
        if seconds <= NOW or (task.woken and not task.failures):
            self._make_ready(task)
        elif seconds < WOKEN:
            task.due = time.monotonic() + seconds
            self._set_timer(task)

    def _set_timer(self, task: Task) -> None:
        """One entry is enough: when it comes too early, it is made anew."""
        if task.due < task.alarm:
            task.alarm = task.due
            heapq.heappush(self._timers, (task.due, next(self._numbers), task))
            self._look_by(task.due)

    def _turn(self, task: Task) -> float:
        try:
            seconds = task.job.turn()
        except Exception as error:  # noqa: BLE001 - one that fails must not hold up the others
            return self._note_failure(task, error)
        if task.failures:
            self._note_recovery(task)
        return seconds

    def _note_failure(self, task: Task, error: Exception) -> float:
        """How long it has to wait. What went wrong is logged once until it goes well.

        That the database is away is told by one for all.
        """
        task.failures += 1
        if isinstance(error, StoreError):
            if self._is_first_trouble(task):
                log.warning("%s waits for the database: %s", task.job.name, error)
            return backoff_seconds(task.failures, 0.1, _LONGEST_STORE_WAIT_SECONDS)
        if type(error) not in task.logged:
            task.logged.add(type(error))
            log.error("%s failed in a way nobody expected; it goes on", task.job.name,
                      exc_info=error)  # fmt: skip
        return backoff_seconds(task.failures, 1.0, _LONGEST_DEFECT_WAIT_SECONDS)

    def _is_first_trouble(self, task: Task) -> bool:
        with self._mutex:
            if self._troubled is None or self._troubled.removed:
                self._troubled = task
                return True
            return False

    def _note_recovery(self, task: Task) -> None:
        task.failures = 0
        task.logged.clear()
        with self._mutex:
            if self._troubled is not task:
                return
            self._troubled = None
        log.info("%s works again", task.job.name)

    # -- thread couriers -----------------------------------------------------------------------

    def _keep_time(self) -> None:
        """One look at the timers and at the turns that last, and a wait for the next."""
        with self._mutex:
            self._alarm.clear()
            now = time.monotonic()
            self._ring_timers(now)
            lasting = [task.job for task in self._running if task.began < now - _LOOK_SECONDS]
            busy = self._running or any(self._ready.values())
            first_timer = self._timers[0][0] if self._timers else WOKEN
            self._looks_at = min(first_timer, now + _LOOK_SECONDS if busy else WOKEN)
            wait_seconds = self._looks_at - now
        for job in lasting:
            job.look()
        if not self._stop.is_set():
            self._alarm.wait(None if wait_seconds == WOKEN else wait_seconds)

    def _ring_timers(self, now: float) -> None:
        while self._timers and self._timers[0][0] <= now:
            at, _number, task = heapq.heappop(self._timers)
            if at != task.alarm:
                continue
            task.alarm = WOKEN
            if task.due <= now:
                self._make_ready(task)
                self._find_threads()
            elif task.due < WOKEN:
                self._set_timer(task)
        self._find_threads()  # turns that last make room for more threads


def _end(job: Job) -> None:
    try:
        job.end()
    except Exception:
        log.exception("%s did not end as it should", job.name)
