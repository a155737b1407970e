"""Shapes of what programs say without an exception: shells, git, pip, pytest, checkers, containers."""

from __future__ import annotations

from automation.tasks.explain.advice import Category, rule

GIT_WORDS = (
    rule(
        "git-conflict",
        "",
        r"CONFLICT \(\w[^)]*\):.* in (?P<name>\S+)|Automatic merge failed|fix conflicts and then",
        Category.REPOSITORY,
        "Both sides changed the same lines, so git leaves the decision to a person.",
        "`git status` lists the files; in each keep what is right, take out the lines of marks, then `git add` it and "
        "go on (`git merge --continue`, `git rebase --continue`).",
        "`git merge --abort` goes back to where it was.",
    ),
    rule(
        "git-elsewhere",
        "",
        r"not a git repository",
        Category.REPOSITORY,
        "The folder lies in no git repository.",
        "Go into the repository, or make one with `git init`.",
    ),
    rule(
        "git-behind",
        "",
        r"failed to push some refs|Updates were rejected",
        Category.REPOSITORY,
        "The branch on the server holds commits that this one does not have.",
        "`git pull --rebase`, look at the result, then push again; do not force it over the work of others.",
    ),
    rule(
        "git-unsaved",
        "",
        r"local changes to the following files would be overwritten|commit your changes or stash them",
        Category.REPOSITORY,
        "git would have to write over changes that are not committed.",
        "Commit them, or put them aside with `git stash` and take them back with `git stash pop`.",
    ),
    rule(
        "git-locked",
        "",
        r"index\.lock|Another git process seems to be running",
        Category.REPOSITORY,
        "Another git works in this repository, or one was killed and left its lock file.",
        "Wait for it; when none runs any more (`ps`), remove the lock file that is named.",
    ),
    rule(
        "git-keys",
        "",
        r"Permission denied \(publickey|could not read Username|Authentication failed for",
        Category.KEYS,
        "The git server does not accept the key or the password.",
        "`ssh -T git@HOST` says whether the key is known there; a server may want a token in place of a password.",
    ),
)

PACKAGE_WORDS = (
    rule(
        "package-unknown",
        "",
        r"(?:No matching distribution found for|satisfies the requirement) (?P<name>[\w.\[\]=<>~!-]+)",
        Category.CONFIGURATION,
        "The package index offers nothing that fits {name}: the name is misspelt, no release fits this Python and "
        "system, or the index cannot be reached.",
        "Compare the name with the import; `pip download {name}` with `-v` tells what was looked at.",
    ),
    rule(
        "packages-conflict",
        "",
        r"conflicting dependencies|ResolutionImpossible",
        Category.CONFIGURATION,
        "Two packages want versions of a third that exclude each other.",
        "The lines above name them; loosen a pin, or update the older of the two.",
    ),
    rule(
        "python-managed",
        "",
        r"externally[- ]managed[- ]environment",
        Category.CONFIGURATION,
        "This Python belongs to the operating system, which keeps pip away from it.",
        "Make an environment of your own: `python -m venv .venv`, then `.venv/bin/pip install …`.",
    ),
    rule(
        "module-not-there",
        "",
        r"^\S*python[\d.]*(?:\.exe)?: No module named (?P<module>[\w.]+)",
        Category.IMPORT,
        "This Python has no module {module} to start.",
        "Install it in the interpreter that is named: `{install}`; a virtual environment may not be active.",
    ),
    rule(
        "script-not-there",
        "",
        r"can't open file '?(?P<name>[^':]+)'?",
        Category.FILES,
        "Python was given the file {name}, and there is none.",
        "Check the path, as seen from the folder in which it was called.",
    ),
)

