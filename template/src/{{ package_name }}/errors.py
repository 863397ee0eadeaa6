"""The errors that people can do something about."""


class DataError(Exception):
    """The data are not what the project was made for; the message says what is wrong."""
