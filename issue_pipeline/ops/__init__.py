"""Commands and parts for whoever runs the pipeline: one day, a backup, a run launcher."""
