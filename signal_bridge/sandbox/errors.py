"""What the sandbox answers when it says no, in signal-cli's codes and words.

The texts are the daemon's own (signal-cli-rpc.md 2.1 and 2.2), Java class names included, because
clients look at them.
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


def internal_error(message: str, java_class: str) -> RpcError:
    return RpcError(INTERNAL, f"{message} ({java_class})")


def unexpected(message: str) -> RpcError:
    return internal_error(message, "UnexpectedErrorException")


def null_pointer(message: str = "null") -> RpcError:
    return internal_error(message, "NullPointerException")


def missing_identifier() -> RpcError:
    """A needed recipient is absent."""
    return null_pointer('Cannot invoke "String.startsWith(String)" because "identifier" is null')


def missing_input() -> RpcError:
    """A needed URI is absent."""
    return null_pointer('Cannot invoke "String.length()" because "this.input" is null')


def missing_number(java_class: str, name: str) -> RpcError:
    """A needed number is absent. `java_class` is Long or Integer."""
    call = "longValue" if java_class == "Long" else "intValue"
    return null_pointer(f'Cannot invoke "java.lang.{java_class}.{call}()" because "{name}" is null')


def class_cast(value: Any, wanted: str) -> RpcError:
    """A parameter has a JSON type that the accessor does not take (signal-cli-rpc.md 2.1)."""
    found = java_class_of(value)
    loader = f"{found} and {wanted} are in module java.base of loader 'bootstrap'"
    text = f"class {found} cannot be cast to class {wanted} ({loader})"
    return internal_error(text, "ClassCastException")


def java_class_of(value: Any) -> str:
    """The class Jackson makes of a JSON value."""
    if isinstance(value, bool):
        return "java.lang.Boolean"
    if isinstance(value, int):
        return _java_integer(value)
    names = {str: "lang.String", float: "lang.Double", list: "util.ArrayList"}
    return f"java.{names.get(type(value), 'util.LinkedHashMap')}"


def _java_integer(value: int) -> str:
    if -(2**31) <= value < 2**31:
        return "java.lang.Integer"
    return "java.lang.Long" if -(2**63) <= value < 2**63 else "java.math.BigInteger"


def not_a_map() -> RpcError:
    return invalid_request(
        "Cannot deserialize value of type `java.util.LinkedHashMap<java.lang.String,"
        f"java.lang.Object>` from Array value (token `JsonToken.START_ARRAY`){_NO_SOURCE}"
    )


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
