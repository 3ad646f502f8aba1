"""What users write: ops, jobs, assets, resources, schedules and sensors, and their description as records."""
