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

The rooms. ">": may import anything to the right; "|" parts rooms that do not know each other.
setup.cfg holds the rule, and tests/rooms sees to it that a breach of any part of it is noticed.

    cli | gunicorn_conf > daemon | wsgi | sandbox > compose > web | duty
        > delivery | session | access | hooks > signalcli | supervisor | rpc | feed | spool
        > store > threads > clock | settings | logs | trustmodes > settingtexts > errors

    Only web knows Flask and marshmallow, and the process of the daemon loads neither.
    Only store knows how SQL is run; feed, delivery and session/link_book.py write statements.
    signalcli, supervisor, rpc and spool know no database.
    signalcli and the modules that setup.cfg calls pure reach no clock, thread, socket or process.
    sandbox uses the pure halves of rpc and nothing else.

    cli             the command line
    gunicorn_conf   how Gunicorn runs the web workers
    daemon | wsgi   the long-lived process | one Gunicorn worker
    sandbox         a signal-cli that needs no Signal account
    compose         puts the parts together
    web             the REST edge, by itself
                    surface > description > routes > streams > edge > schemas > bridge
    duty            what only one daemon of a database does: signal-cli, receiving, delivering
    delivery        whom we tell, in order, until they have taken it
    session         what works with signal-cli: calling it, receiving, linking
    access, hooks   to come
    signalcli       signal-cli's vocabulary: what to call, what it answers, why it refuses
    supervisor      keeps a child alive
    rpc             JSON-RPC over one socket
    feed            what signal-cli told us: the feed, its readers' cursors, the accounts
    spool           directories that live as long as their request
    store           one engine, all tables; units of work, leases, bells, migrations
    threads         the loop of every long-lived thread
"""

__version__ = "0.1.0"
