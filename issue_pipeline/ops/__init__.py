"""Running it: one day by hand, a backup of the database, the run launcher of the daemon."""
