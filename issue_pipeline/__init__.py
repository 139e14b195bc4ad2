"""Find, group, label and publish the problems that people report, every day."""
