"""The Gunicorn worker: heads, turns, crowds, pace, and all of it over real sockets."""
