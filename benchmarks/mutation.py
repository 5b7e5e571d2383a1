"""How many small faults in a package its own tests notice.

    python -m benchmarks.mutation identify [--mutants 60] [--seed 1] [--direct]

Draws places in the package's modules at random and changes one at a time: a comparison, an
operator, a number, a condition, a statement that is left out. Each mutant is loaded in a process of
its own, in place of the module, and the package's tests run until one fails: the module's own file
first, then those that import it, then the others; with ``--direct`` only the first of these kinds
that there is. Prints each mutant with what became of it, and at the end the fraction that was
noticed. What outlasts ten times the time of the tests without a change counts as noticed.

Compiled kernels of the module, and of all that import it, are compiled anew for each mutant, as a
cached kernel would be the old one. Processes that tests start run the code without the change. Some
mutants change nothing that can be noticed; nobody tells them apart here.
"""

import ast
import importlib
import importlib.util
import os
import random
import re
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType

from benchmarks.command import ROOT, command_line, print_machine

CODE, TESTS = "spotify_pipeline", "spotify_pipeline_tests"

OPERATORS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}
NEEDED = (
    "alembic.script duckdb hypothesis msgspec numba pyarrow.parquet pytest scipy.signal".split()
)
"""What every mutant needs is imported once."""

NO_CODE = {"annotation", "returns", "decorator_list", "type_params"}


@dataclass(frozen=True)
class Change:
    """An attribute of a node of a module's syntax tree, and another value for it."""

    node: ast.AST
    attribute: str
    value: object
    line: int


def changes(node: ast.AST) -> Iterator[Change]:
    """Give all changes in a tree, always in the same order."""
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
        return
    yield from changes_of(node, getattr(node, "lineno", 0))
    found = getattr(node, "body", None)
    body = found if isinstance(found, list) else []
    for position, statement in enumerate(body):
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            without = [*body[:position], ast.Pass(), *body[position + 1 :]]
            yield Change(node, "body", without, statement.lineno)
    for field, value in ast.iter_fields(node):
        if field not in NO_CODE:
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from changes(child)


def changes_of(node: ast.AST, line: int) -> Iterator[Change]:
    """Give the changes of one node."""
    match node:
        case ast.Compare(ops=[first, *rest]) if type(first) in OPERATORS:
            yield Change(node, "ops", [OPERATORS[type(first)](), *rest], line)
        case ast.BinOp(op=op) | ast.BoolOp(op=op) | ast.AugAssign(op=op) if type(op) in OPERATORS:
            yield Change(node, "op", OPERATORS[type(op)](), line)
        case ast.Constant(value=bool() as value):
            yield Change(node, "value", not value, line)
        case ast.Constant(value=int() | float() as value):
            yield Change(node, "value", value + 1, line)
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            yield Change(node, "test", ast.UnaryOp(ast.Not(), test), line)
        case ast.Call(func=ast.Name(id=name) as called) if name in NAMES:
            yield Change(called, "id", NAMES[name], line)


def mutated(path: Path, number: int) -> tuple[str, int, str]:
    """Give a module's text with one change, the line of it, and that line as it is now."""
    before = path.read_text()
    tree = ast.parse(before)
    change = list(changes(tree))[number]
    plain = ast.unparse(tree).splitlines()
    setattr(change.node, change.attribute, change.value)
    after = ast.unparse(ast.fix_missing_locations(tree))
    lines = [new for old, new in zip(plain, after.splitlines(), strict=False) if old != new]
    return after, change.line, lines[0].strip() if lines else ""


class Mutant(MetaPathFinder, SourceFileLoader):  # type: ignore[misc]
    """Loads one module with other text, and those that depend on it without cached kernels."""

    def __init__(self, texts: dict[str, str]) -> None:
        self.texts = texts

    def find_spec(self, name: str, path: object, target: object = None) -> ModuleSpec | None:
        """Take the modules over whose text is given."""
        if name not in self.texts:
            return None
        return importlib.util.spec_from_file_location(name, file_of(name), loader=self)

    def get_filename(self, name: str | None = None) -> str:
        """Name the file whose place the text takes."""
        return str(file_of(name or ""))

    def get_code(self, fullname: str) -> CodeType:
        """Compile the text."""
        return compile(self.texts[fullname], self.get_filename(fullname), "exec")


def file_of(module: str) -> Path:
    """Give the file of a module."""
    return ROOT.joinpath(*module.split(".")).with_suffix(".py")


