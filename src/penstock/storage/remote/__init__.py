"""A storage behind an address: calls with a token of narrow rights instead of the database's credentials."""
