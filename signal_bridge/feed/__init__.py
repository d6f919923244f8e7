"""The feed: every event of every account in one durable order, and all that reads it.

    signal-cli ── intake ──┐                  ┌── watch: wakes the readers
                           ├──► the table ────┤
    the bridge ── own ─────┘                  └── retention: what is old goes

intake.py          from the connection's reader thread to disk
  envelope.py        a notification, read once and normalised  (pure)
own.py             events that the bridge makes of itself
feed.py            append, and read after a seq; event.py has the values
  query.py           a filter as SQL;  filters.py              (pure)
  watch.py           one reader a process wakes the others
  formats.py         an event as its readers get it            (pure)
cursors.py         how far each reader has got
account_book.py    which accounts there are, and what became of them
retention.py       how long events and received files are kept
  keeping.py         what goes and what stays                  (pure)
  clockwatch.py      whether the wall clock can be believed
  removal.py         events, a batch at a time;  receivedfiles.py
"""
