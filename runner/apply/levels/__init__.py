"""What varies between blocks: layouts of programs, boots of boards."""
