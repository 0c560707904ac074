"""Pictures of a trained model: samples, traversals, explorer, galleries."""
