"""zenpy, a client of Zendesk that others wrote, takes our double for Zendesk.

Installed from PyPI into an environment of its own and run as it is (GPL-3; nothing is copied, and
no process of ours imports it).
"""

import json
import os
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.doubles.server import serving
from tests.doubles.zendesk_double import ZendeskDouble
from tests.doubles.zendesk_state import BOT, CUSTOMER, PERSON
from tests.real_world.environments import NotInstalledError, environment_of

HERE = Path(__file__).parent
VERSION = "zenpy==2.0.57"
RUN = """
import json, sys
sys.path.insert(0, sys.argv[1])
from zenpy_script import main
print(json.dumps(main(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))))
"""


@pytest.mark.real_world
def test_zenpy_takes_the_double_for_zendesk() -> None:
    """It reads, creates, answers, collides, tags, lists by pages and deletes, all as it expects."""
    try:
        python = environment_of(VERSION)
    except NotInstalledError as error:
        pytest.skip(str(error))
    double = ZendeskDouble()
    for number in range(130):
        given = {"subject": f"No. {number}", "comment": {"body": "Hello."}}
        double.create(CUSTOMER, given)
    with serving(double.app) as url:
        run = subprocess.run(
            [python, "-c", RUN, HERE, double.grant(BOT), str(CUSTOMER), str(PERSON)],
            env={
                **os.environ,
                "ZENPY_FORCE_SCHEME": "http",
                "ZENPY_FORCE_NETLOC": urlsplit(url).netloc,
                "NO_PROXY": "127.0.0.1",
            },
            capture_output=True,
            timeout=120,
            check=False,
        )
    assert run.returncode == 0, run.stderr.decode()[-2000:]
    assert json.loads(run.stdout) == {
        "me": ["deskgraph", "agent"],
        "made": ["Help", CUSTOMER, "new"],
        "audit": ["Audit", BOT, "pending"],
        "types": ["Comment", "Change", "Change"],
        "collision": [409, "UpdateConflict"],
        "tags": ["refund", "vip"],
        "comments": [["It fails.", True], ["Try again.", True]],
        "authors": ["deskgraph", "deskgraph"],
        "audits": [BOT, BOT, BOT],
        "groups": ["Support", "Finance"],
        "tickets": 131,
        "user": True,
        "deleted": 404,
    }
