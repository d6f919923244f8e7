"""Whom we tell: webhooks, each with its own cursor and its own courier.

registry.py     who is told: made, changed, replayed, listed         (any process)
trials.py       tried at once, while a caller waits                   (any process)
couriers.py     keeps the couriers in step with the table             (the daemon)
dispatcher.py   turns for all of them on a few threads
  fairqueue.py    whose turn is next
courier.py      store, send, mark; oldest first, one in flight
  backlog.py      what is still to be told
  payload.py      what is posted
  posters.py      connections kept open
  post.py         one attempt             connecting.py  where it goes
  schedule.py     what an outcome means   addresses.py   where it may go   (both pure)
                                          ownaddresses.py  where it would meet itself
  progress.py     what it makes of a webhook             (pure)
  signature.py    who signed it           (pure)
scribe.py       writes down what couriers have done, many at once
  ledger.py       into the tables
"""
