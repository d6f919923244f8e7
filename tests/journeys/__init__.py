"""The bridge as a user meets it: the real `serve`, real Gunicorn, real children, whole journeys."""
