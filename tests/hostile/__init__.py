"""Hostile clients beside honest ones: whoever is honest is answered, and a stop ends it all.

What the hostile ones do stands in bench/attacks, or in hands.py where it is one request.
"""
