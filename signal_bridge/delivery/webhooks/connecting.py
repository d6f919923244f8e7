"""Connections that keep to the rules of `addresses.py`.

A name is resolved once, the addresses are checked, and the connection goes to one that was
checked: a name that changes its mind between the two gains nothing. Host and SNI stay the name.
All of it ends with the attempt that it is for.
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import threading
from typing import Any, Final

from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from signal_bridge.clock import Deadline
from signal_bridge.delivery.webhooks.addresses import Rules, literal
from signal_bridge.delivery.webhooks.ownaddresses import is_own
from signal_bridge.delivery.webhooks.urllib3_parts import ConnectingAdapter, open_socket, shut_down

# Nothing ends a question to name servers but their answer, or the system's patience with them. So
# many of them may be left behind by attempts that have ended; afterwards attempts wait for one.
_MOST_QUESTIONS: Final = 64
_questions = threading.BoundedSemaphore(_MOST_QUESTIONS)


class NoConnection(NewConnectionError):
    """No address of the host is allowed, or none answers. `sentence` says which and why."""

    def __init__(self, connection: Any, sentence: str) -> None:
        super().__init__(connection, sentence)
        self.sentence = sentence


class CheckedAdapter(ConnectingAdapter):
    """Connects only where `rules` allow, for one attempt at a time, which `begin` begins.

    `end` may be called from any thread, everything else belongs to one.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._deadline = Deadline(threading.TIMEOUT_MAX)
        self._newest_connection: HTTPConnection | None = None
        super().__init__(self._connect_checked)

    def begin(self, deadline: Deadline) -> None:
        """An attempt begins, which ends by then."""
        self._deadline = deadline

    def end(self) -> None:
        """The attempt is over: whoever waits for its connection, or on it, has an error."""
        self._deadline = Deadline(0.0)
        if self._newest_connection is not None:
            shut_down(self._newest_connection)

    def _connect_checked(self, connection: HTTPConnection) -> socket.socket:
        """A socket to the first address that is allowed and answers. Raises urllib3's errors."""
        self._newest_connection = connection
        host, port = connection.host, connection.port
        try:
            found = _addresses_of(host, port, self._deadline)
            allowed = _allowed_addresses(connection, found, self._rules)
            return self._first_that_answers(connection, allowed)
        except socket.gaierror as error:
            raise NameResolutionError(host, connection, error) from error
        except UnicodeError as error:  # a label that is empty or too long is no name
            raise NameResolutionError(host, connection, socket.gaierror(str(error))) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(connection, "connect timeout") from error
        except OSError as error:
            raise NoConnection(connection, f"no connection: {error.strerror or error}") from error

    def _first_that_answers(self, connection: HTTPConnection, allowed: list[str]) -> socket.socket:
        *others, last = allowed
        for address in others:
            try:
                return self._open(connection, address)
            except OSError:  # the next may answer; if none does, the last one's error counts
                continue
        return self._open(connection, last)

    def _open(self, connection: HTTPConnection, address: str) -> socket.socket:
        """Raises OSError, at once when the attempt is over, and as soon as it is by now."""
        left_seconds = self._deadline.remaining_seconds()
        if left_seconds <= 0:
            raise TimeoutError
        opened = open_socket(connection, address, connection.port, left_seconds)
        if self._deadline.expired():
            opened.close()
            raise TimeoutError
        return opened


def _addresses_of(host: str, port: int, deadline: Deadline) -> list[str]:
    """Raises OSError and UnicodeError, TimeoutError when the name servers do not answer by then."""
    if literal(host) is not None:
        return _resolved(host, port)
    if not _questions.acquire(timeout=deadline.remaining_seconds()):
        raise TimeoutError
    answers: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(_resolved(host, port))
        except (OSError, UnicodeError) as error:
            answers.put(error)
        finally:
            _questions.release()

    try:
        threading.Thread(target=ask, name="webhook-name", daemon=True).start()
    except RuntimeError as error:
        _questions.release()
        raise OSError(str(error)) from error  # the system has no thread left
    try:
        answer = answers.get(timeout=deadline.remaining_seconds())
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _resolved(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for *_, sockaddr in found]


def _refusal(text: str, port: int, rules: Rules) -> str | None:
    address = ipaddress.ip_address(text)
    if port == rules.own_port and is_own(address):
        return "it is this bridge, calling itself"
    return rules.refusal(address)


def _allowed_addresses(connection: HTTPConnection, found: list[str], rules: Rules) -> list[str]:
    refusals = {one: _refusal(one, connection.port, rules) for one in found}
    allowed = [one for one in found if refusals[one] is None]
    if not allowed:
        reasons = ", ".join(f"{one}: {why}" for one, why in refusals.items())
        raise NoConnection(connection, f"the receiver's address is refused ({reasons})")
    return allowed
