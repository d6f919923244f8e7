"""Signal Bridge gives programs a Signal account.

Three journeys explain the package.

1. A request.       web/routes/* (schema in) -> signalcli/gateway.py (one Deadline)
                    -> rpc/client.py (waiter registered, then the line written) -> socket;
                    the reader thread settles the id; signalcli/refusals.py names a refusal;
                    web/edge/problems.py gives it a status and a body.
2. An inbound       socket -> rpc/client.py reader -> feed/intake.py -> feed/store.py
   message.         (committed) -> store/bells.py -> feed/watch.py wakes whom it concerns
                    -> webhooks/courier.py -> webhooks/post.py; or read from a cursor
                    by web/routes/receive.py: polling, web/streams/websocket.py, web/streams/sse.py.
3. The child.       duty.py starts supervisor/; each change of state is recorded so that
                    web/routes/health.py can show it, and signalcli/subscription.py receives
                    whenever signal-cli answers.

The rooms, each of which may import those below it (setup.cfg, a test holds it):

    cli             the command line
    daemon | wsgi   the long-lived process | one Gunicorn worker, each put together from the rest
    duty            what only one daemon of a database does: signal-cli, receiving, delivering
    web             the REST edge; web/routes/__init__.py lists the whole surface
    signalcli       signal-cli's vocabulary: what to call, what it answers, why it refuses
    webhooks        whom we tell, in order, until they have taken it
    supervisor      keeps a child alive
    rpc             JSON-RPC over one socket
    feed           what signal-cli told us: the feed, its readers' cursors, the accounts
    store           one engine, all tables; units of work, leases, bells, migrations
    threads         the loop of every long-lived thread
    clock | settings | logs | trustmodes, settingtexts, errors

    sandbox         a signal-cli that needs no Signal account; stands alone
"""

__version__ = "0.1.0"
