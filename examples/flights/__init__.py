"""All flights that departed New York City in 2013: from raw tables to a report."""
