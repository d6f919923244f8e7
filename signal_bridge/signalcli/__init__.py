"""signal-cli's vocabulary: what to call, what it answers, why it refuses. Pure."""
