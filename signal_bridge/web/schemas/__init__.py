"""The JSON that goes in and out, a module for each resource: `…Body` is read, `…Schema` answered.

    base.py      what reads bodies: their fields, and the peer's rules for JSON
    answers.py   what describes answers, and nothing more
    examples.py  what the examples of both are made of

Bodies are checked and read by their schemas; the description of both is made from them.
"""
