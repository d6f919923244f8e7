"""signal-cli at work: what has threads, connections or tables, over the vocabulary of signalcli.

gateway           calls, over one shared connection
subscription      receiving, over another one
account_watch     accounts that come, go or are not loaded; loading says when to do what about it
missing_accounts  those that signal-cli is not asked for meanwhile
listing           those that it lists, for many who ask at once
linker            linking to a phone, and link_book what became of each link
"""
