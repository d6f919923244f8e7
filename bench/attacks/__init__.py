"""What hostile clients do, so that it can be shown that they stop nobody else.

    Script   script.py   what one connection does, as a value
    Crowd    crowd.py    so many connections that follow a script, on one thread
    ATTACKS  table.py    every attack: its name, its connections, its script

`python -m bench.attacks` lists them, and runs one against a bridge on this machine.
"""
