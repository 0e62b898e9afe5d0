"""A body is JSON in UTF-8, and its media type may say nothing else."""

import pytest

from app.api.http.strict_body import check_json
from app.errors import MediaTypeError


def check(media_type: str) -> None:
    """Check a small body of that type."""
    check_json({"headers": [(b"content-type", media_type.encode())]}, b"{}")


@pytest.mark.parametrize(
    "parameters",
    ["charset=latin-1", "charset=latin-1; x=utf-8", "charset=utf-8; charset=utf-16", "charset"],
)
def test_other_charset_is_refused(parameters: str) -> None:
    """The charset itself counts, not what another parameter says."""
    with pytest.raises(MediaTypeError):
        check(f"application/json; {parameters}")


@pytest.mark.parametrize("parameters", ["", ";", "; charset=utf-8", ' ; Charset="UTF-8"', "; x=y"])
def test_utf8_and_other_parameters_are_taken(parameters: str) -> None:
    """In any case, quoted or not."""
    check(f"application/json{parameters}")
