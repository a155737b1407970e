"""Shapes of what libraries for arrays, tables and learning raise."""

from __future__ import annotations

from automation.tasks.explain.advice import Category, rule

_SHAPES_FIRST = "Print the shapes on the line before: one is cut, transposed, or lacks an axis (`[:, None]` adds one)."

ARRAY_RULES = (
    rule(
        "broadcast",
        "ValueError",
        r"could not be broadcast together with (?:remapped )?shapes (?P<left>\([\d, ]*\)) (?P<right>\([\d, ]*\))",
        Category.VALUE,
        "Arrays of the shapes {left} and {right} do not fit together element by element.",
        "Compare how both are made: one is cut or shifted; `[:, None]` adds an axis where one is meant for each row.",
    ),
    rule(
        "broadcast-into",
        "ValueError",
        r"could not broadcast input array from shape (?P<left>\([\d,]*\)) into shape (?P<right>\([\d,]*\))",
        Category.VALUE,
        "An array of the shape {left} is written into a place of the shape {right}.",
        "Make the place as large as what goes into it, or cut the array.",
        _SHAPES_FIRST,
    ),
    rule(
        "matrix-shapes",
        "ValueError RuntimeError",
        r"matmul: .*?size (?P<left>\d+) is different from (?P<right>\d+)"
        r"|shapes (?P<first>\([\d,]*\)) and (?P<second>\([\d,]*\)) not aligned"
        r"|mat1 and mat2 shapes cannot be multiplied \((?P<one>\S+) and (?P<other>\S+)\)",
        Category.VALUE,
        "Two matrices are multiplied whose inner sides differ: {one}{left}{first} and {other}{right}{second}.",
        "The columns of the first must be the rows of the second; often one of them wants a transpose (`.T`).",
        _SHAPES_FIRST,
    ),
    rule(
        "reshape",
        "ValueError RuntimeError",
        r"cannot reshape array of size (?P<size>\d+) into shape (?P<shape>\([\d,-]*\))"
        r"|shape '(?P<wanted>\[[^']*\])' is invalid for input of size (?P<given>\d+)",
        Category.VALUE,
        "{size}{given} values cannot be laid out in the shape {shape}{wanted}: the product of its sides is another "
        "number.",
        "Let one side be found out with -1, or look at why there are more or fewer values than expected.",
    ),
    rule(
        "joining-shapes",
        "ValueError",
        r"all the input array(?:s| dimensions)[^\n]*must (?:have same number of dimensions|match exactly)",
        Category.VALUE,
        "Arrays that are joined differ in their number of axes, or in a side along which they are not joined.",
        _SHAPES_FIRST,
        "`np.stack` makes a new axis; `np.concatenate` needs the same axes in all of them.",
    ),
    rule(
        "ragged",
        "ValueError",
        r"inhomogeneous shape|setting an array element with a sequence",
        Category.VALUE,
        "The rows that should become one array are not of the same length, or one of them is a list where a number "
        "belongs.",
        "Look for the row of another length: `{len(row) for row in rows}` shows the lengths.",
    ),
    rule(
        "singular",
        "LinAlgError",
        r"[Ss]ingular|not positive definite|did not converge",
        Category.VALUE,
        "The matrix has no inverse, or none that the algorithm finds: rows or columns depend on each other, or it "
        "holds NaN.",
        "Check it with `np.isfinite(a).all()` and `np.linalg.matrix_rank(a)`; `np.linalg.lstsq` or a small value on "
        "the diagonal gets along with it.",
    ),
    rule(
        "array-truth",
        "ValueError",
        r"truth value of an? (?:array|Series|DataFrame)",
        Category.VALUE,
        "An array of several values was used as one condition.",
        "Say what is meant with `.any()` or `.all()`; between arrays write `&` and `|`, not `and` and `or`.",
    ),
    rule(
        "not-a-number",
        "ValueError",
        r"cannot convert (?:float )?(?P<what>NaN|infinity|NA)|[Ii]nput (?:X )?contains (?P<held>NaN|infinity)",
        Category.VALUE,
        "There is a {what}{held} where a real number is needed.",
        "Find where it comes from (a missing row, a division by zero, a rolling window's first rows) and drop or fill "
        "it there.",
    ),
    rule(
        "numpy-build",
        "ValueError ImportError RuntimeError AttributeError",
        r"numpy\.dtype size changed|compiled using NumPy 1\.x|module compiled against ABI|_ARRAY_API not found",
        Category.IMPORT,
        "A compiled package was built for another version of NumPy than the one that is installed.",
        "Update that package, or install the NumPy that it was built for (`pip install 'numpy<2'`).",
    ),
    rule(
        "numpy-removed",
        "AttributeError",
        r"`?np\.(?P<name>\w+)`? was (?:removed|a deprecated alias)",
        Category.NAME,
        "np.{name} is gone from the NumPy that is installed.",
        "Write what the message names in its place; packages that still use it need an update.",
    ),
)

