"""The error of a dataset that cannot be used."""

from infogan_bench.errors import InputError


class DatasetError(InputError):
    """A dataset cannot be used as given; the message names the file or key, and what was expected."""
