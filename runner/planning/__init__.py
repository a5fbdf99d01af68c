"""What is decided before and between trials: ordered state, order of trials, the search. Pure."""
