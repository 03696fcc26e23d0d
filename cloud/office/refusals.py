"""Why headquarters does not do what a person asked.

OfficeError
├── UnknownError    what it names does not exist
├── ConflictError   what is there already forbids it
├── ForbiddenError  it is another person's to do
└── InvalidError    a field does not hold what it may hold
"""


class OfficeError(Exception):
    """An act that is not done; the message says what to do instead.

    Attributes:
        field: what of the request it is about.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class UnknownError(OfficeError):
    """What the request names does not exist."""


class ConflictError(OfficeError):
    """What is there already forbids it."""


class ForbiddenError(OfficeError):
    """It is another person's to do."""


class InvalidError(OfficeError):
    """A field does not hold what it may hold."""
