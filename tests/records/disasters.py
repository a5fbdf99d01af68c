"""Patterns that take for ever by backtracking, each with a text."""

DISASTERS = [
    (r"(a+)+$", "a" * 30 + "!"),
    (r"(a|aa)+$", "a" * 60 + "!"),
    (r"(.*)*x", "a" * 10_000),
    (r"^(\w+\s?)*$", "word " * 2000 + "!"),
    (r"(a?){30}a{30}", "a" * 29),
]
