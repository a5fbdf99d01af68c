"""Events of one trial to steps with numbers and outcomes. Pure."""
