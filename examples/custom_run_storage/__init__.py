"""A run storage of one's own: runs in Redis, everything else where `storage` says."""
