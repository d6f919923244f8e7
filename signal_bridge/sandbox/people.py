"""Who is on the network: people, their addresses, and what is the matter with some of them."""

from __future__ import annotations

import enum
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from signal_bridge.sandbox import errors

ACCOUNT_NUMBERS: Final = tuple(f"+1202555010{digit}" for digit in range(4))
ROBOT_NUMBER: Final = "+12025550123"
COUNTRY: Final = "1"

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Fault(enum.Enum):
    """What is the matter with somebody: why a message does not simply arrive, or an invitation."""

    IDENTITY_CHANGED = "+12025550191"
    CHALLENGED = "+12025550192"
    RATE_LIMITED = "+12025550193"
    SLOW = "+12025550194"
    OFFLINE = "+12025550195"
    STALE_KEYS = "+12025550196"
    BROKEN = "+12025550197"
    INVITED = "+12025550198"


class Ticker:
    """Timestamps of one sender: milliseconds, never the same twice."""

    def __init__(self) -> None:
        self._last = 0

    def next_ms(self) -> int:
        """Now in milliseconds, or one more than the last time."""
        self._last = max(now_ms(), self._last + 1)
        return self._last


@dataclass(eq=False)
class Person:
    """A registered user of the network. What is here is seen by everybody."""

    number: str
    given_name: str | None = None
    family_name: str | None = None
    username: str | None = None
    about: str | None = None
    about_emoji: str | None = None
    mobile_coin: str | None = None
    avatar: bytes | None = None
    fault: Fault | None = None
    ticker: Ticker = field(default_factory=Ticker)
    profile_changed_ms: int = 0
    registrations: int = 1
    aci: str = ""

    def __post_init__(self) -> None:
        """The UUID is made from the first number: the same in every run, and kept by a new one."""
        self.aci = self.aci or f"5a9d6b0c-0000-4000-8000-{self.number.lstrip('+')[-12:]:0>12}"

    @property
    def key(self) -> str:
        """What the identity key is made from: another one each time somebody registers."""
        return self.aci if self.registrations == 1 else f"{self.aci} {self.registrations}"

    @property
    def profile_name(self) -> str:
        """`given family`, as far as the profile has them."""
        return " ".join(part for part in (self.given_name, self.family_name) if part)

    @property
    def is_robot(self) -> bool:
        """Whether it sends back what it gets."""
        return self.number == ROBOT_NUMBER


@dataclass(frozen=True)
class Recipient:
    """Whom a recipient parameter names. `person` is None if nobody is registered under it.

    `uuid`, `number` or `username` is set, whichever was given.
    """

    name: str
    person: Person | None = None
    uuid: str | None = None
    number: str | None = None
    username: str | None = None

    def need_person(self) -> Person:
        """The person. Raises RpcError (-1) if nobody is registered."""
        if self.person is None:
            raise errors.user_error(f"The user {self.name} is not registered.")
        return self.person


class People:
    """The directory."""

    def __init__(self) -> None:
        self._by_number: dict[str, Person] = {}
        self._registrations: Counter[str] = Counter()
        for person in _first_people():
            self.add(person)

    def add(self, person: Person) -> None:
        """Register somebody, in place of whoever had the number, with new keys."""
        self._registrations[person.aci] += 1
        person.registrations = self._registrations[person.aci]
        self._by_number[person.number] = person

    def remove(self, person: Person) -> None:
        """Nobody has this number any more."""
        self._by_number.pop(person.number, None)

    def renumber(self, person: Person, number: str) -> None:
        """Give somebody another number, which must be free."""
        self.remove(person)
        person.number = number
        self._by_number[number] = person

    def by_number(self, number: str) -> Person | None:
        """Who has a number in E.164."""
        return self._by_number.get(number)

    def by_aci(self, aci: str) -> Person | None:
        """Who has a UUID, in whatever case."""
        return next((each for each in self if each.aci == aci.lower()), None)

    def by_username(self, username: str) -> Person | None:
        """Who has a username, `name.number`."""
        return next((each for each in self if each.username == username), None)

    def free_number(self) -> str:
        """A number for the next linked account."""
        candidates = (f"+1202555{n:04}" for n in (*range(140, 170), *range(1000, 10_000)))
        return next(number for number in candidates if number not in self._by_number)

    def find(self, text: str) -> Recipient:
        """Read a recipient: number, UUID, `PNI:` UUID or `u:` username (signal-cli.rst 2.1)."""
        if _UUID.fullmatch(text):
            return Recipient(text.lower(), self.by_aci(text), uuid=text.lower())
        if text.startswith("PNI:"):
            return Recipient(text)
        if text.startswith("u:"):
            return self.find_username(text[2:])
        return self.find_number(text)

    def find_number(self, text: str) -> Recipient:
        """Whom a phone number means, national ones included. Raises RpcError (-1)."""
        number = e164(text)
        return Recipient(number, self.by_number(number), number=number)

    def find_username(self, username: str) -> Recipient:
        """Whom a username means, without its `u:`."""
        return Recipient(username, self.by_username(username), username=username)

    def __iter__(self) -> Iterator[Person]:
        return iter(self._by_number.values())


def e164(text: str) -> str:
    """A phone number in E.164; a national one is taken to be of the accounts' country."""
    digits = re.sub(r"[^0-9]", "", text)
    if not digits:
        raise errors.user_error(f"Invalid phone number '{text}': No valid characters found.")
    national = not text.startswith("+") and len(digits) == 10
    return f"+{COUNTRY}{digits}" if national else f"+{digits}"


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def _first_people() -> list[Person]:
    names = ("Alice", "Bob", "Carol", "Dave")
    accounts = [
        Person(number, name, username=f"{name.lower()}.01")
        for number, name in zip(ACCOUNT_NUMBERS, names, strict=True)
    ]
    robot = Person(ROBOT_NUMBER, "Echo", "Robot", about="I send each text back")
    magic = [Person(each.value, "Magic", _title(each), fault=each) for each in Fault]
    return [*accounts, robot, *magic]


def _title(fault: Fault) -> str:
    return fault.name.replace("_", " ").title()
