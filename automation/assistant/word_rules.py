"""Words that speak for or against commands: as data, over sentences in normal form (small letters, names masked)."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """Words that speak for a command.

    Parameters
    ----------
    command : str
        Its name; empty for what no command does.
    words : re.Pattern
        What must be said.
    weight : float
        How much it counts.
    """

    command: str
    words: re.Pattern[str]
    weight: float


@dataclass(frozen=True, slots=True)
class Topic:
    """Commands about one thing, told apart by what is to be done with it; the first that fits is meant.

    Parameters
    ----------
    about : re.Pattern
        What must be said for the topic.
    actions : tuple of Rule
        In the order in which they are tried.
    """

    about: re.Pattern[str]
    actions: tuple[Rule, ...]


def _topic(about: str, weight: float, **actions: str) -> Topic:
    rules = (Rule(name.replace("_", " "), re.compile(words), weight) for name, words in actions.items())
    return Topic(re.compile(about), tuple(rules))


_REMOVE = r"\b(?:forget|delete|remove|erase|wipe|drop|unlink|clear|get rid|throw|no longer|revoke|discard|purge|disconnect|take out)\b"
_LIST = r"\b(?:which|list|what|show|are there|do (?:i|we) have|have (?:i|we)|how many|inventory|available|any|see|display|view|names?)\b"
_STOP = (
    r"\b(?:stop|end|halt|terminate|shut|quit|kill|close|finish|flatten|liquidate|wind|exit|cease|abort|cancel all orders|sell (?:everything|all)|switch (?:the )?\w* ?(?:trading )?(?:bot|session)? ?off"
    r"|turn (?:the )?(?:\w+ )*off|switch off)\b"
)

TOPICS: tuple[Topic, ...] = (
    _topic(
        r"\b(?:api )?(?:keys?|credentials?|api secret)\b(?! ?(?:board|binding|stroke))(?!.*\b(?:shortcuts?|editor|vs code|encrypt\w*|code|function)\b)|\b(?:link|connect|unlink)\b.*\baccount\b",
        2.5,
        keys_remove=_REMOVE,
        keys_test=r"\b(?:test|verif\w*|valid\w*|check|works?|working|try|permissions?|allowed?|may|can|could|accept\w*|functional|correct|expired|rights?)\b",
        keys_list=r"\b(?:which|list|what|show|are there|is there|do (?:i|we) have|have been|where|how many|stored|saved|kept)\b(?<!^stored)(?<!^saved)",
        keys_set=r"\b(?:set|store|save|add|enter|put|register|link|connect|replace|update|configure|give|keep|new|provide|change|type|input|remember|deposit|hand|use)\b",
    ),
    _topic(
        r"\b(?:the|this|that|repair|a|last|latest|which|recent|newest|pending|waiting|proposed|suggested|past|previous|interrupted|what) (?:\w+ )?(?:run|runs|repairs?|patch|patches|fix|fixes|change)\b|\bruns\b|\bchanges? (?:of|that waits?)\b",
        2.0,
        runs_reject=r"\b(?:reject|declin\w+|refuse|veto|turn (?:\w+ )*down|(?:do not|not|never) (?:\w+ )?(?:land|want|accept|approve|like|merge|apply|take)|no to|say no|dismiss|disapprove|deny)\b",
        runs_approve=r"\b(?:approv\w+|accept|land|sign|agree|confirm|merge|yes|ok to|allow|green light|go ahead|apply the (?:waiting|pending|proposed|suggested)|take the (?:fix|patch|change))\b(?!.*\bwaits? for approval\b)(?<!for approval)",
        runs_resume=r"\b(?:resume|continue|go on|goes on|carry on|pick|proceed|keep going|restart|finish|unpause|take up|complete)\b",
        runs_abandon=r"\b(?:abandon|giv\w+ up|forget|drop|throw|discard|scrap|delete|cancel|remove|get rid|stop bothering|bin)\b",
        runs_show=r"\b(?:show|details?|diagnosis|what did|what was|what has|tell|look|open|evidence|diff|how did|result|inspect|see|display|view)\b(?!.*\b(?:runs|repairs|fixes)\b)",
        runs_list=r"\b(?:runs|repairs|fixes|patches)\b(?!.*\b(?:succe\w+|costs?|rates?|statistics|percent\w*|share|how often|how many|chart|trend)\b)(?<!succeed)",
    ),
    _topic(
        r"\b(?:candles?|prices?|price history|market data|data|ohlcv|candle file|market|historical data|history of (?:the )?(?:prices|bitcoin)|candlesticks?)\b"
        r"(?!.*\b(?:strategy|backtest|trade|trading|session|agents?|vote\w*|code|function|class|earned|grid|profit)\b)(?<!trade past candles)",
        1.8,
        data_synthetic=r"\b(?:synthetic|synthesi\w+|fake|artificial|random|made up|make up|made-up|invent\w*|simulated market|dummy|mock)\b",
        data_check=r"\b(?:gaps?|holes?|outliers?|quality|clean|missing|complete|valid\w*|sane|sanity|check|verif\w*|bad|duplicates?|good|corrupt\w*|intact|stuck|ok|broken|inspect|errors|trust\w*|consistent)\b",
        data_export=r"\b(?:export|dump|extract|as (?:a )?(?:csv|spreadsheet)|to (?:a )?(?:csv|file|disk)|csv of|out of the store|csv files?|spreadsheet|write out|into csv)\b",
        data_import=r"\b(?:import|ingest|into the (?:store|database|candle store)|to the (?:candle )?store|take in|read in|bring my own|from a file|load (?:the |this |my |our )?(?:candles? )?(?:candle )?file|in our store|in the store)\b(?<!what is in the store)(?<!are in the store)",
        data_download=r"\b(?:download|fetch|get|pull|retrieve|grab|update|refresh|top up|from (?:the exchange|binance)|newest|fresh|up to date|bring)\b",
        data_list=_LIST,
    ),
    _topic(
        r"\b(?:models?|llms?|ollama|gguf|llama cpp|ai models?|model backends?|backends?)\b(?!.*\bcontext protocol\b)(?!.*\b(?:config\w*|setting|temperature)\b)(?!.*\bwithout (?:a |any )?model)",
        2.0,
        models_bench=r"\b(?:fast\w*|speed|tokens?|bench\w*|measure|time|throughput|slow\w*|quick\w*)\b",
        models_use=r"\b(?:use|using|switch|prefer|take the model|set the model|go back|default|assign|choose|select|be the|make the model|from now on|change the model|work with|other model|another model)\b(?<!can use)(?<!i use)(?<!we use)(?<!use language models)",
        models_health=r"\b(?:running|works?|working|health\w*|check|ok|up|answers?|alive|all right|reachable|fine|role|roles|responds?|online|status|test)\b",
        models_pull=r"\b(?:download|pull(?!ed)|get|fetch|install(?!ed)|add|obtain|load|want|bring)\b(?<!can pull)(?<!could pull)",
        models_list=_LIST + r"|\binstalled\b|\bat hand\b",
    ),
    _topic(
        r"\bsessions?\b(?!.*\b(?:code|function|class)\b)(?!.*\b(?:crash the session|no order|recover\w* from)\b)",
        1.6,
        sessions_replay=r"\b(?:replay\w*|recording|reproduc\w*|determinis\w*|same (?:again|decisions?)|rerun|repeat|play the session back|once more|bit for bit)\b",
        sessions_report=r"\b(?:report|html|web page|page|write up|chart)\b",
        stop=_STOP,
        paper=r"\b(?:start|begin|launch|open a|run a|new|called|recover)\b(?!.*\b(?:live|real|actual)\b)",
        live=r"\b(?:start|begin|launch|open a|run a|new)\b.*\b(?:live|real|actual)\b",
        fix=r"\b(?:fix|repair|debug|died|crashed)\b",
        sessions_show=r"\bthe session\b.*|\b(?:details?|inspect|orders|fills|trades?|traded|balances)\b",
        status=r"\b(?:running|right|at the moment|how are|alive|doing|going|currently|state)\b",
        sessions=_LIST,
    ),
    _topic(
        r"\b(?:settings?|configuration|config|parameters?|options?|limits?|profile|budget|temperature)\b(?!.*\b(?:vs code|editor|code review|file)\b)(?!.*\border\b)",
        1.5,
        config_set=r"^(?:\w+ )?(?:set|change|put|increase|lower|raise|turn|switch|adjust|modify|make|update|enable|disable|decrease|reduce|give|write|use|bump|allow)\b",
        config_explain=r"\b(?:mean\w*|explain|what does|is for|for$|describe|bounds?|default of|values can|tell me about|what is the setting|what is this|help with|what is meant|setting$|about)\b(?<!show the setting)(?<!change the setting)",
        config_automation=r"\b(?:automation|maintenance|repairs?|pipeline|models?|sandbox|budget|debugger|role|roles|approval|self)\b",
        config_show=_LIST + r"|\b(?:print|current|force|how is|configured|^configuration)\b",
    ),
    _topic(
        r"\b(?:vs code|visual studio|editor|vscodium)\b",
        2.5,
        vscode_install=r"\b(?:shortcuts?|key ?bindings?|hot ?keys?|bindings|keyboard)\b|\binstall\b",
        vscode_sync=r"\b(?:sync\w*|tasks?|launch|settings|folder|files?|anew|again|regenerate|refresh|update|configuration|up to date|rebuild|rewrite|write|create|generate|in step)\b",
    ),
    _topic(
        r"\bagents?\b|\b(?:signals?|indicators?|consensus|votes?|voted|voting)\b(?!.*\b(?:code|file|function|docstring\w*|doc strings?)\b)",
        2.0,
        agents_explain=r"\b(?:why|how did|explain|reason|what made|what did|decid\w*|break down|think|thought|voted|votes of|made the|at this candle|how do)\b|\bvote\b.*\b(?:bitcoin|candle)\b",
        agents_list=_LIST + r"|\b(?:installed|describe|about|tell|use|who)\b",
    ),
)


def _rules(*rows: tuple[str, float, str]) -> tuple[Rule, ...]:
    return tuple(Rule(command, re.compile(words), weight) for command, weight, words in rows)


RULES: tuple[Rule, ...] = _rules(
    # money leaves or enters an account, or an order is placed by hand: no command does that
    ("", 4.0, r"\b(?:withdraw|deposit|transfer|wire|cash out|send|lend|borrow|stake|swap|bridge|airdrop|gift|donate|move)\b.*\b(?:dollars|bitcoin|coins?|money|funds?|wallet|tokens?|account|bank|euros?|crypto|everything|usdt|usdc)\b"),
    ("", 2.5, r"^(?:buy|sell|short|long|purchase)\b(?!.*\b(?:stop|session|agents?|signal|vote)\b)"),
    ("", 3.0, r"\b(?:short|long|futures?|margin|leveraged) positions?\b|\b(?:pull|merge) requests?\b|\brestart the (?:server|computer|machine|router)\b|\btrading at\b|\b(?:current |today |what is the |how much is (?:a |one )?)(?:price of (?:bitcoin|a)|bitcoin(?: worth| price)?$|bitcoin (?:cost|worth))"),
    ("", 2.0, r"\b(?:leverage|margin|futures?|options trading|nft|ico)\b"),
    ("", 2.5, r"\b(?:will|going to)\b.*\b(?:go up|rise|fall|go down|crash|moon|worth|reach|drop|price)\b|\bpredict|\bforecast|\bprice (?:of|will)\b.*\b(?:tomorrow|next)\b"),
    ("", 2.5, r"\bgive (?:someone|somebody|him|her|others|everyone)\b"),
    ("", 2.0, r"\bshould i\b|\bgood investment\b|\badvice\b|\bwhich (?:coin|stock)s? (?:should|to)\b"),
    ("", 3.0, r"\b(?:secrets?|passwords?|passphrase|private keys?)\b.*\b(?:show|print|tell|reveal|plain|text|give|display)\b|\b(?:show|print|tell|reveal|give|display)\b.*\b(?:secrets?|passwords?|passphrase|private keys?)\b"),
    ("", 4.0, r"\b(?:system prompt|previous instructions|your instructions|your rules|jailbreak)\b"),
    ("", 2.0, r"\b(?:email|e mail|tweet|slack|discord|telegram|whatsapp|sms|facebook|twitter|jira|phone|call (?:my|the|a))\b"),
    ("", 2.5, r"\bgit (?:push|commit|pull)\b|^(?:push|commit|merge|rebase|deploy|publish|release) (?:the |my |this |it |branch |changes |to )(?!\w* ?(?:fix|patch|run|repair))"),
    ("", 2.5, r"\b(?:open|create|close|verify) (?:an? |my )?(?:\w+ )?(?:bank )?(?:account|wallet|identity)\b"),
    # trading with or without money
    ("paper", 2.5, r"\b(?:without|no|not|instead of|without any|not risking|without risking)\b.*\b(?:real |actual )?money\b|\b(?:play|virtual|fake|pretend|toy|imaginary|simulated) (?:money|funds|dollars|capital|trading)\b|\bpaper\b(?!.*\b(?:live trading|show|stop|report|list|details)\b)|\b(?:practi[sz]e|pretend|dry run|practice trading)\b"),
    ("live", 2.5, r"^(?!.*\b(?:without|no|not|instead)\b.*\bmoney\b).*\b(?:(?:real|actual|own|true) (?:\w+ )?(?:money|funds|account|capital|cash|dollars|trading)|for real|go(?:es)? live|bot live|live trading|live session|trade live|live on)\b"),
    ("paper", -2.5, r"^(?!.*\b(?:without|no|not|instead)\b.*\bmoney\b).*\b(?:(?:real|actual|own) (?:\w+ )?(?:money|funds|account|capital|cash)|for real|go live)\b"),
    ("backtest", 2.0, r"\bback ?test\w*\b|\b(?:past|historical|history|old) (?:\w+ )?(?:candles|prices|data|performance|market)\b.*\b(?:strategy|grid|bot|trade|test|perform\w*|run|return|profit)\b|\b(?:strategy|grid|bot)\b.*\b(?:past|historical|history|last week|last month|last year|old|since)\b|\bwould\b.*\b(?:earned|made|done|performed|profit|gained|lost|fared)\b"),
    ("paper", 1.0, r"^(?:start|begin|run|launch|let)\b.*\b(?:trading|trade|bot|grid)\b(?!.*\b(?:real|live|actual|history|past|candles|report|backtest|last week)\b)"),
    # tests: run, repaired, or written
    ("incidents", 2.5, r"\b(?:run|execute|start|do|rerun|launch) (?:all |the |all the |our |my |every |unit |full |whole |complete )*(?:unit )?(?:tests?|test suite|pytest|suite)\b|^(?:do|does|did|are|is|have) (?:all |the |any |our |my |there )*(?:\w+ )?(?:tests?|test suite|suite)\b|\b(?:which|how many|what) tests? (?:fail|pass|are)\w*\b|\bwhat (?:is failing|fails)\b|^tests?(?: please)?$|\brun pytest\b|\btests? (?:are )?(?:failing|passing|fail)\?*$"),
    ("incidents", 1.5, r"\bthe log file\b.*\b(?:errors?|watch|exceptions?|problems)\b|\b(?:errors?|watch|tail|follow|monitor|scan|exceptions?|problems|keep an eye|go through)\b.*\bthe log(?: file)?\b|\bincidents?\b|\bwhat went wrong\b|\bwhat (?:is|was) (?:failing|broken)\b"),
    ("incidents", -2.0, r"^(?:fix|repair|debug|solve|heal|mend|explain|interpret|why)\b"),
    ("fix", 2.0, r"^(?:fix|repair|debug|heal|mend|patch|solve|resolve|troubleshoot|correct|sort out|self heal|get .* (?:green|working|passing)|make .* (?:green|pass|work)|bring .* green)\b(?!.*\b(?:doc ?strings?|doc strings|documentation|faster)\b)|\b(?:fix|repair|debug|mend|heal) (?:it|them|that|this|whatever|what|the cause|the bug|the fault)\b|\b(?:run|start) the (?:full |whole |repair |debug\w* )+pipeline\b|\bfind out why\b.*\b(?:fix|repair)"),
    ("fix", -2.0, r"\b(?:do|does|are|is|did) (?:all |the |any |our |there )*(?:\w+ )?tests?\b"),
    ("test", 2.5, r"\b(?:write|generate|create|add|make|produce|need\w*|missing|improve|raise|increase|extend|cover|want|more|better|boost)\b.*\b(?:tests?|coverage|test cases?|test suite|unit tests?|mutation score|mutants)\b(?!.*\b(?:pass|green)\b)|\b(?:test (?:generation|cases)|unit tests for|tests for)\b|\bcover this (?:file|function|folder)\b|\btests should be (?:written|made|added)\b"),
    ("test", -1.5, r"^(?:run|execute|fix|do|are|why)\b.*\btests?\b"),
    # work on code
    ("document", 2.5, r"\b(?:doc ?strings?|doc strings?|document(?!ation of the setting)|documentation|doc comments)\b(?!.*\bcoverage\b)|\bcomment this (?:function|file)\b"),
    ("document", -1.5, r"\b(?:where|find)\b.*\bdocument"),
    ("optimize", 2.0, r"\b(?:optimi[sz]\w*|faster|speed (?:it |this |the |up )|speed up|slow\w*|quicker|bottlenecks?|hot ?spots?|hot loops?|run ?time|accelerate|more efficient|efficien\w+|performance (?:tuning|of this)|(?:improve|more|better|boost|increase|raise|squeeze) (?:the |some |more )*(?:performance|speed)|vectori[sz]e|memory use|profile this|tune)\b(?!.*\bmodels?\b)(?!.*\bthis command\b.*\bthis command\b)(?!.*\brole\b)"),
    ("review", 2.0, r"\b(?:review|code quality|lint\w*|code smells?|dead code|security|vulnerab\w+|complex\w*|duplicat\w+ code|code duplication|audit|static analysis|type check\w*|quality of this|rate this|score|feedback on my|how good is this (?:file|function|folder|code)|quality score|code (?:is )?clean|doc ?string coverage|doc strings? coverage|look (?:at|over) my changes|my changes)\b(?!.*\b(?:doc strings?|document|test cases|optimize)\b)(?!.*\bgit\b)"),
    ("search", 1.6, r"\bwhere (?:is|are|do|does|in|can|did|exactly)\b(?!.*\b(?:key|keys|come from)\b.*\bkept\b)|^(?:find|search|look (?:for|up)|locate|grep|point me)\b|\b(?:in )?(?:which|what) (?:file|module|class|function|method|part of the code|code)\b|\bwho (?:implements|calls)\b|\bwhat calls\b|\bcode (?:that|for|about|which|of)\b|\bhow is .* implemented\b|\bsemantic search\b|\bshow me the code\b"),
    ("search", -1.5, r"\b(?:find (?:out|dead|duplicat\w*|security|bad|gaps?|bugs?|and fix)|dead code|bottleneck|hot ?spots?)\b|\bfind\b.*\band (?:fix|repair)\b"),
    ("explain", 2.0, r"^(?!.*\b(?:agents?|setting|bot|vote\w*)\b).*(?:\b(?:explain|why|mean\w*|understand|interpret|cause\w*|reason|make sense|what is this|what was|come from)\b.*\b(?:errors?|traceback|exceptions?|fail\w*|crash\w*|stack trace|message|wrong)\b|\b(?:error|traceback|exception)\b.*\b(?:mean\w*|about|explain\w*|come from)\b)(?!.*\b(?:fix|repair) (?:it|them|that)\b)"),
    ("agents explain", 2.0, r"\b(?:why|what made|how come|reason)\b.*\b(?:bot|strategy|grid|agents?|we|it)\b.*\b(?:buy|sell|bought|sold|buying|selling|hold|trail\w*)\b"),
    # faces
    ("ask", 2.5, r"^(?:help(?: me)?|commands?|what can (?:i|you|one|we)\b.*|how (?:can|do) (?:i|you) (?:talk|use you|help|speak)\b.*|what (?:do you (?:understand|know|do)|are you able|are my options|features|commands|else can)\b.*|which (?:commands|things|features)\b.*)|\b(?:what is possible|everything you can|things i can (?:say|ask)|able to do|not know what to (?:type|say|do)|what to type|what you can do|list (?:every|all|the) commands?|available commands|need help|the help|your (?:commands|abilities|capabilities|features))\b"),
    ("mcp", 3.5, r"\bmcp\b|\bmodel context protocol\b|\btool server\b"),
    ("console", 2.5, r"\b(?:console|tui|dashboard|text(?:ual)? (?:user )?(?:interface|app)|terminal (?:ui|user interface|interface|app)|user interface|screens?)\b(?!.*\bvs code\b)"),
    ("simulate", 2.5, r"\b(?:crash|kill\w*|die\w*)\b.*\b(?:order|lost|loses?|books?|recover\w*|prove)\b|\b(?:recover\w*|books?)\b.*\b(?:crash|kill\w*)\b|\bend to end\b|\b(?:simulate|simulation)\b(?!.*\b(?:past|market|paper|exchange|history|live prices|mode)\b)|\bcrash (?:test|safety)\b|\b(?:full|whole) system test\b"),
    ("exchange", 2.5, r"\b(?:exchange server|(?:built in|simulated|fake|mock|test|local|dummy|pretend) (?:exchange|binance|market server)|exchange (?:simulator|at|on|with|that)|market server)\b(?!.*\b(?:practi[sz]e|paper|day|end to end|trade|session|code)\b)"),
    ("demo", 2.5, r"\b(?:demo|demonstrat\w*|planted?|show (?:me )?(?:a |how )(?:\w+ )*(?:repair\w*|fix\w*|heal\w*)|see it (?:fix|repair)|show off)\b(?!.*\b(?:session|that no order|crash|prove the books)\b)"),
    ("nightly", 2.5, r"\b(?:nightly|overnight|over night|tonight|night (?:shift|job|run)|while i sleep|until morning|unattended|at night)\b(?!.*\b(?:setting|benchmarks?|minutes to|number|what happened|summar\w+|brief)\b)"),
    ("report", 2.0, r"\b(?:brief me|what happened (?:overnight|last night|yesterday|today|over night)|how (?:was|did) the night|last night|state of affairs|everything stands?|things stand|bring me up to date|what is new|overview|summar\w+|daily report|morning report|report (?:for today|of everything|on everything)|overall report|one page)\b(?!.*\b(?:the session|repair success|why|sell|buy|sessions? in the)\b)|\breport\b.*\b(?:whole system|everything|of all)\b|^(?:give me |write |make |create |i want )?(?:a |the )?report(?: please)?$"),
    ("health", 2.0, r"\b(?:health|doctor|diagnos\w+ (?:my|the)|diagnostics|installation|everything (?:is )?(?:all right|ok|okay|fine|in order)|all right with|set ?up (?:ok|complete|correct)|my setup|requirements|dependencies|self check|system check|disk (?:full|space left)|(?:check|test|verify|look at) .*\b(?:disk|clock|git|python)|clock (?:right|correct)|parts of gridbot|working properly|properly installed|everything (?:installed|work\w*))\b(?!.*\b(?:models?|llm|language|sessions?|repairs|free|clean)\b)"),
    ("clean", 2.5, r"\b(?:clean(?: up| out)?|tidy|free\b.*\b(?:disk|space)|(?:need|more|full).*disk space|old (?:logs?|files?|backups?|worktrees?|runs)|prune|purge|left ?overs?|housekeeping|junk|garbage|clear the cache|caches?|temporary files|make room|sweep)\b(?!.*\b(?:candles?|data|code|is my)\b)"),
    ("status", 1.6, r"\b(?:how (?:is|are|goes)\b.*\b(?:bot|trading|grid|going|doing|sessions?)|profit(?:s| and loss)?|making money|in profit|my position|positions?|equity|open orders|balance|earned (?:today|so far)|am i holding|holding|bot (?:still )?(?:running|alive|on|doing)|is trading|still trading|is the bot|anything halted|what is running|money did we make|current (?:status|state)|^status)\b(?!.*\b(?:would|past|report|code|close|liquidate|sell|stop|backtest|size|sizing|function|built in)\b)"),
    ("improvement compare", 3.0, r"\bthis command\b.*\bthis command\b|\btwo commands\b|\bboth commands\b"),
    ("improvement report", 2.2, r"\b(?:succe\w+|rates?|statistics|better at|getting better|improv\w+|costs?|trend|how often|how many|share|percent\w*|how well|chart|which fixer)\b.*\b(?:repairs?|repairing|fix\w*|bugs?|self repair|pipeline)\b(?!.*\b(?:speed|faster|file|function)\b)|\b(?:repair|self repair|fix) (?:success|statistics|rates?|costs?|trend)\b|\b(?:repairs?|self repair|fixes)\b.*\b(?:succeed|success|improving|cost|better|statistics)\b|\bimprovement report\b|\breport (?:on|about|of) the (?:repairs|repair runs|fixes)\b"),
    ("sessions", 1.0, r"^(?:list|show|which|what|all|names?|give me)\b.*\b(?:sessions)\b(?!.*\b(?:running|right|moment)\b)"),
    ("stop", 2.0, r"\b(?:emergency|panic|stop trading|sell everything|get (?:me )?out of everything|stop the bot|bot off|trading off|stop it|stop everything|halt the bot|halt trading|quit trading)\b"),
    ("config explain", 1.5, r"\bwhat (?:is|does|are) the (?:setting|stop loss|spacing|daily loss|max drawdown|trail\w*|kelly|slippage)\b.*\b(?:mean|for|setting|parameter|option|limit)\b"),
)  # fmt: skip
