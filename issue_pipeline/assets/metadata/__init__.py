"""What the Dagster UI shows of a materialisation. Nothing here steers anything."""
