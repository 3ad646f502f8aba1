"""Storage measured beside the peer, on SQLite and on Postgres: appending, pages of a long history, bytes."""
