"""What Jackson, the JSON library of signal-cli, says of what it cannot take. Pure.

Word for word, because the tests beside the real signal-cli compare it (signal-cli.rst 1.3); but
for the place in its buffer, which is nobody's contract.
"""

from __future__ import annotations

from typing import Any, Final

from signal_bridge.rpc.requests import MEMBERS, Wording

_SOURCE: Final = "\n at [Source: UNKNOWN]"
_REQUEST: Final = "org.asamk.signal.jsonrpc.JsonRpcRequest"
_NODES: Final = "com.fasterxml.jackson.databind.node"
_VALUES: Final = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
_WANTED: Final = {"id": "ValueNode", "params": "ContainerNode<java.lang.Object>"}
_FOUND: Final = {
    bool: "BooleanNode",
    int: "IntNode",
    float: "DoubleNode",
    str: "TextNode",
    list: "ArrayNode",
    dict: "ObjectNode",
}


def unrecognized_token(token: str) -> str:
    """A line is no JSON from `token` on."""
    return f"Unrecognized token '{token}': was expecting {_VALUES}{_SOURCE}"


def unknown_field(name: str, java_class: str = _REQUEST, known: tuple[str, ...] = MEMBERS) -> str:
    """A request, or the parameters of a typed command, have a key that `java_class` does not."""
    listing = ", ".join(f'"{each}"' for each in known)
    return (
        f'Unrecognized field "{name}" (class {java_class}), not marked as ignorable '
        f"({len(known)} known properties: {listing}]){_SOURCE} "
        f'(through reference chain: {java_class}["{name}"])'
    )


def wrong_value(name: str, value: Any) -> str:
    """`params` or `id` of a request has a JSON type it cannot have."""
    wanted, found = _WANTED[name], _FOUND[type(value)]
    return (
        f"Problem deserializing property '{name}' (expected type: [simple type, class "
        f"{_NODES}.{wanted}]; actual type: `{_NODES}.{found}`), problem: Can not set "
        f"{_NODES}.{wanted.partition('<')[0]} field {_REQUEST}.{name} to {_NODES}.{found}{_SOURCE} "
        f'(through reference chain: {_REQUEST}["{name}"])'
    )


def number_for_request(number: int) -> str:
    """A member of a batch is a number."""
    return (
        f"Cannot construct instance of `{_REQUEST}` (although at least one Creator exists): no "
        "int/Int-argument constructor/factory method to deserialize from "
        f"Number value ({number}){_SOURCE}"
    )


WORDING: Final = Wording(unknown_field, wrong_value)
