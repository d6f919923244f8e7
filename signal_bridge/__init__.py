"""Signal Bridge gives programs a Signal account.

Three journeys explain the package.

1. A request.       web/routes/* (schema in) -> signalcli/gateway.py (one Deadline)
                    -> rpc/client.py (waiter registered, then the line written) -> socket;
                    the reader thread settles the id; signalcli/refusals.py names a refusal;
                    web/problems.py gives it a status and a body.
2. An inbound       socket -> rpc/client.py reader -> inbox/intake.py -> inbox/store.py
   message.         (committed), then read by whoever asks, from a cursor.
3. The child.       daemon.py starts supervisor/; each change of state is recorded so that
                    web/routes/health.py can show it, and *running* opens the receive connection.
"""

__version__ = "0.1.0"
