"""The REST surface, described: OpenAPI 3.1 and, for the peer's users, Swagger 2.0. Pure.

    a route (method, path)            ┐
    its view's docstring              ├→ document.py → /openapi.json → swagger2.py → /swagger/
    its operation (body, answer, …)   ┘

An operation holds an example of its answer, from which `shapes.py` makes the schema of the answer.
"""
