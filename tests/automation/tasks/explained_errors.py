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
    "broadcast-into": "import numpy\na = numpy.ones(3)\na[:] = numpy.ones(4)",
    "matrix-shapes": "import numpy\nnumpy.ones((3, 4)) @ numpy.ones((3, 4))",
    "reshape": "import numpy\nnumpy.arange(10).reshape(3, 4)",
    "joining-shapes": "import numpy\nnumpy.concatenate([numpy.ones((3, 4)), numpy.ones(3)])",
    "ragged": "import numpy\nnumpy.array([[1, 2], [3]])",
    "singular": "import numpy\nnumpy.linalg.inv(numpy.zeros((2, 2)))",
    "not-a-number": "int(float('nan'))",
    "no-setter": "class A:\n    x = property(lambda self: 1)\nA().x = 2",
    "abstract": "from abc import *\nclass A(ABC):\n    @abstractmethod\n    def f(self): ...\nA()",
    "arguments-twice": "def f(a): ...\nf(1, a=2)",
    "default-order": "from dataclasses import dataclass\n@dataclass\nclass A:\n    a: int = 1\n    b: int",
    "index-type": "[1, 2]['a']",
    "isinstance-of": "isinstance(1, 'int')",
    "base-classes": "class A: ...\nclass B(A): ...\nclass C(A, B): ...",
    "relative-import": "from . import prices",
    "not-a-package": "import json.decoder.inner",
    "variable-unset": "import os\nos.environ['NO_SUCH_VARIABLE_AT_ALL']",
    "format-code": "'{:d}'.format('a')",
    "decimal-text": "from decimal import Decimal\nDecimal('12 USDT')",
    "time-text": "from datetime import datetime\ndatetime.strptime('2024-13-01', '%Y-%m-%d')",
    "enum-value": "from enum import Enum\nSide = Enum('Side', {'BUY': 'buy'})\nSide('bye')",
    "nothing-to-choose": "max([])",
    "not-a-member": "[1].remove(2)",
    "file-closed": "import io\nf = io.StringIO()\nf.close()\nf.read()",
    "default-shared": "from dataclasses import dataclass\n@dataclass\nclass A:\n    a: list = []",
    "too-large": "import numpy\nnumpy.int64(2**70)",
    "iterator-ended": "next(iter([]))",
    "configuration-text": "import tomllib\ntomllib.loads('a = [1, 2')",
    "pattern-text": "import re\nre.compile('(a')",
    "archive-text": "import pickle\npickle.loads(b'abc')",
    "raises-match": "import pytest\nwith pytest.raises(KeyError, match='open'): {}['close']",
    "unittest-compared": "import unittest\nunittest.TestCase().assertEqual([1, 2], [1, 3])",
    "left-open": "raise ResourceWarning('unclosed file <_io.TextIOWrapper>')",
    "is-folder": "open('/')",
    "no-folder": "open(__import__('sys').executable + '/x')",
    "file-there": "import os\nos.mkdir('/')",
    "program-missing": "import subprocess\nsubprocess.run(['no-such-program-at-all'])",
    "system-refused": "raise OSError(22, 'Invalid argument', 'a:b')",
    "subprocess-slow": "import subprocess\nraise subprocess.TimeoutExpired(['sleep', '5'], 0.1)",
    "threads-spent": 'raise RuntimeError("can\'t start new thread")',
    "database-thread": (
        "import sqlite3\nfrom concurrent.futures import ThreadPoolExecutor\nc = sqlite3.connect(':memory:')\n"
        "ThreadPoolExecutor(1).submit(c.execute, 'select 1').result()"
    ),
    "database-closed": "import sqlite3\nc = sqlite3.connect(':memory:')\nc.close()\nc.execute('select 1')",
    "await-timeout": (
        "import asyncio\nasync def f():\n    await asyncio.wait_for(asyncio.Event().wait(), 0)\nasyncio.run(f())"
    ),
    "not-listening": (
        "import urllib.error\nraise urllib.error.URLError(ConnectionRefusedError(111, 'Connection refused'))"
    ),
    "http-server": "import urllib.error\nraise urllib.error.HTTPError('http://x', 503, 'Unavailable', None, None)",
    "cancelled": "import asyncio\nraise asyncio.CancelledError",
    "main-thread": "raise ValueError('signal only works in main thread of the main interpreter')",
    "super-alone": "def f(): super().g()\nf()",
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
    "generator-ended": "RuntimeError: generator raised StopIteration",
    "conflict-marks": "SyntaxError: merge conflict: invalid syntax",
    "system-library": "ImportError: /lib/libc.so.6: version `GLIBC_2.34' not found (required by /x/y.so)",
    "zones-mixed": "TypeError: Cannot compare tz-naive and tz-aware datetime-like objects",
    "numpy-build": "ValueError: numpy.dtype size changed, may indicate binary incompatibility. Expected 96, got 88",
    "numpy-removed": "AttributeError: `np.float_` was removed in the NumPy 2.0 release. Use `np.float64` instead.",
    "table-length": "ValueError: Length of values (2) does not match length of index (3)",
    "table-merge": "ValueError: You are trying to merge on str and int64 columns for key 'a'. Use pd.concat",
    "table-copy": "pandas.errors.SettingWithCopyWarning: A value is trying to be set on a copy of a slice",
    "parquet": "pyarrow.lib.ArrowInvalid: Parquet magic bytes not found in footer.",
    "gpu-memory": "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB",
    "two-devices": "RuntimeError: Expected all tensors to be on the same device, but found at least two devices",
    "samples-differ": "ValueError: Found input variables with inconsistent numbers of samples: [3, 4]",
    "not-fitted": "sklearn.exceptions.NotFittedError: This LinearRegression instance is not fitted yet.",
    "floats-compared": "AssertionError: assert 0.30000000000000004 == 0.3",
    "time-zone": "zoneinfo._common.ZoneInfoNotFoundError: 'No time zone found with key Europe/Berln'",
    "http-keys": "requests.exceptions.HTTPError: 401 Client Error: Unauthorized for url: https://api.example.com",
    "http-missing": "requests.exceptions.HTTPError: 404 Client Error: Not Found for url: https://api.example.com",
    "http-limit": "aiohttp.client_exceptions.ClientResponseError: 429, message='Too Many Requests'",
    "http-request": "httpx.HTTPStatusError: Client error '422 Unprocessable Entity' for url 'https://x/y'",
    "no-name": (
        'requests.exceptions.ConnectionError: Max retries exceeded (Caused by NameResolutionError("Failed to resolve '
        "'api.exampel.com' ([Errno -2] Name or service not known)\"))"
    ),
    "proxy": "urllib3.exceptions.ProxyError: ('Cannot connect to proxy.', OSError('Tunnel connection failed: 403'))",
    "exchange-region": "ccxt.base.errors.ExchangeNotAvailable: binance GET 451 from a restricted location",
    "pool-broken": "concurrent.futures.process.BrokenProcessPool: A process in the pool was terminated abruptly",
    "main-guard": (
        "RuntimeError: An attempt has been made to start a new process before the\n        current process has "
        "finished its bootstrapping phase."
    ),
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

