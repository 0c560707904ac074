"""A sweep folder and a trained model in Python."""
