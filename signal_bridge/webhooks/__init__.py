"""Whom we tell: webhooks, each with its own cursor and its own courier.

registry.py   who is told: made, changed, replayed, listed        (any process)
courier.py    store, send, mark; oldest first, one in flight       (the daemon)
  ledger.py     what a courier writes down
  post.py       one attempt            addresses.py  where it may connect to
  schedule.py   what an outcome means  signature.py  who signed it     (both pure)
"""
