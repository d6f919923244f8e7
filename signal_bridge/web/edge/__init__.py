"""What surrounds every view: reading a request, and what becomes of an error."""
