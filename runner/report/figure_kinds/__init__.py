"""What `report.figures` of a spec may ask for, one file each, found by its name."""