TEST_WORDS = (
    rule(
        "tests-passed",
        "",
        r"^=*\s*(?P<count>\d+) passed(?!.*(?:failed|error))",
        Category.NOTHING,
        "{count} tests passed and none failed.",
        "There is nothing to mend.",
    ),
    rule(
        "tests-not-there",
        "",
        r"file or directory not found: (?P<name>\S+)",
        Category.USAGE,
        "pytest was given {name}, and there is none.",
        "Check the path, as seen from the folder in which pytest was called.",
    ),
    rule(
        "no-tests",
        "",
        r"no tests ran|collected 0 items",
        Category.USAGE,
        "pytest found no test.",
        "Files are named `test_*.py`, functions `test_*`; look at the paths and at `-k` and `-m`, and run "
        "`pytest --collect-only -q`.",
    ),
    rule(
        "option-unknown",
        "",
        r"unrecognized arguments: (?P<name>\S+)|[Nn]o such option:? (?P<option>\S+)|unknown option:? (?P<other>\S+)",
        Category.USAGE,
        "There is no option {name}{option}{other}.",
        "`--help` lists the options; one of a plugin's is there only where the plugin is installed.",
    ),
    rule(
        "argument-not-given",
        "",
        r"arguments are required: (?P<name>.+)|Missing (?:option|argument) ['\"]?(?P<option>[\w-]+)",
        Category.USAGE,
        "The program must be told {name}{option}.",
        "`--help` shows what it takes.",
    ),
)

SYSTEM_WORDS = (
    rule(
        "recipe-failed",
        "",
        r"^make(?:\[\d+\])?: \*\*\* \[(?P<place>[^\]]*?)(?:: (?P<name>[^\]:]+))?\] Error (?P<code>\d+)",
        Category.EXTERNAL,
        "The recipe of {name} ({place}) ended with {code}; make only passes that on.",
        "What went wrong stands above this line, in the program's own words.",
    ),
    rule(
        "may-not",
        "",
        r"(?:^|: )(?P<name>[^\s:]+): Permission denied",
        Category.FILES,
        "This user may not run or open {name}.",
        "A script: `chmod +x {name}`. Else see who owns it with `ls -l`.",
    ),
    rule(
        "no-docker",
        "",
        r"Cannot connect to the Docker daemon",
        Category.EXTERNAL,
        "The Docker service does not run, or this user may not talk to it.",
        "Start it (`systemctl start docker`); the group `docker` may talk to it.",
    ),
    rule(
        "task-lost",
        "",
        r"Task was destroyed but it is pending",
        Category.CONCURRENCY,
        "The event loop ended, or nobody kept the task, while it still waited.",
        "Keep a reference to every task, and cancel and await them before the loop ends (`asyncio.TaskGroup` does).",
    ),
    rule(
        "service-locked",
        "",
        r"database is locked",
        Category.DATABASE,
        "Another connection holds the database's write lock longer than this one was willing to wait.",
        "Keep one writer, use the write-ahead log and a busy timeout, and commit at once.",
    ),
    rule(
        "no-disk",
        "",
        r"No space left on device",
        Category.RESOURCE,
        "The disk is full.",
        "Free space: `gridbot clean` lists what GridBot may remove, `df -h` shows the disks.",
    ),
)

CHECKER_RULES = (
    rule(
        "undefined-there",
        "",
        r"F821 Undefined name `(?P<name>\w+)`|[\"'](?P<key>\w+)[\"'] is not defined",
        Category.NAME,
        "Nothing defines {name}{key} at this place.",
        "Import or define it before this line, or correct its spelling.",
    ),
    rule(
        "unused-import",
        "",
        r"F401 (?:\[\*\] )?`(?P<name>[\w.]+)` imported but unused",
        Category.LOGIC,
        "{name} is imported and never used in this file.",
        "Take the import out (`ruff check --fix`); of a package's public face name it in `__all__`.",
    ),
    rule(
        "lint",
        "",
        r"^(?P<code>[A-Z]{1,4}\d{3,4}) (?:\[\*\] )?(?P<what>.+)",
        Category.LOGIC,
        "The linter's rule {code} is broken here: {what}.",
        "`ruff rule {code}` says why the rule is there and how to obey it.",
    ),
    rule(
        "types-clash",
        "",
        r"Argument \d+|Incompatible|has incompatible type|cannot be assigned|is not assignable",
        Category.TYPE,
        "The type checker found a value of another type than is declared here.",
        "Mend the annotation that is wrong, or convert the value; a `# type: ignore` only hides it.",
    ),
    rule(
        "checker",
        "",
        r"(?P<what>.+?)\s+(?:\[(?P<code>[a-z][\w-]+)\]|\((?P<rule>report\w+)\))$",
        Category.TYPE,
        "The type checker objects: {what}.",
        "Look its rule {code}{rule} up in the checker's documentation.",
    ),
)

WORD_RULES = (*GIT_WORDS, *PACKAGE_WORDS, *TEST_WORDS, *SYSTEM_WORDS)
