"""Shapes of what files, databases, compilers, networks and exchanges raise."""

from __future__ import annotations

from automation.tasks.explain.advice import Category, rule

FILE_RULES = (
    rule(
        "file-missing",
        "FileNotFoundError",
        r"No such file or directory: b?'(?P<name>[^']+)'",
        Category.FILES,
        "There is no {name}, as seen from the folder in which the program runs.",
        "Check the path and the working folder; make parent folders with `path.parent.mkdir(parents=True, "
        "exist_ok=True)`.",
    ),
    rule(
        "no-permission",
        "PermissionError",
        r"(?:Permission denied|Operation not permitted)(?:: '(?P<name>[^']+)')?",
        Category.FILES,
        "The user that runs the program may not do this with {name}.",
        "See who owns it (`ls -l`), and run as that user or move the file; do not run everything as root.",
    ),
    rule(
        "disk-full",
        "OSError IOError",
        r"No space left|Disk quota|\[Errno 28\]",
        Category.RESOURCE,
        "The disk is full.",
        "Free space: `gridbot clean` lists what GridBot may remove, `df -h` shows the disks.",
    ),
    rule(
        "files-open",
        "OSError IOError",
        r"Too many open files|\[Errno 24\]",
        Category.RESOURCE,
        "The process has more files and connections open than the system allows it.",
        "Close what is opened (`with open(…)`), then raise the limit with `ulimit -n` if it is really needed.",
    ),
    rule(
        "port-taken",
        "OSError",
        r"[Aa]ddress already in use|only one usage of each socket",
        Category.NETWORK,
        "Another program listens on this port already, perhaps an earlier one of your own.",
        "End that one (`ss -ltnp` names it), or take another port; port 0 takes a free one.",
    ),
    rule(
        "memory",
        "MemoryError",
        r"",
        Category.RESOURCE,
        "The process was given no more memory.",
        "Read the data in pieces, or free what is not needed; a limit of a sandbox or container may be lower than the "
        "machine's memory.",
    ),
    rule(
        "subprocess-failed",
        "CalledProcessError",
        r"Command '?(?P<name>.+?)'? returned non-zero exit status (?P<code>\d+)",
        Category.EXTERNAL,
        "The program {name} ended with {code}.",
        "Run it by hand and read its own words; they are in the exception's `stderr`.",
    ),
)

DATABASE_RULES = (
    rule(
        "database-locked",
        "OperationalError DatabaseError",
        r"database (?:table )?is locked",
        Category.DATABASE,
        "Another connection holds the database's write lock longer than this one was willing to wait.",
        "Keep one writer, open readers read-only, use the write-ahead log and a busy timeout, and commit at once: "
        "no network "
        "call inside a transaction.",
        "See who holds it: `fuser FILE` names the process.",
    ),
    rule(
        "table-missing",
        "OperationalError",
        r"no such (?P<what>table|column): (?P<name>[\w.]+)",
        Category.DATABASE,
        "The database has no {what} {name}: it is another file than meant, empty, or older than the code.",
        "Check the path (SQLite makes a new, empty file without a word), and that the migrations ran.",
    ),
    rule(
        "database-damaged",
        "DatabaseError",
        r"malformed|not a database|disk image",
        Category.DATABASE,
        "The file is damaged, or is no SQLite database.",
        "Restore a backup; `sqlite3 FILE 'PRAGMA integrity_check'` says how bad it is.",
    ),
    rule(
        "database-readonly",
        "OperationalError",
        r"readonly database|unable to open database file|disk I/O error",
        Category.DATABASE,
        "SQLite cannot write there: the file, its folder or its disk does not allow it.",
        "The folder must be writable too, for the -wal and -shm files beside the database; check the disk's free "
        "space.",
    ),
    rule(
        "constraint",
        "IntegrityError",
        r"(?P<what>UNIQUE|FOREIGN KEY|NOT NULL|CHECK) constraint failed(?:: (?P<name>[\w., ]+))?",
        Category.DATABASE,
        "The row breaks the rule {what} of the table ({name}).",
        "For UNIQUE the row is there already: use `ON CONFLICT`; else look at where the value comes from.",
    ),
)

