"""What a design can decide, before any data: durations and chances."""
