"""The REST edge: the table of routes, the views, what they take and answer, and the streams."""