COMPILE_RULES = (
    rule(
        "numba-global",
        "TypingError NumbaError",
        r"(?:Untyped global name|NameError: name) '(?P<name>\w+)'",
        Category.COMPILATION,
        "numba cannot compile {name}: it is no number, array or compiled function when the compiler looks.",
        "Compile {name} with @njit too, or pass what it is as an argument.",
    ),
    rule(
        "numba-unify",
        "TypingError",
        r"Cannot unify (?P<left>\S+) and (?P<right>\S+)",
        Category.COMPILATION,
        "One variable holds {left} on one path and {right} on another; compiled code allows one type.",
        "Begin with the final type (`total = 0.0` for floats), and give every branch the same.",
    ),
    rule(
        "numba-attribute",
        "TypingError",
        r"Unknown attribute '(?P<attribute>\w+)' of type (?P<owner>[^\n]+)",
        Category.COMPILATION,
        "numba knows no .{attribute} of {owner}.",
        "Use what numba supports there, or compute it outside the compiled function and pass it in.",
    ),
    rule(
        "numba-typing",
        "TypingError UnsupportedError LoweringError",
        r"",
        Category.COMPILATION,
        "numba could not find a type for something in a compiled function.",
        "The end of the message names the line; run with NUMBA_DISABLE_JIT=1 to see whether the code itself is right.",
    ),
)

NETWORK_RULES = (
    rule(
        "refused",
        "ConnectionRefusedError ConnectError ClientConnectorError ClientConnectionError NewConnectionError",
        r"",
        Category.NETWORK,
        "Nobody listens at that address and port.",
        "Start the server (`ollama serve`, `gridbot exchange`), or correct host and port; `gridbot health` looks "
        "at both.",
    ),
    rule(
        "name-resolution",
        "gaierror ClientConnectorDNSError",
        r"",
        Category.NETWORK,
        "The name of the host could not be resolved: it is misspelt, or this machine has no working DNS.",
        "Try `getent hosts NAME`; inside a sandbox or container there may be no network at all.",
    ),
    rule(
        "certificate",
        "SSLCertVerificationError SSLError ClientConnectorCertificateError",
        r"CERTIFICATE_VERIFY_FAILED|certificate",
        Category.NETWORK,
        "The server's certificate is not trusted: expired, for another name, or signed by someone unknown here.",
        "Check the machine's clock first, then its CA certificates; never switch verification off.",
    ),
    rule(
        "connection-broken",
        "ConnectionResetError BrokenPipeError ConnectionAbortedError RemoteDisconnected "
        "ServerDisconnectedError ConnectionClosed ConnectionClosedError IncompleteReadError RemoteProtocolError",
        r"",
        Category.NETWORK,
        "The other side closed the connection in the middle.",
        "Connect again after a pause. What was being sent may have arrived: ask before sending an order again.",
    ),
    rule(
        "slow-network",
        "TimeoutError ConnectTimeout ReadTimeout ConnectionTimeoutError ServerTimeoutError Timeout",
        r"",
        Category.TIMEOUT,
        "No answer came in time.",
        "Raise the timeout or look at the other side's load. A request that timed out may have been carried out: "
        "look it "
        "up before you repeat it.",
    ),
)

