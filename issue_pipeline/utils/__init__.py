"""Pure functions: text, URLs, vectors. Nothing here knows Dagster, a database or the network."""
