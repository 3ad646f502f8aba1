-- The messages of one status, newest first.
CREATE INDEX alert_deliveries_by_status ON alert_deliveries (status, id);
