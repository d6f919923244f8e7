"""The bridge on the real signal-cli, against a mock of the Signal service: `make e2e`.

    agent/     a Java agent that sends signal-cli to the mock and lets it go nowhere else
    mock/      the service and the telephones, in Node, around the package @signalapp/mock-server
    parts.py   installs and compiles both into .e2e/
    mock.py    starts the service; a Phone is told what to do and says what it received
    measure.py how long a message takes, both ways: `python -m tests.e2e.measure`
    heard.py   what arrived, at the bridge or on a phone, in one shape
    bare.py    the machine it runs on brings neither a locale nor a table of media types
    world.py   one interface to the real thing (real_world.py) and to the sandbox
               (sandbox_world.py), so that both run the same tests

Nothing here is part of the product, and nothing leaves this machine: the agent ends the JVM when
an address is not loopback, or when libsignal's own network code is about to be used, which no
address can send elsewhere. BRIDGE_SIGNAL_CLI names another signal-cli to test: a release with its
jars. From 0.13.20 on signal-cli chats through that code, so the agent ends a stock one there.
"""
