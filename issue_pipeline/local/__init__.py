"""Services that run beside the pipeline on this machine: PocketBase, a small language model."""
