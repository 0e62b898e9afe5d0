"""What clients of the tests trust: to read the certificates takes longer than most tests."""

import ssl

# Read once for all of them.
TLS = ssl.create_default_context()
