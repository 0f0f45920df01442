"""Errors by who must act: each carries what happened, where, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class KpddError(Exception):
    """Base of every failure that is explained to a person in one sentence and a hint."""

    # what a command that ends with it gives back
    exit_status = 1

    def __init__(self, message: str, hint: str = "", where: str = "") -> None:
        """Keep `message` (what happened), `hint` (what to do) and `where` (file, line, row) apart."""
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.where = where

    def __str__(self) -> str:
        """Return the three parts as one readable sentence."""
        parts = [f"{self.where}: {self.message}" if self.where else self.message]
        if self.hint:
            parts.append(self.hint)
        return " ".join(parts)


class ConfigError(KpddError):
    """The user changes a setting or an argument."""


class ArgumentError(ConfigError):
    """An argument of a command is wrong; nothing was begun."""

    exit_status = 2


@contextmanager
def of_arguments() -> Iterator[None]:
    """Have a ConfigError of this block be an ArgumentError: it judges what was typed, before anything begins.

    >>> with of_arguments():
    ...     raise ConfigError("0 paths are none.")
    Traceback (most recent call last):
    training_backend.errors.ArgumentError: 0 paths are none.
    """
    try:
        yield
    except ConfigError as error:
        raise ArgumentError(error.message, error.hint, error.where) from error


class TeacherError(KpddError):
    """The provider, the key or the recording of a teacher is at fault."""


class StoreError(KpddError):
    """The project file cannot be read or written: disk, lock, damage, newer version."""


class CheckpointError(KpddError):
    """A student's folder is incomplete or does not fit."""


class DatasetError(KpddError):
    """A file or rows of it cannot be used; `where` names file and line or row."""
