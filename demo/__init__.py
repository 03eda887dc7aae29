"""The demonstration: the whole service, a receiver for each agency, and every worked case over HTTP."""
