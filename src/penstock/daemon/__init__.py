"""The daemon: one `Loop`, and one duty a file. Any number of daemons may run on one instance."""
