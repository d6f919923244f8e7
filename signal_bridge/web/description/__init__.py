"""The REST surface, described: OpenAPI 3.1 and, for the peer's users, Swagger 2.0.

    SURFACE (method, path, view)  ┐
    the view's docstring          ├→ document.py → /openapi.json → swagger2.py → /swagger/doc.json
    OPERATIONS (body, answer …)   ┘

`operations.py` says of each view what its signature cannot: the schema of its body, its query,
and an example of its answer, from which `shapes.py` makes the schema of the answer.
"""