TABLE_RULES = (
    rule(
        "table-label",
        "KeyError",
        r"^\s*(?P<key>.+?)\s*$",
        Category.VALUE,
        "The table has no column or row called {key}.",
        "Print `list(frame.columns)` and `frame.index[:5]`: capitals, blanks, and numbers that are texts are the usual "
        "reasons.",
        through=r"/pandas/",
    ),
    rule(
        "table-length",
        "ValueError",
        r"Length of values \(\d+\) does not match length of index \(\d+\)"
        r"|All arrays must be of the same length",
        Category.VALUE,
        "A column of another length than the table's others is put into it.",
        "Make both from the same rows; a Series with an index is lined up by it, a list is not.",
    ),
    rule(
        "table-merge",
        "ValueError",
        r"trying to merge on (?P<left>\S+) and (?P<right>\S+) columns for key '(?P<key>[^']+)'",
        Category.TYPE,
        "The key {key} is {left} in one table and {right} in the other, so no row can match.",
        "Give both the same type first, such as `frame['{key}'].astype(…)`.",
    ),
    rule(
        "table-copy",
        "SettingWithCopyWarning SettingWithCopyError ChainedAssignmentError",
        r"",
        Category.LOGIC,
        "A value is written into a part of a table that may be a copy, so the table itself may stay as it is.",
        "Write with one step: `frame.loc[rows, column] = value`, or take a `.copy()` on purpose.",
    ),
    rule(
        "parquet",
        "ArrowInvalid",
        r"magic bytes|Parquet|Feather",
        Category.DATA,
        "The file is no Parquet file, or was not written to its end.",
        "Look at its first bytes (`head -c 4 FILE` shows PAR1), and write it to a temporary name that is moved at the "
        "end.",
    ),
)

LEARNING_RULES = (
    rule(
        "gpu-memory",
        "OutOfMemoryError",
        r"(?:CUDA|HIP|MPS)?",
        Category.RESOURCE,
        "The graphics card has no more memory.",
        "Take smaller batches, or let nothing else use the card (`nvidia-smi`); the processor has more memory.",
    ),
    rule(
        "two-devices",
        "RuntimeError",
        r"same device|found at least two devices",
        Category.VALUE,
        "One array lies on the graphics card and the other in the machine's memory.",
        "Move both with `.to(device)`, also what is made inside the model.",
    ),
    rule(
        "samples-differ",
        "ValueError",
        r"inconsistent numbers of samples: \[(?P<what>[^\]]+)\]",
        Category.VALUE,
        "Inputs and targets hold different numbers of rows: {what}.",
        "Drop or shift rows in both at once; a target that looks ahead has no value for the last rows.",
    ),
    rule(
        "not-fitted",
        "NotFittedError",
        r"",
        Category.LOGIC,
        "The model is asked before it has learned anything.",
        "Call `fit` first, or load the model that was saved.",
    ),
)

DATA_RULES = (*ARRAY_RULES, *TABLE_RULES, *LEARNING_RULES)
