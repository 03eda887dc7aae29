"""Receivers of webhooks in the languages of integrators, and what tries them against the real dispatcher."""
