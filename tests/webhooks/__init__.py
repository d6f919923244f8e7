"""Webhooks: the rules as tables, one attempt against real servers, couriers, the routes."""
