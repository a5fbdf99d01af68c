"""The record of a run as Markdown, SVG and HTML. Pure: the same record, the same bytes."""
