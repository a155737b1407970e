"""Shapes of what networks, servers and exchanges raise."""

from __future__ import annotations

from automation.tasks.explain.advice import Category, rule

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
        "exchange-region",
        "ExchangeNotAvailable PermissionDenied ExchangeError",
        r"restricted location|\b451\b",
        Category.EXCHANGE,
        "The exchange does not serve requests from the place that this machine's address belongs to.",
        "Use the exchange's company for your country (such as binanceus), or another exchange.",
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

NETWORK_RULES = (
    rule(
        "http-keys",
        "HTTPError HTTPStatusError ClientResponseError InvalidStatus InvalidStatusCode ResponseError",
        r"\b(?P<code>401|403)\b",
        Category.KEYS,
        "The server refuses the request ({code}): the key is missing, wrong or may not do this.",
        "Check that the key reaches the program, has not expired, and may be used from this address.",
    ),
    rule(
        "http-missing",
        "HTTPError HTTPStatusError ClientResponseError InvalidStatus InvalidStatusCode ResponseError "
        "RepositoryNotFoundError",
        r"\b(?P<code>404|410)\b",
        Category.NETWORK,
        "The server has nothing under that address ({code}).",
        "Compare address and name with the service's documentation; a version in the path may have been retired.",
    ),
    rule(
        "http-limit",
        "HTTPError HTTPStatusError ClientResponseError InvalidStatus InvalidStatusCode ResponseError",
        r"\b(?P<code>429|418)\b",
        Category.NETWORK,
        "The server was asked too often and wants a pause ({code}).",
        "Wait as long as its header Retry-After says, then ask less often.",
    ),
    rule(
        "http-server",
        "HTTPError HTTPStatusError ClientResponseError InvalidStatus InvalidStatusCode ResponseError",
        r"\b(?P<code>5\d\d)\b",
        Category.NETWORK,
        "The server itself failed, or is being looked after ({code}).",
        "Try again after a pause that grows; its status page says how long. What was sent may have been carried out.",
    ),
    rule(
        "http-request",
        "HTTPError HTTPStatusError ClientResponseError InvalidStatus InvalidStatusCode ResponseError",
        r"\b(?P<code>4\d\d)\b",
        Category.NETWORK,
        "The server does not accept the request as it is ({code}).",
        "Read the body of its answer, which usually names the field that it does not like.",
    ),
    rule(
        "no-name",
        "ConnectionError URLError MaxRetryError ConnectError ClientConnectorError ConnectTimeout",
        r"NameResolutionError|Name or service not known|getaddrinfo failed|nodename nor servname"
        r"|Temporary failure in name resolution",
        Category.NETWORK,
        "The name of the host could not be resolved: it is misspelt, or this machine has no working DNS.",
        "Try `getent hosts NAME`; inside a sandbox or container there may be no network at all.",
    ),
    rule(
        "proxy",
        "ProxyError ConnectError ConnectionError",
        r"(?i)proxy|tunnel connection failed",
        Category.NETWORK,
        "The proxy between this machine and the network refused the connection.",
        "Look at HTTPS_PROXY and NO_PROXY; addresses of this machine belong into NO_PROXY.",
    ),
    rule(
        "not-listening",
        "ConnectionError URLError MaxRetryError OperationalError",
        r"[Cc]onnection refused|\[Errno (?:111|61)\]|actively refused",
        Category.NETWORK,
        "Nobody listens at that address and port.",
        "Start the server, or correct host and port (`ss -ltn` shows what listens).",
    ),
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
        "await-timeout",
        "TimeoutError",
        r"",
        Category.TIMEOUT,
        "What is awaited here took longer than its time limit, and was cancelled.",
        "See what it waits for: an answer that does not come, a lock or a queue that nobody serves, or work that keeps "
        "the event loop busy (`python -X dev` names what blocks it).",
        "Allow it more time only if it is rightly slow; what was sent before may have been carried out.",
        through=r"/asyncio/|/async_timeout/",
    ),
    rule(
        "slow-network",
        "TimeoutError ConnectTimeout ReadTimeout ReadTimeoutError ConnectionTimeoutError ServerTimeoutError Timeout",
        r"",
        Category.TIMEOUT,
        "What was waited for did not come in time.",
        "Raise the timeout or look at the other side's load. A request that timed out may have been carried out: "
        "look it "
        "up before you repeat it.",
    ),
)

NETWORK_WIDE_RULES = (*EXCHANGE_RULES, *NETWORK_RULES)
