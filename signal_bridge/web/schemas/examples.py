"""What the examples of bodies and answers are made of: the people and things of the sandbox.

An id looks like those that the bridge makes, in full length.
"""

from __future__ import annotations

from typing import Final

ANN: Final = "+12025550100"
BOB: Final = "+12025550101"
UUID: Final = "a0a0a0a0-1111-4222-8333-444444444444"
# The ids of one group, the REST one and signal-cli's own.
GROUP: Final = "group.UG1waStFZlBXbXN4aW9tTGU5TngyWEY5SE9FNDgzcDZpS2lGajY1aU13ST0="
INTERNAL_GROUP: Final = "Pmpi+EfPWmsxiomLe9Nx2XF9HOE483p6iKiFj65iMwI="
INVITE_LINK: Final = (
    "https://signal.group/#CjQKID5qYvhHz1prMYqJi3vTcdlxfRzhOPN6eoiohY-uYjMCEhAAAQIDBAUGBwgJCgsMDQ4P"
)
MS: Final = 1700000000123

REQUEST_ID: Final = "4f2a9c0d1e5b6a77"
LINK_ID: Final = "5c1fXq0V2kTtYp7sZrN3dA"
EVENT_ID: Final = "evt_5c1f0a7be2934d6688d1f0c2a9b47e35"
WEBHOOK_ID: Final = "wh_5c1f0a7be2934d66"
WEBHOOK_SECRET: Final = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDazfFMNTEyNM="  # noqa: S105 - nobody's
DEVICE_LINK_URI: Final = "sgnl://linkdevice?uuid=…&pub_key=…"
# A grey dot, as PNG.
PICTURE_BASE64: Final = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNoAAAAggCB2kUIOwAAAABJRU5ErkJggg=="
)
ATTACHMENT: Final = "6QZ2kqX0Jr8.png"
CHALLENGE_TOKEN: Final = "1f0c…"  # noqa: S105 - nobody's
