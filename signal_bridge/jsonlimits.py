"""How large a JSON text may be in everything but its strings. Pure.

Of a few bytes of structure Python, or signal-cli, makes a hundred times as many in memory; so what
is bounded is what they cost, and before they are read.
"""
