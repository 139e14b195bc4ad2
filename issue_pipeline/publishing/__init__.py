"""From a day's labels to the same day in the live store."""
