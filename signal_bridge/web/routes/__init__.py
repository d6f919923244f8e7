"""The views, a module per resource; `surface.py` says which path leads to which."""
