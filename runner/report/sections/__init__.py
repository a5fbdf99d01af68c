"""The sections of a report, one file each: record in, rows and text out. Pure."""
