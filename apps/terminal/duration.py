"""Times as people read them."""


def format_duration(seconds: float) -> str:
    """Formats a time: `8 s`, `2:05` or `1:02:05`."""
    whole = round(seconds)
    if whole < 100:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
