"""Programs for the host agent, sent over a transport, and what came back of them."""
