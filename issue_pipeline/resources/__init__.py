"""The outside world: APIs, models, the database file and the live store."""
