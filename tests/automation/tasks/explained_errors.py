"""Errors by the rule that must explain them: code that raises them here and now, or the text that they end with."""

from __future__ import annotations

RAISED = {
    "bracket-open": "compile('print((1, 2)', 'x.py', 'exec')",
    "quote-open": "compile('a = \"x', 'x.py', 'exec')",
    "colon-missing": "compile('if True\\n  pass', 'x.py', 'exec')",
    "tabs": "compile('if True:\\n        a = 1\\n\\tb = 2', 'x.py', 'exec')",
    "indentation": "compile('  a = 1\\n b = 2', 'x.py', 'exec')",
    "syntax": "compile('a = = 1', 'x.py', 'exec')",
    "module-missing": "import no_such_module_at_all",
    "name-not-exported": "from json import no_such_name",
    "local-unbound": "def f():\n    total += 1\nf()",
    "name-undefined": "print(no_such_name_here)",
    "attribute-of-none": "None.strip()",
    "module-attribute": "import json\njson.no_such_thing",
    "attribute-missing": "'text'.no_such_method()",
    "none-used": "for each in None:\n    pass",
    "argument-missing": "def f(a, b): ...\nf(1)",
    "argument-unknown": "def f(a): ...\nf(a=1, wrong=2)",
    "arguments-too-many": "def f(a): ...\nf(1, 2, 3)",
    "operands": "1 + 'text'",
    "comparison": "sorted([1, None])",
    "concatenation": "'text' + 1",
    "unhashable": "{[1]: 2}",
    "not-serialisable": "import json\njson.dumps({1, 2})",
    "naive-datetime": "from datetime import *\ndatetime.now() - datetime.now(UTC)",
    "not-usable": "(1)()",
    "key-missing": "{'a': 1}['b']",
    "index-range": "[1, 2][2]",
    "number-text": "int('12 USDT')",
    "unpacking": "a, b, c = 1, 2",
    "broadcast": "import numpy\nnumpy.ones(3) + numpy.ones(4)",
    "array-truth": "import numpy\nif numpy.ones(3): pass",
    "division-zero": "1 / 0",
    "recursion": "def f(): f()\nf()",
    "json-text": "import json\njson.loads('<html>')",
    "unicode": "b'\\xff\\xfe\\xfa'.decode('utf-8')",
    "dict-changed": "d = {1: 1}\nfor k in d: d[k + 1] = 1",
    "pydantic": "from pydantic import BaseModel\nclass Row(BaseModel):\n    price: int\nRow(price='x')",
    "not-implemented": "raise NotImplementedError",
    "did-not-raise": "import pytest\nwith pytest.raises(KeyError): pass",
    "numpy-assertion": "import numpy\nnumpy.testing.assert_allclose([1.0, 2.0], [1.0, 3.0])",
    "assertion": "assert False",
    "warning-as-error": "raise DeprecationWarning('old_name is deprecated; use new_name')",
    "file-missing": "open('/no/such/file')",
    "disk-full": "raise OSError(28, 'No space left on device')",
    "files-open": "raise OSError(24, 'Too many open files')",
    "port-taken": "raise OSError(98, 'Address already in use')",
    "no-permission": "raise PermissionError(13, 'Permission denied', '/locked/x')",
    "memory": "raise MemoryError",
    "subprocess-failed": "import subprocess\nsubprocess.run(['false'], check=True)",
    "table-missing": "import sqlite3\nsqlite3.connect(':memory:').execute('select * from nowhere')",
    "database-damaged": "import sqlite3\nraise sqlite3.DatabaseError('file is not a database')",
    "database-readonly": "import sqlite3\nsqlite3.connect('/no/such/folder/file.db')",
    "database-locked": "import sqlite3\nraise sqlite3.OperationalError('database is locked')",
    "constraint": (
        "import sqlite3\nc = sqlite3.connect(':memory:')\nc.execute('create table t (a unique)')\n"
        "for _ in range(2): c.execute('insert into t values (1)')"
    ),
    "refused": "import socket\nsocket.create_connection(('127.0.0.1', 9), 1)",
    "name-resolution": "import socket\nraise socket.gaierror(-2, 'Name or service not known')",
    "certificate": "import ssl\nraise ssl.SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] expired')",
    "connection-broken": "raise ConnectionResetError(104, 'Connection reset by peer')",
    "slow-network": "raise TimeoutError('timed out')",
    "loop-running": "raise RuntimeError('asyncio.run() cannot be called from a running event loop')",
    "no-loop": "import asyncio\nasyncio.get_running_loop()",
    "never-awaited": "raise RuntimeWarning(\"coroutine 'fetch' was never awaited\")",
    "pickling": "import pickle\npickle.dumps(lambda: 1)",
    "interrupted": "raise KeyboardInterrupt",
}
ENDED = {
    "circular-import": (
        "ImportError: cannot import name 'a' from partially initialized module 'shop.prices' (most likely due to a "
        "circular import)"
    ),
    "shared-library": "ImportError: libGL.so.1: cannot open shared object file: No such file or directory",
    "fixture-missing": "Failed: fixture 'shop' not found",
    "compared": "AssertionError: assert 3 == 4\n +  where 3 = total([1, 2])",
    "test-timeout": "TestTimeout: the test ran longer than 10 s",
    "numba-global": (
        "numba.core.errors.TypingError: Failed in nopython mode pipeline (step: nopython frontend)\n"
        "Untyped global name 'fee_of': Cannot determine Numba type of <class 'function'>"
    ),
    "numba-unify": (
        "numba.core.errors.TypingError: Failed in nopython mode pipeline (step: nopython frontend)\n"
        "Cannot unify int64 and float64 for 'total', defined at x.py (3)"
    ),
    "numba-attribute": (
        "numba.core.errors.TypingError: Failed in nopython mode pipeline (step: nopython frontend)\n"
        "Unknown attribute 'append' of type array(int64, 1d, C)"
    ),
    "numba-typing": "numba.core.errors.TypingError: No implementation of function Function(<built-in function add>)",
    "exchange-clock": (
        'ccxt.base.errors.InvalidNonce: binance {"code":-1021,"msg":"Timestamp for this request is outside of the '
        'recvWindow."}'
    ),
    "exchange-keys": 'ccxt.base.errors.AuthenticationError: binance {"code":-2015,"msg":"Invalid API-key, IP"}',
    "exchange-funds": "ccxt.base.errors.InsufficientFunds: binance Account has insufficient balance",
    "exchange-limit": "ccxt.base.errors.RateLimitExceeded: binance 429 Too Many Requests",
    "exchange-away": "ccxt.base.errors.ExchangeNotAvailable: kraken 503 Service Unavailable",
    "exchange-silent": "ccxt.base.errors.RequestTimeout: binance GET https://api.example.com/api/v3/time",
    "exchange-symbol": "ccxt.base.errors.BadSymbol: binance does not have market symbol BTC/USDD",
    "exchange-minimum": ('ccxt.base.errors.InvalidOrder: binance {"code":-1013,"msg":"Filter failure: NOTIONAL"}'),
    "exchange-no-order": "ccxt.base.errors.OrderNotFound: binance Unknown order sent.",
    "exchange-order": "ccxt.base.errors.DuplicateOrderId: binance Duplicate order sent.",
    "exchange-other": "ccxt.base.errors.ExchangeError: coinbase something else entirely",
}
