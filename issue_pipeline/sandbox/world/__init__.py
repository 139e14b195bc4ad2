"""What the simulated sources have to tell: a synthetic world, or real posts dealt onto days."""
