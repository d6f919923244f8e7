"""What the sandbox answers when it says no, in signal-cli's codes (signal-cli-rpc.md 2.1 and 2.2).

The texts for people are the daemon's own. What Java says of its own insides (-32603) is said here
in plain words, since nobody can build on it.
"""

from __future__ import annotations

from typing import Any, Final

USER: Final = -1
IO: Final = -3
UNTRUSTED_KEY: Final = -4
RATE_LIMIT: Final = -5
PARSE: Final = -32700
INVALID_REQUEST: Final = -32600
UNKNOWN_METHOD: Final = -32601
ACCOUNT: Final = -32602
INTERNAL: Final = -32603

_NO_SOURCE: Final = "\n at [Source: UNKNOWN; byte offset: #UNKNOWN]"


class RpcError(Exception):
    """A JSON-RPC error: the answer to one request."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


class StartFailure(Exception):
    """The daemon cannot start. The text goes to stderr, `exit_code` to whoever waits."""

    def __init__(self, exit_code: int, text: str) -> None:
        super().__init__(text)
        self.exit_code = exit_code


def user_error(message: str) -> RpcError:
    return RpcError(USER, message)


def io_error(message: str) -> RpcError:
    return RpcError(IO, message)


def invalid_request(message: str) -> RpcError:
    return RpcError(INVALID_REQUEST, message)


def internal_error(message: str) -> RpcError:
    return RpcError(INTERNAL, message)


def missing(name: str) -> RpcError:
    """A parameter is absent that the command cannot do without (signal-cli-rpc.md 2.1)."""
    return internal_error(f'"{name}" is missing')


def wrong_type(name: str) -> RpcError:
    """A parameter has a JSON type that the command does not take (signal-cli-rpc.md 2.1)."""
    return internal_error(f'"{name}" has the wrong type')


def not_a_map() -> RpcError:
    """An array of parameters came for a command that takes them by name."""
    return invalid_request("params must be an object")


def unknown_field(name: str, java_class: str, known: tuple[str, ...]) -> RpcError:
    """A typed command, or a request, has a key that it does not know."""
    listing = ", ".join(f'"{each}"' for each in known)
    return invalid_request(
        f'Unrecognized field "{name}" (class {java_class}), not marked as ignorable '
        f"({len(known)} known properties: {listing}]){_NO_SOURCE} "
        f'(through reference chain: {java_class}["{name}"])'
    )


def wrong_property(name: str, wanted: str, found: str) -> RpcError:
    """`params` or `id` of a request has a JSON type it cannot have."""
    request = "org.asamk.signal.jsonrpc.JsonRpcRequest"
    nodes = "com.fasterxml.jackson.databind.node"
    plain = wanted.partition("<")[0]
    return invalid_request(
        f"Problem deserializing property '{name}' (expected type: [simple type, class "
        f"{nodes}.{wanted}]; actual type: `{nodes}.{found}`), problem: Can not set "
        f"{nodes}.{plain} field {request}.{name} to {nodes}.{found}{_NO_SOURCE} "
        f'(through reference chain: {request}["{name}"])'
    )


def not_a_request(kind: str, value: str) -> RpcError:
    """A member of a batch is no object."""
    return invalid_request(
        "Cannot construct instance of `org.asamk.signal.jsonrpc.JsonRpcRequest` (although at least "
        f"one Creator exists): no {kind}-argument constructor/factory method to deserialize from "
        f"{value}{_NO_SOURCE}"
    )
