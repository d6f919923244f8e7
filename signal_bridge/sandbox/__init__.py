"""A small Signal network in memory, behind signal-cli's own command line and JSON-RPC.

The sandbox lets people try the bridge, or test a bot, without a phone number. It takes the flags of
signal-cli, listens where that would listen, and answers as that would: as 0.14.6, or with `--as
0.13.19` as that one. Nothing leaves the machine, and nothing but attachments and
`data/accounts.json` is kept after it ends.

    python -m signal_bridge.sandbox -c DIR daemon --socket /tmp/s.sock --receive-mode manual

Flags that only the sandbox has; a bridge takes them from BRIDGE_SANDBOX_FLAGS
    ============================== ==================================================
    --as 0.13.19 | 0.14            which signal-cli it is; `versions` has what differs
    --offline-for SECONDS          there is no network yet: no account can be loaded,
                                   linked or registered
    --unloadable NUMBER[=SECONDS]  an account that cannot be loaded, until then or ever;
                                   may be given several times
    --outdated                     Signal does not take this version any more
    ============================== ==================================================
    0.13 ends when an account cannot be loaded. 0.14 goes on, and tries again whenever the account
    is asked for; that takes a second, in which no other account can be asked for.

Who lives here
    ============================== ==================================================
    +12025550100 … +12025550103    accounts of this daemon: Alice, Bob, Carol and Dave,
                                   usernames `alice.01`, `bob.01`, `carol.01`, `dave.01`
    +12025550123                   the echo robot: sends each text back, and picks up when
                                   it is called
    +12025550140 …                 numbers that `finishLink` hands out; linking "scans"
                                   by itself about a second after `startLink`
    any other number               unregistered, until `register` and `verify`, or until an
                                   account changes to it
    ============================== ==================================================

Magic numbers: sending to them fails as Signal fails
    ============================== ==================================================
    +12025550190                   is not registered (UNREGISTERED_FAILURE)
    +12025550191                   changed its safety number: IDENTITY_FAILURE until `trust`
                                   (with `--trust-new-identities always` it never fails)
    +12025550192                   RATE_LIMIT_FAILURE with a challenge token, until
                                   `submitRateLimitChallenge` with that token
    +12025550193                   RATE_LIMIT_FAILURE, no token, in 0.14 with
                                   `retryAfterSeconds` 60
    +12025550194                   takes five seconds, then succeeds
    +12025550195                   NETWORK_FAILURE
    +12025550196                   INVALID_PRE_KEY_FAILURE
    +12025550197                   the whole call breaks: -32603, connection reset
    +12025550198                   is invited to a group, not added, and accepts a second later
    ============================== ==================================================
    An account that was unregistered and is registered again has new keys: those who knew it do not
    trust them. One that another has forgotten (`removeContact`) has to be invited by that one; it
    accepts by `updateGroup`, and declines by `quitGroup`.

Magic registrations, and changes of a number
    ============================== ==================================================
    +12025550180                   `register` demands a captcha (any but `wrong` will do)
    +12025550181                   `register` is rate limited
    +12025550182                   `verify` is locked with the PIN 1234
    code 000-000                   is the wrong code for every number
    captcha `wrong`                is rejected, by `submitRateLimitChallenge`, too
    ============================== ==================================================

One request, in the order of the modules
    `connection` reads a line, `protocol` its JSON, `rpc.requests` says what is asked for,
    `dispatcher` finds the method in `methods`, and the account through `loading`; a function in
    that folder does the work with `sending`, `groups`, `telephone` and `network`; `mailbox` keeps
    what arrives until `deliveries` hands it to the subscribers, as `call_events` does with calls.

Where it differs from signal-cli on purpose: no `--http` and no D-Bus, no copy of received messages
on stdout, no sync transcripts to other devices, `getAttachment` cannot leave its directory, a UUID
that nobody has cannot become a contact, a bare CR ends no line, calls have no sound and need no
program for it, an account that cannot be loaded cannot be registered anew either, and what Java
says of its own insides is said in plain words, under the same code.
"""
