"""Signal Bridge gives programs a Signal account.

Three journeys explain the package. docs/architecture.rst walks them step by step, and says where a
new route, setting, table or kind of event goes.

1. A request.       web/surface.py has the route; its view in web/routes/ reads the body with a
                    schema (web/edge/inputs.py, web/schemas/), signalcli/ makes a call of it,
                    session/gateway.py runs it (one Deadline), rpc/client.py registers a waiter,
                    then writes a line; the reader thread settles the id. signalcli/refusals.py
                    names a refusal; web/edge/problems.py gives every error a status and a body.
2. An inbound       socket -> rpc/client.py reader -> feed/intake.py -> feed/feed.py (committed)
   message.         -> store/bells.py -> feed/watch.py wakes whom it concerns
                    -> delivery/webhooks/courier.py -> delivery/webhooks/post.py; or it is read from
                    a cursor: web/streams/polling.py, websocket.py, sse.py.
3. The child.       duty.py starts supervisor/; each change of state is put on the status board,
                    where web/routes/health.py reads it, and session/subscription.py receives
                    whenever signal-cli answers.

The rooms. ">": may import anything to the right; "|" parts rooms that do not know each other.
setup.cfg holds the rule, and tests/rooms sees to it that a breach of any part of it is noticed.

    cli | gunicorn_conf > daemon | wsgi | sandbox > compose > web | duty | serving
        > delivery | session | access | hooks > signalcli | supervisor | rpc | feed | spool
        > store > threads > clock | settings | logs | trustmodes | gunicorn_parts
        | clientaddress | jsonlimits
        > settingtexts | peersettings > errors

    Only web knows Flask and marshmallow, and the process of the daemon loads neither.
    Only store knows how SQL is run; feed, delivery and session/link_book.py write statements.
    signalcli, supervisor, rpc and spool know no database.
    signalcli and the modules that setup.cfg calls pure reach no clock, thread, socket or process.
    sandbox uses the pure halves of rpc, the media types, and nothing else.

    cli             the command line
    gunicorn_conf   how Gunicorn runs the web workers
    daemon | wsgi   the long-lived process | one Gunicorn worker
    sandbox         a signal-cli that needs no Signal account
    compose         builds the parts, for the daemon and for a worker
    web             the REST edge, by itself
                    app > surface > routes | operations > streams > edge > description > route
                        > schemas > bridge
    serving         the Gunicorn worker: no client holds its threads
    duty            what only one daemon of a database does: signal-cli, receiving, delivering
    delivery        whom we tell, in order, until they have taken it
    session         what works with signal-cli: calling it, receiving, linking
    access, hooks   to come
    signalcli       signal-cli's vocabulary: what to call, what it answers, why it refuses
    supervisor      keeps a child alive
    rpc             JSON-RPC over one socket
    feed            what signal-cli told us: the feed, its readers' cursors, the accounts
    spool           files on their way to signal-cli
    store           one engine, all tables; units of work, leases, bells, migrations
    threads         the loop of every long-lived thread
    gunicorn_parts  what Gunicorn does not document and the bridge needs all the same
    clientaddress   whose a request is, behind proxies too
    jsonlimits      how large a JSON text may be in all but its strings
    peersettings    variables of signal-cli-rest-api that mean nothing here
"""

__version__ = "0.1.0"
