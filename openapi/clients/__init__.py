"""Clients in three languages, made from the description alone and driven through one full exchange."""
