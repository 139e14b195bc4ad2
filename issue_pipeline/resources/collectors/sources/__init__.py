"""The built-in sources: for each its settings, and how one of its days is collected."""
