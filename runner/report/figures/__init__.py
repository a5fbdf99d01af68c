"""Figures as SVG text: the same numbers, the same bytes; legible on light and dark pages."""
