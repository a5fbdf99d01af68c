"""What crosses between the stages, as types: the lowest floor of the controller. Pure."""
