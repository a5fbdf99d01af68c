"""What a program printed: its last JSON object (`stdout.json.a.b`), or a pattern of it."""

from __future__ import annotations

from runner.kinds.sources._text import Stream

PARSER = Stream("stdout")
