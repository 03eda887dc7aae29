"""HTTP in: translate, call, translate."""
