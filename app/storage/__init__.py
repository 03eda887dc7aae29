"""Every table and query, the embedded database, and the sealing of personal data."""
