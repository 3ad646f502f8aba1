-- What is too old is found for each schedule and sensor, by how its ticks ended.
CREATE INDEX ticks_by_age ON ticks (instigator, status, started);
