"""Print the HTTP status that the URL given answers with."""

import sys
from urllib.request import urlopen

print(urlopen(sys.argv[1], timeout=30).status)
