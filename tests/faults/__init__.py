"""What happens when something breaks while messages come: nothing is lost.

    source.py      a signal-cli that keeps what it could not hand over
    consumers.py   everybody who can read the feed, each of whom comes back when cut off

A WebSocket client that stops reading is in tests/streams/test_websocket.py.
"""
