"""A route, and everything that is true of it: the surface is a table of these."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from marshmallow import fields

from signal_bridge.web.schemas.answers import Answer
from signal_bridge.web.schemas.base import BodySchema, Flag, LongText, Text, Texts, Whole

TEXT: Final = {"type": "string"}
WHOLE: Final = {"type": "integer"}
FLAG: Final = {"type": "string", "enum": ["false", "true"], "default": "false"}
TEXTS: Final = {"type": "array", "items": TEXT}
BYTES: Final = {"type": "string", "format": "binary"}
TEXT_STREAM: Final = {"text/event-stream": {"schema": TEXT}}
PICTURE: Final = {"image/*": {"schema": BYTES}}


class Needs(enum.Flag):
    """What a request needs to be answered, hence how it can fail."""

    NOTHING = 0
    SIGNAL_CLI = enum.auto()
    STORE = enum.auto()
    ROOM = enum.auto()  # on the disk
    PLACE = enum.auto()  # among the streams


@dataclass(frozen=True)
class Query:
    """A query parameter."""

    name: str
    schema: Mapping[str, Any]
    description: str
    required: bool = False


@dataclass(frozen=True)
class Body:
    """A JSON body: what it is checked by and an example that works in the sandbox."""

    schema: BodySchema | Mapping[str, Any]
    example: Mapping[str, Any]
    required: bool = True
    # the same as multipart/form-data, as a JSON schema
    form: Mapping[str, Any] | None = None


def form_of(schema: BodySchema, **files: Mapping[str, Any]) -> dict[str, Any]:
    """The same as a form, in which all is text (edge/forms.py), and the parts that are files."""
    texts = dict(_form_field(name, part) for name, part in schema.fields.items())
    return {"type": "object", "properties": {**texts, **files}}


def _form_field(name: str, part: fields.Field[Any]) -> tuple[str, dict[str, Any]]:
    about = {key: text for key, text in part.metadata.items() if key == "description"}
    if isinstance(part, Texts):
        return f"{name}[]", {**TEXTS, **about}
    if isinstance(part, Flag):
        return name, {**FLAG, "default": str(part.load_default).lower(), **about}
    if isinstance(part, Whole):
        return name, {**WHOLE, **about}
    if isinstance(part, (Text, LongText)):
        return name, {**TEXT, **about}
    return name, {**TEXT, "contentMediaType": "application/json", **about}


@dataclass(frozen=True)
class Outcome:
    """A further way for a request to end: what that means, and the JSON that says so, if any."""

    description: str
    answer: Answer | None = None


@dataclass(frozen=True)
class Operation:
    """What the description says of one view.

    `status` and `answer` are of its success; `content` has answers to it that are not JSON, by
    media type. `outcomes` are those beside the success that are this view's own, `failures` the
    statuses beyond those that `needs` and the request itself bring with them. `beyond_peer`:
    signal-cli-rest-api does not have it.
    """

    status: int = 200
    answer: Answer | None = None
    body: Body | None = None
    query: Sequence[Query] = ()
    content: Mapping[str, Any] = field(default_factory=dict)
    outcomes: Mapping[int, Outcome] = field(default_factory=dict)
    failures: Sequence[int] = ()
    needs: Needs = Needs.SIGNAL_CLI
    beyond_peer: bool = False


class Route(NamedTuple):
    """A method and a path, the view that serves them, and what there is to say of it.

    `<maybe:…>` in a path may be empty (rest-surface.rst 1.1). Without an operation a route is not
    described: it is nothing that a program asks for. What else is true of a route is a field here
    as well.
    """

    method: str
    path: str
    view: Callable[..., Any]
    operation: Operation | None = None

    @property
    def resource(self) -> str:
        """What the route is about: the name of the view's module."""
        return self.view.__module__.rpartition(".")[2]