EXCHANGE_RULES = (
    rule(
        "exchange-clock",
        "InvalidNonce ExchangeError",
        r"(?i)timestamp|recvWindow|nonce|-1021",
        Category.EXCHANGE,
        "The exchange refused the request's time: this machine's clock is off by more than it allows.",
        "Synchronise the clock (`timedatectl set-ntp true`); GridBot measures the offset itself when a session starts.",
        prefix="ccxt.",
    ),
    rule(
        "exchange-keys",
        "AuthenticationError PermissionDenied AccountNotEnabled AccountSuspended",
        r"",
        Category.KEYS,
        "The exchange does not accept the API key, or the key may not do this.",
        "Check it with `gridbot keys test EXCHANGE`: right exchange (not its testnet), not expired, this address "
        "allowed, "
        "trading allowed, withdrawal not.",
        prefix="ccxt.",
    ),
    rule(
        "exchange-funds",
        "InsufficientFunds",
        r"",
        Category.FUNDS,
        "The account has less free money than the order costs.",
        "Open orders hold money too; lower `capital`, cancel orders, or add funds. A sell needs the base currency "
        "after fees.",
        prefix="ccxt.",
    ),
    rule(
        "exchange-limit",
        "RateLimitExceeded DDoSProtection",
        r"",
        Category.EXCHANGE,
        "The exchange was asked too often from this address and wants a pause.",
        "Wait as long as it says (after 418 stop at once); all bots of one address share one budget.",
        prefix="ccxt.",
    ),
    rule(
        "exchange-away",
        "ExchangeNotAvailable OnMaintenance ExchangeClosedByUser",
        r"",
        Category.EXCHANGE,
        "The exchange does not serve requests now.",
        "Wait; a session connects again by itself and reconciles its orders then. The exchange's status page says "
        "how long.",
        prefix="ccxt.",
    ),
    rule(
        "exchange-silent",
        "RequestTimeout NetworkError",
        r"",
        Category.NETWORK,
        "No usable answer of the exchange came back.",
        "The order may have landed all the same: look it up by its client order id before sending it again.",
        prefix="ccxt.",
    ),
    rule(
        "exchange-symbol",
        "BadSymbol",
        r"(?P<name>[A-Z0-9]{2,12}[/-][A-Z0-9]{2,12})?",
        Category.ORDER,
        "The exchange does not know the market {name}, or has closed it.",
        "Write it as BASE/QUOTE, such as BTC/USDT, and see whether the exchange lists it.",
        prefix="ccxt.",
    ),
    rule(
        "exchange-minimum",
        "InvalidOrder BadRequest OrderImmediatelyFillable ExchangeError",
        r"(?i)notional|min(?:imum)?[_ ]|LOT_SIZE|PRICE_FILTER|PERCENT_PRICE|precision|-1013",
        Category.ORDER,
        "The order breaks a rule of the market: too small, or its price or quantity is off the step.",
        "Raise the order's size over the market's minimum value, or use fewer levels; GridBot rounds to ticks and lots "
        "itself when it knows the market's rules.",
        prefix="ccxt.",
    ),
    rule(
        "exchange-no-order",
        "OrderNotFound",
        r"",
        Category.ORDER,
        "The exchange knows no such order: it has filled, was cancelled long ago, or never arrived.",
        "Ask for its trades before anything else: an order that is gone may have filled.",
        prefix="ccxt.",
    ),
    rule(
        "exchange-order",
        "InvalidOrder OrderImmediatelyFillable DuplicateOrderId CancelPending",
        r"(?P<what>[^{]*)",
        Category.ORDER,
        "The exchange refuses this order: {what}",
        "Read its words; the order will be refused again as it is.",
        prefix="ccxt.",
    ),
    rule(
        "exchange-other",
        "",
        r"(?P<what>[^{]*)",
        Category.EXCHANGE,
        "The exchange answered with an error: {what}",
        "Look its code up in the exchange's documentation; `gridbot health` tells whether the exchange answers at all.",
        prefix="ccxt.",
    ),
)

LOOP_RULES = (
    rule(
        "loop-running",
        "RuntimeError",
        r"event loop is already running|asyncio\.run\(\) cannot be called",
        Category.CONCURRENCY,
        "An event loop runs in this thread already, so a second one cannot be started.",
        "Use `await` in place of `asyncio.run` there, or run the second loop in a thread of its own.",
    ),
    rule(
        "no-loop",
        "RuntimeError",
        r"no running event loop|no current event loop|Event loop is closed",
        Category.CONCURRENCY,
        "Code that needs a running event loop was called outside of one.",
        "Call it inside `async def`, or start it with `asyncio.run`.",
    ),
    rule(
        "never-awaited",
        "RuntimeWarning",
        r"coroutine '(?P<name>[\w.<>]+)' was never awaited",
        Category.CONCURRENCY,
        "{name} was called and not awaited, so it never ran.",
        "Write `await {name}(…)`.",
    ),
    rule(
        "pickling",
        "PicklingError TypeError AttributeError",
        r"(?i)can(?:'t|not) (?:get local|pickle)",
        Category.CONCURRENCY,
        "A value cannot be sent to another process: a lambda, a local function, a lock or an open file.",
        "Define the function at the top of a module, and pass plain data.",
    ),
    rule(
        "interrupted",
        "KeyboardInterrupt",
        r"",
        Category.INTERRUPTED,
        "A person pressed Ctrl-C.",
        "Nothing is wrong; long work says what it kept.",
    ),
)

SERVICE_RULES = (
    *FILE_RULES,
    *DATABASE_RULES,
    *COMPILE_RULES,
    *EXCHANGE_RULES,
    *NETWORK_RULES,
    *LOOP_RULES,
)
