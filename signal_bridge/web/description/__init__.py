"""The REST surface, described: OpenAPI 3.1 and, for the peer's users, Swagger 2.0. Pure.

    a route (method, path)            ┐
    its view's docstring              ├→ document.py → /openapi.json → swagger2.py → /swagger/
    its operation (body, answer, …)   ┘

Bodies and answers are marshmallow's schemas (`web/schemas`), of which `contents.py` makes JSON
schemas and examples.
"""
