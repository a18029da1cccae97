"""Learning a vocabulary, training a model, measuring it, and writing it down."""
