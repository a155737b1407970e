"""Lets the tests of the core share their tapes."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
