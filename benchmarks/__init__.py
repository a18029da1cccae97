"""Side by side with what people would use instead, as ratios. Never part of the tests."""
