"""What the bridge owes to somebody outside: it is saved, tried, backed off and parked."""
