"""The command lines of the benches: `--help` says what is measured, and starts nothing."""

from argparse import ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter


def command_line(name: str, description: str | None) -> ArgumentParser:
    """A parser for `python -m <name>` that shows the module's docstring and refuses the unknown."""
    return ArgumentParser(
        prog=f"python -m {name}",
        description=description,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def positive(text: str) -> int:
    """A whole number above zero; ArgumentTypeError otherwise."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"not a whole number above zero: {text!r}")
    return int(text)
