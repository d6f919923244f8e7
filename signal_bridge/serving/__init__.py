"""The Gunicorn worker: how many clients share its threads, and none can hold them."""
