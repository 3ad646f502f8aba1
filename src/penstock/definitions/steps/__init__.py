"""The steps of a job: its graph laid flat, or its assets in order, with every input traced to its source."""
