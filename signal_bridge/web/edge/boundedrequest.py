"""A request of which no header and no query costs more to read than it may.

Both are at most some kilobytes, and Werkzeug takes a tenth of a second for 8 KB of spaces in an
`Accept`: its pattern goes back over them again and again.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qsl

from flask import Request
from werkzeug.datastructures import ImmutableMultiDict, MIMEAccept
from werkzeug.http import parse_accept_header
from werkzeug.utils import cached_property

# What browsers send has a fifth of this.
_LONGEST_ACCEPT_CHARACTERS: Final = 1000


class BoundedRequest(Request):
    """Flask's request, but for these."""

    @cached_property
    def accept_mimetypes(self) -> MIMEAccept:
        """The kinds of answer that are asked for; none where nobody can mean them all."""
        text = self.headers.get("Accept", "")
        return parse_accept_header(
            text if len(text) <= _LONGEST_ACCEPT_CHARACTERS else None, MIMEAccept
        )

    @cached_property
    def args(self) -> Any:
        """The parameters of the query, as UTF-8; what is none becomes U+FFFD, as in a body."""
        query = self.query_string.decode(errors="replace")
        return ImmutableMultiDict(parse_qsl(query, keep_blank_values=True, errors="replace"))
