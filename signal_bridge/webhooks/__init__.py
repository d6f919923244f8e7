"""Whom we tell: webhooks, each with its own cursor and its own courier.

registry.py     who is told: made, changed, replayed, listed         (any process)
couriers.py     keeps the couriers in step with the table             (the daemon)
courier.py      store, send, mark; oldest first, one in flight
  ledger.py       what a courier writes down
  payload.py      what is posted
  post.py         one attempt             connecting.py  where it goes
  schedule.py     what an outcome means   addresses.py   where it may go   (both pure)
  signature.py    who signed it           (pure)
"""
