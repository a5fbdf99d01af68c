"""Events → estimates → verdicts. Pure: arrays in, frozen values out."""
