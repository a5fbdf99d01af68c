"""What a generator says that it never gives, against a good step of the real one."""

from fnmatch import fnmatchcase

from runner.kinds.units import CLOSED

BESIDE = {"connections", "established", "unanswered", "cpu", "cpu_s", "hosts", "errors.local"}
"""What the host counts, whatever the generator."""


def lacking(found, *, errors=()):
    """Names that a good step has no number for; `errors` are there only where there is one."""
    return {
        name
        for name in CLOSED["load"]
        if name not in BESIDE and name not in errors and found.numbers.get(name) is None
    }


def declared(kind, *, errors=()):
    return {
        name
        for name in CLOSED["load"]
        if name not in BESIDE
        and name not in errors
        and any(fnmatchcase(name, one) for one in kind.lacks)
    }
