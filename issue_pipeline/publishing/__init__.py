"""Bring the live store to what gold says of a day: plan, record ids, sync state, sync."""
