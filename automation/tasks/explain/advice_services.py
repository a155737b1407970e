"""Shapes of what files, databases, compilers and event loops raise."""

from __future__ import annotations

from automation.tasks.explain.advice import Category, rule

FILE_RULES = (
    rule(
        "program-missing",
        "FileNotFoundError",
        r"No such file or directory: b?'(?P<name>[^'/]+)'",
        Category.FILES,
        "The program {name} is not installed, or not on PATH.",
        "Install it, or name it by its whole path; `command -v {name}` shows what the shell would start.",
        through=r"/subprocess\.py$",
    ),
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
        "is-folder",
        "IsADirectoryError",
        r"\A(?:[^\n]*?: b?'(?P<name>[^'\n]+)')?",
        Category.FILES,
        "The path {name} is a folder, and is opened as a file.",
        "Add the file's name to the path.",
    ),
    rule(
        "no-folder",
        "NotADirectoryError",
        r"\A(?:[^\n]*?: b?'(?P<name>[^'\n]+)')?",
        Category.FILES,
        "A part of the path {name} is a file, so nothing can lie inside it.",
        "Look at each part of the path with `ls -ld`.",
    ),
    rule(
        "file-there",
        "FileExistsError",
        r"\A(?:[^\n]*?: b?'(?P<name>[^'\n]+)')?",
        Category.FILES,
        "The path {name} is there already, and the code wants to make it anew.",
        "Folders: `mkdir(exist_ok=True)`. Files: decide whether the old one may go; mode `x` refuses on purpose.",
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
        "OSError IOError OperationalError",
        r"No space left|Disk quota|\[Errno (?:28|122)\]|disk is full",
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
        "subprocess-slow",
        "TimeoutExpired",
        r"Command '?(?P<name>.+?)'? timed out after (?P<seconds>[\d.]{1,6})",
        Category.TIMEOUT,
        "The program {name} was ended after {seconds} seconds, since it had not come to its end.",
        "Run it by hand: it may wait for an answer (a password, a question) that nobody gives; else allow more time.",
    ),
    rule(
        "threads-spent",
        "RuntimeError BlockingIOError",
        r"can't start new thread|Resource temporarily unavailable",
        Category.RESOURCE,
        "The system gives this user no more threads or processes.",
        "Look for a loop that starts them without end; `ulimit -u` and a container's limit say how many there may be.",
    ),
    rule(
        "subprocess-failed",
        "CalledProcessError",
        r"Command '?(?P<name>.+?)'? returned non-zero exit status (?P<code>\d+)",
        Category.EXTERNAL,
        "The program {name} ended with {code}.",
        "Run it by hand and read its own words; they are in the exception's `stderr`.",
    ),
    rule(
        "system-refused",
        "OSError IOError",
        r"\[Errno \d+\] (?P<what>[^\n:]+)(?:: b?'(?P<name>[^'\n]+)')?",
        Category.FILES,
        "The operating system refuses this: {what} {name}.",
        "Look at what the path is (`ls -ld`), whether its disk is there, and at characters that a name may not hold.",
    ),
)

DATABASE_RULES = (
    rule(
        "database-locked",
        "OperationalError DatabaseError IOException",
        r"database (?:table |schema )?is locked|Could not set lock on file",
        Category.DATABASE,
        "Another connection holds the database's write lock longer than this one was willing to wait.",
        "Keep one writer, open readers read-only, use the write-ahead log and a busy timeout, and commit at once: "
        "no network "
        "call inside a transaction.",
        "See who holds it: `fuser FILE` names the process.",
    ),
    rule(
        "database-thread",
        "ProgrammingError",
        r"created in a thread can only be used in that same thread",
        Category.CONCURRENCY,
        "A SQLite connection was made in one thread and used in another.",
        "Open one connection for each thread; they share the file, not the connection.",
    ),
    rule(
        "database-closed",
        "ProgrammingError InterfaceError",
        r"closed (?:database|cursor)|connection is closed|already closed",
        Category.DATABASE,
        "The connection was closed before this query.",
        "Query inside the `with` block that opens it, and fetch all rows there.",
    ),
    rule(
        "table-missing",
        "OperationalError CatalogException UndefinedTable UndefinedColumn ProgrammingError",
        r"no such (?:table|column): (?P<name>[\w.]+)|Table with name (?P<table>\w+) does not exist"
        r"|(?:relation|column) \"?(?P<other>[\w.]+)\"? does not exist",
        Category.DATABASE,
        "The database has no table or column {name}{table}{other}: it is another than meant, empty, or too old.",
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
        r"Cannot unify (?P<left>.+?) and (?P<right>.+?)(?: for |,|$)",
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
        "TypingError UnsupportedError LoweringError NumbaTypeError",
        r"",
        Category.COMPILATION,
        "numba could not compile the function: it knows no such call, or found no type for a value in it.",
        "The end of the message names the line; run with NUMBA_DISABLE_JIT=1 to see whether the code itself is right.",
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
        "cancelled",
        "CancelledError",
        r"",
        Category.CONCURRENCY,
        "The task was cancelled while it waited: by a time limit, its task group, or the program's end.",
        "Look for who cancels it: the first other error of the group is the cause. Clean up in `finally`, then let it "
        "go on.",
    ),
    rule(
        "pool-broken",
        "BrokenProcessPool BrokenExecutor TerminatedWorkerError",
        r"",
        Category.CRASH,
        "A worker process ended without a word, most often because memory ran out or a compiled library failed.",
        "Run the work without the pool to see the error itself; `dmesg | grep -i oom` tells whether it was memory.",
    ),
    rule(
        "main-guard",
        "RuntimeError",
        r"before the\s+current process has finished its bootstrapping phase",
        Category.CONCURRENCY,
        "Every new process imports this file, and the file itself starts processes when it is imported.",
        'Put what starts them below `if __name__ == "__main__":`.',
    ),
    rule(
        "main-thread",
        "ValueError RuntimeError",
        r"signal only works in main thread",
        Category.CONCURRENCY,
        "A signal handler is set in a thread other than the main one, which Python does not allow.",
        "Set it at the start of the program, or leave it out where the code runs in a thread.",
    ),
    rule(
        "super-alone",
        "RuntimeError",
        r"super\(\): (?P<what>.+)",
        Category.TYPE,
        "`super()` without arguments stands where there is no `self` to take ({what}).",
        "Call it in a method itself, not in a nested function or a comprehension; else write `super(Class, self)`.",
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
    *LOOP_RULES,
)
