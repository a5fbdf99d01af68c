"""What a controller may ask for, one program a file."""
