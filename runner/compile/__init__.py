"""One treatment of an experiment → plain data for the host's agent. Pure."""
