"""The bridge over the real signal-cli. Without a network: what works without Signal's servers."""
