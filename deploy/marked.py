"""Documents of which a part is written by a command: it stands between two marks, which stay."""


def put_between(text: str, written: str, *, begin: str, end: str) -> str:
    """Put what a command has written between the marks of a document; raises ValueError without them."""
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"the document has no place for what is written: {begin} and {end}")
    return f"{before}{begin}\n{written}{end}{after}"
