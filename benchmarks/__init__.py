"""What is measured against other systems, side by side in one run. Never part of the tests."""
