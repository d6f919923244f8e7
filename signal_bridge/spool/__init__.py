"""Files on their way to signal-cli, and what keeps large ones out of memory."""
