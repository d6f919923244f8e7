"""What the sandbox answers when it says no, in signal-cli's codes (signal-cli.rst 2.1 and 2.2).

The texts for people are the daemon's own. What Java says of its own insides (-32603) is said here
in plain words, since nobody can build on it.
"""

from __future__ import annotations

from typing import Any, Final

from signal_bridge.rpc.requests import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    error_object,
)

USER: Final = -1
IO: Final = -3
UNTRUSTED_KEY: Final = -4
RATE_LIMIT: Final = -5
CAPTCHA_REJECTED: Final = -6


class RpcError(Exception):
    """A JSON-RPC error: the answer to one request."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data

    def as_json(self) -> dict[str, Any]:
        """`{"code", "message", "data"}`, as it stands in a reply."""
        return error_object(self.code, self.message, self.data)


class StartFailure(Exception):
    """The daemon cannot start. The text goes to stderr, `exit_code` to whoever waits."""

    def __init__(self, exit_code: int, text: str) -> None:
        super().__init__(text)
        self.exit_code = exit_code


def user_error(message: str) -> RpcError:
    """-1: bad input, or something that Signal does not allow."""
    return RpcError(USER, message)


def io_error(message: str) -> RpcError:
    """-3: the network or the server would have failed."""
    return RpcError(IO, message)


def invalid_request(message: str) -> RpcError:
    """-32600: no request, or parameters that a command does not have."""
    return RpcError(INVALID_REQUEST, message)


def internal_error(message: str) -> RpcError:
    """-32603: anything that signal-cli did not think of."""
    return RpcError(INTERNAL_ERROR, message)


def missing(name: str) -> RpcError:
    """A parameter is absent that the command cannot do without (signal-cli.rst 2.1)."""
    return internal_error(f'"{name}" is missing')


def wrong_type(name: str) -> RpcError:
    """A parameter has a JSON type that the command does not take (signal-cli.rst 2.1)."""
    return internal_error(f'"{name}" has the wrong type')


def no_account() -> RpcError:
    """`account` is absent, and it cannot be told which one is meant (signal-cli.rst 1.6)."""
    return RpcError(INVALID_PARAMS, "Method requires valid account parameter")


def not_a_map() -> RpcError:
    """An array of parameters came for a command that takes them by name."""
    return invalid_request("params must be an object")
