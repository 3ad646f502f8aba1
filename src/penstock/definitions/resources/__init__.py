"""Resources and IO managers."""
