"""The sweep folder: its files, its lock, its checkpoints."""
