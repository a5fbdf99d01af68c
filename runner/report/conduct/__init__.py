"""How a run was conducted: what varied, what else the host did."""
