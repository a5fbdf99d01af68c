"""What a host is: board, kernel, tools."""
