"""Speed measured beside the peer, in one run, as a ratio. `make bench` runs all of it."""
