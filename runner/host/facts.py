"""stub"""
def gather() -> dict[str, object]:
    return {}
