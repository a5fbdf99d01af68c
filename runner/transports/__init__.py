"""How a process is started on a host and its bytes are carried: local, ssh, fake."""