def module_of(file: Path) -> str:
    """Give the module that a file is."""
    return ".".join(file.relative_to(ROOT).with_suffix("").parts)


def dependents(module: str) -> set[str]:
    """Give the modules that import one, themselves or through others."""
    texts = {module_of(path): path.read_text() for path in (ROOT / CODE).rglob("*.py")}
    found, new = {module}, {module}
    while new:
        wanted = re.compile(rf"^\s*from ({'|'.join(map(re.escape, new))}) import", re.MULTILINE)
        new = {name for name, text in texts.items() if wanted.search(text)} - found
        found |= new
    return found - {module}


def texts_of(module: str, text: str) -> dict[str, str]:
    """Give the texts to load instead of what is there."""
    texts = {module: text}
    if "njit" in text:
        for name in dependents(module):
            if file_of(name).exists() and "njit" in (found := file_of(name).read_text()):
                texts[name] = found
    return {name: found.replace("cache=True", "cache=False") for name, found in texts.items()}


def tests_of(package: str, module: str, direct: bool) -> list[str]:
    """Give the files of a package's tests, those first that are likely to notice a change."""
    files = sorted((ROOT / TESTS / package).glob("test_*.py"))
    kinds = [
        [file for file in files if file.name == f"test_{module.rpartition('.')[2]}.py"],
        [file for file in files if imports(file, module)],
        [file for file in files if any(imports(file, one) for one in dependents(module))],
        files,
    ]
    first = next(kind for kind in kinds if kind)
    every = dict.fromkeys(file for kind in kinds for file in kind)
    return [str(file) for file in (first if direct else every)]


def imports(file: Path, module: str) -> bool:
    """Tell whether a file imports a module by its name."""
    package, _, name = module.rpartition(".")
    wanted = rf"from {re.escape(module)} import|from {re.escape(package)} import .*\b{name}\b"
    return re.search(wanted, file.read_text()) is not None


def tested(texts: dict[str, str], tests: list[str], longest: float) -> str:
    """Run tests with other texts of modules, in a process of its own; say how they ended."""
    child = os.fork()
    if child == 0:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(nothing, stream)
        sys.meta_path.insert(0, Mutant(texts))
        import pytest

        code = pytest.main(["-x", "-q", "-p", "no:cacheprovider", *tests])
        os._exit(1 if code == pytest.ExitCode.TESTS_FAILED else 0 if code == 0 else 2)
    deadline = time.monotonic() + longest
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return "survived" if status == 0 else "noticed"
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "too long"


def main(words: Sequence[str] | None = None) -> None:
    """Make mutants, and print what became of each."""
    parser = command_line(__doc__)
    parser.add_argument("package", help="such as identify, index or store")
    parser.add_argument("--mutants", type=int, default=60, help="to draw")
    parser.add_argument("--seed", type=int, default=1, help="of the draw")
    parser.add_argument("--direct", action="store_true", help="run the nearest tests alone")
    parser.add_argument("--minutes", type=float, help="after which no new mutant is tested")
    options = parser.parse_args(words)
    print_machine()
    sys.path.insert(0, str(ROOT))
    os.chdir(ROOT)
    for name in NEEDED:
        importlib.import_module(name)

    positions = [
        (path, number)
        for path in sorted((ROOT / CODE / options.package).glob("*.py"))
        for number, _ in enumerate(changes(ast.parse(path.read_text())))
    ]
    chosen = random.Random(options.seed).sample(positions, min(options.mutants, len(positions)))
    begun = time.monotonic()
    counts: dict[str, int] = {}
    usual: dict[tuple[str, ...], float] = {}
    for path, number in chosen:
        if options.minutes and time.monotonic() - begun > 60 * options.minutes:
            break
        module = module_of(path)
        tests = tests_of(options.package, module, options.direct)
        text, line, changed = mutated(path, number)
        if tuple(tests) not in usual:
            started = time.monotonic()
            if tested({}, tests, 3600) != "survived":
                sys.exit(f"{' '.join(tests)}: fail without any change")
            usual[tuple(tests)] = time.monotonic() - started
        outcome = tested(texts_of(module, text), tests, 10 * usual[tuple(tests)] + 60)
        counts[outcome] = counts.get(outcome, 0) + 1
        print(f"{outcome:9} {path.relative_to(ROOT)}:{line}: {changed}", flush=True)
    made = sum(counts.values())
    noticed = made - counts.get("survived", 0)
    print(f"{noticed} of {made} of {len(positions)} possible mutants of {options.package} noticed")


if __name__ == "__main__":
    main()
