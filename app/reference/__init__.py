"""The shipped reference data, and its readers."""
