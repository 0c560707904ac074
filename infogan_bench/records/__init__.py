"""The records that travel from a trial to whoever listens, and the files of a sweep folder."""
