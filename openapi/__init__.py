"""The description of the API, and what is made of it."""
