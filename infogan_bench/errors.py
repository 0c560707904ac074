"""The one kind of error that a user can mend: the CLI prints it on one line and exits with code 2."""


class InputError(ValueError):
    """Something the user gave (a file, a key, an argument) is wrong; the message says what was expected."""
