"""Words are stemmed alike, however many threads ask at once."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from graphs.text.tokens import stem

BEGINS = "refund charg subscrib upload organis happi".split()
ENDS = "ing ed ation ations fulness ically ement ly s er".split()
WORDS = [begin + end for begin in BEGINS for end in ENDS]


@pytest.fixture
def busy_threads() -> Iterator[ThreadPoolExecutor]:
    """Threads that are switched at every chance."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    with ThreadPoolExecutor(4) as threads:
        yield threads
    sys.setswitchinterval(before)


def test_threads_do_not_stem_into_each_others_words(busy_threads: ThreadPoolExecutor) -> None:
    """Each gets what one alone would have got."""
    alone = [stem(word) for word in WORDS]
    for _ in range(20):
        stem.cache_clear()
        for found in busy_threads.map(lambda _: [stem(word) for word in WORDS], range(4)):
            assert found == alone
