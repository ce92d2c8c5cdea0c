"""The playable page: what it shows, what its buttons do, and its templates."""
