"""Side by side with what people would use instead, as ratios from one run. Never part of the tests."""