THROUGH_PANDAS = """Traceback (most recent call last):
  File "shop.py", line 3, in closing
    return frame["closing"]
  File "/usr/lib/python3/dist-packages/pandas/core/frame.py", line 4113, in __getitem__
    indexer = self.columns.get_loc(key)
KeyError: 'closing'
"""
SAID = {
    "git-conflict": "CONFLICT (content): Merge conflict in shop.py\nAutomatic merge failed; fix conflicts",
    "git-elsewhere": "fatal: not a git repository (or any of the parent directories): .git",
    "git-behind": "error: failed to push some refs to 'origin'\nhint: Updates were rejected because",
    "git-unsaved": "error: Your local changes to the following files would be overwritten by merge:\n\tshop.py",
    "git-locked": "fatal: Unable to create '/x/.git/index.lock': File exists.\n\nAnother git process seems",
    "git-keys": "git@host: Permission denied (publickey).\nfatal: Could not read from remote repository.",
    "package-unknown": "ERROR: No matching distribution found for numppy",
    "packages-conflict": "ERROR: Cannot install a and b because these package versions have conflicting dependencies.",
    "python-managed": "error: externally-managed-environment",
    "module-not-there": "/usr/bin/python3: No module named pytest",
    "script-not-there": "python: can't open file '/srv/x.py': [Errno 2] No such file or directory",
    "tests-passed": "5 passed in 0.3s",
    "no-tests": "no tests ran in 0.01s",
    "tests-not-there": "no tests ran in 0.01s\nERROR: file or directory not found: tests/test_x.py",
    "option-unknown": "Error: No such option: --pth (Possible options: --path)",
    "argument-not-given": "x.py: error: the following arguments are required: --symbol",
    "recipe-failed": "make: *** [Makefile:12: test] Error 2",
    "may-not": "bash: ./run.sh: Permission denied",
    "no-docker": "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
    "task-lost": "ERROR asyncio: Task was destroyed but it is pending!",
    "service-locked": "service: could not save: database is locked",
    "no-disk": "cp: error writing 'x': No space left on device",
}
CHECKED = {
    "undefined-there": "F821 Undefined name `total`",
    "unused-import": "F401 [*] `os` imported but unused",
    "lint": "B006 Do not use mutable data structures for argument defaults",
    "types-clash": 'error: Argument 1 to "total" has incompatible type "int"; expected "str"  [arg-type]',
    "checker": "error: Function is missing a return type annotation  [no-untyped-def]",
}
