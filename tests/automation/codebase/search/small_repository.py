"""A small repository to search, with code, tests and documentation."""

from __future__ import annotations

from pathlib import Path

FILES = {
    "shop/prices.py": '''"""What things cost."""

DISCOUNT_PERCENT = 10


class PriceList:
    """Prices of all articles, in cents."""

    def total(self, basket: list[str]) -> int:
        """Add up what a customer pays at the till.

        Parameters
        ----------
        basket : list of str
            Names of the articles.
        """
        return sum(self.cents[name] for name in basket)


def parse_amount(text: str) -> int:
    """Turn words such as ``2.50`` into a whole number of cents."""
    if not text:
        raise ValueError("an empty amount cannot be read")
    return round(float(text) * 100)


def _round_up(cents: int) -> int:
    return -(-cents // 5) * 5
''',
    "shop/mail.py": '''"""Letters to customers."""

import time


async def send_with_patience(letter: str, attempts: int = 3) -> None:
    """Deliver a message; when the server does not answer, wait longer before each new attempt."""
    for attempt in range(attempts):
        time.sleep(2**attempt)
''',
    "tests/test_prices.py": """def test_an_empty_basket_costs_nothing():
    assert sum([]) == 0
""",
    "README.md": """# The shop

Sells things.

## Installation

Run `pip install shop` in a new environment.

```sh
# this is no heading
pip install shop
```
""",
}


def write_repository(root: Path) -> Path:
    """Write the files below a folder."""
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return root
