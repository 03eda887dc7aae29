"""HTTP out: claim, sign, post, record."""
