"""Every view of the surface with its body, query and answer, a module per part of it."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.description.operation import Operations
from signal_bridge.web.description.operations import accounts, bridge, messages, people, receiving
from signal_bridge.web.routes import documentation

OPERATIONS: Final[Operations] = {
    **bridge.OPERATIONS,
    **accounts.OPERATIONS,
    **messages.OPERATIONS,
    **receiving.OPERATIONS,
    **people.OPERATIONS,
}

# The viewer's own files: part of the surface, and nothing that a program asks for.
NOT_DESCRIBED: Final = (documentation.viewer_file, documentation.swagger)
