"""What makes the demo, the tests and the UI real without the internet."""
