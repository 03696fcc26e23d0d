"""The rules of the house that a linter cannot know."""

import ast
import re
from collections.abc import Iterator
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[1]
ROOMS = ("agreed", "cloud", "duifu", "edge", "firmware_interfaces", "simulators")
CATALOGUES = ROOT / "agreed/locale/zh_Hans_CN/LC_MESSAGES"
FORBIDDEN_NAMES = {
    "utils",
    "helpers",
    "common",
    "misc",
    "core",
    "base",
    "manager",
    "types",
    "models",
}
# Shells without a decision of their own; what they carry is tested where it is decided.
WITHOUT_OWN_TEST: set[str] = set()


def modules() -> list[Path]:
    found = [p for room in ROOMS for p in (ROOT / room).rglob("*.py")]
    return [p.relative_to(ROOT) for p in found if "migrations" not in p.parts]


@pytest.mark.parametrize("path", modules(), ids=str)
def test_no_file_is_named_after_nothing(path: Path) -> None:
    assert path.stem not in FORBIDDEN_NAMES
    assert not set(path.parts[:-1]) & FORBIDDEN_NAMES


@pytest.mark.parametrize("path", modules(), ids=str)
def test_every_module_says_in_one_line_what_it_is_for(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse((ROOT / path).read_text()))
    assert docstring
    assert len(docstring.splitlines()[0]) <= 120


def test_tests_mirror_the_tree() -> None:
    mirrored = {p.relative_to(ROOT / "tests") for p in (ROOT / "tests").rglob("test_*.py")}
    missing = [
        str(path)
        for path in modules()
        if path.stem not in {"__init__", "__main__"}
        and str(path) not in WITHOUT_OWN_TEST
        and path.parent / f"test_{path.stem}.py" not in mirrored
    ]
    assert missing == []


def test_every_test_file_has_a_module_or_a_sentence() -> None:
    for path in (ROOT / "tests").rglob("test_*.py"):
        relative = path.relative_to(ROOT / "tests")
        module = ROOT / relative.parent / (path.stem.removeprefix("test_") + ".py")
        docstring = ast.get_docstring(ast.parse(path.read_text()))
        assert module.exists() or docstring, f"{relative}: mirrors no module and says no sentence"


def said(room: str) -> set[str]:
    keywords = {"say": None, "say_count": (1, 2), "marked": None, "ngettext": (1, 2)}
    methods = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
    options = {"**/templates/**.html": {"trimmed": "true", "silent": "false"}}
    found = extract_from_dir(ROOT / room, methods, options, keywords=keywords)
    return {m if isinstance(m, str) else m[0] for _file, _line, m, _notes, _context in found}


@pytest.mark.parametrize("room", ROOMS)
def test_everything_that_is_said_has_a_translation(room: str) -> None:
    translated: set[str] = set()
    for path in CATALOGUES.glob("*.po"):
        for message in read_po(BytesIO(path.read_bytes())):
            if all(message.string if isinstance(message.string, tuple) else [message.string]):
                translated.add(message.id if isinstance(message.id, str) else message.id[0])
    assert said(room) - translated == set()


@pytest.mark.parametrize("path", sorted(CATALOGUES.glob("*.po")), ids=lambda p: p.name)
def test_compiled_catalogues_are_those_of_the_sources(path: Path) -> None:
    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO(path.read_bytes())))
    fresh = GNUTranslations(BytesIO(compiled.getvalue()))
    with path.with_suffix(".mo").open("rb") as file:
        kept = GNUTranslations(file)
    assert messages_of(kept) == messages_of(fresh), "run make words"


def messages_of(translations: GNUTranslations) -> dict[object, str]:
    catalogue: dict[object, str] = vars(translations)["_catalog"]
    return {message: text for message, text in catalogue.items() if message != ""}


@pytest.mark.parametrize("path", sorted(CATALOGUES.glob("*.po")), ids=lambda p: p.name)
def test_translations_keep_the_values_of_their_message(path: Path) -> None:
    for message in read_po(BytesIO(path.read_bytes())):
        ids = [message.id] if isinstance(message.id, str) else list(message.id)
        text = message.string or ""
        strings = [text] if isinstance(text, str) else list(text)
        wanted = set(re.findall(r"%?[{(]\w+[)}]", ids[-1]))
        assert all(set(re.findall(r"%?[{(]\w+[)}]", s)) <= wanted for s in strings if s), ids[0]


def documents() -> list[Path]:
    return [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md")]


@pytest.mark.parametrize("path", documents(), ids=lambda p: str(p.relative_to(ROOT)))
def test_documents_link_to_what_exists(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text()):
        if not re.match(r"[a-z]+:", target):
            assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", documents(), ids=lambda p: str(p.relative_to(ROOT)))
def test_documents_name_files_that_exist(path: Path) -> None:
    rooms = "|".join((*ROOMS, "tests", "docs", "deploy", "benchmarks"))
    for name in re.findall(rf"`((?:{rooms})/[\w./-]*)`", path.read_text()):
        assert (ROOT / name).exists(), name


@pytest.mark.parametrize("path", documents(), ids=lambda p: str(p.relative_to(ROOT)))
def test_documents_name_symbols_that_exist(path: Path) -> None:
    rooms = "|".join(ROOMS)
    for dotted in re.findall(rf"`((?:{rooms})(?:\.\w+)+)(?:\(\))?`", path.read_text()):
        if not dotted.endswith((".md", ".py", ".toml", ".txt", ".po", ".mo")):
            assert _exists(dotted.split(".")), dotted


def _exists(parts: list[str]) -> bool:
    for split in range(len(parts), 0, -1):
        folder = ROOT.joinpath(*parts[:split])
        source = folder.with_suffix(".py") if folder.with_suffix(".py").exists() else None
        if source is None and (folder / "__init__.py").exists():
            source = folder / "__init__.py"
        if source is not None:
            names = parts[split:]
            return not names or bool(re.search(rf"\b{names[-1]}\b", source.read_text()))
    return False


def test_money_is_never_a_float() -> None:
    for folder in ("agreed/money.py", "cloud/settlement", "cloud/database"):
        path = ROOT / folder
        for source in [path] if path.suffix else path.rglob("*.py"):
            tree = ast.parse(source.read_text())
            names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
            floats = [
                n for n in ast.walk(tree) if isinstance(n, ast.Constant) and type(n.value) is float
            ]
            divisions = [
                n
                for n in ast.walk(tree)
                if isinstance(n, ast.BinOp)
                and isinstance(n.op, ast.Div)
                and not isinstance(n.right, ast.JoinedStr | ast.Constant)
            ]
            assert "float" not in names, source
            assert not floats, source
            assert not divisions, source


def test_no_download_address_in_a_lock_file() -> None:
    for path in (ROOT / "deploy/locks").glob("*.txt"):
        assert "://" not in path.read_text(), path


def refusals(room: str) -> Iterator[tuple[Path, ast.Call]]:
    """Yield what the checks of settings and requests raise: pydantic shows it to a person."""
    for path in (ROOT / room).rglob("*.py"):
        for check in ast.walk(ast.parse(path.read_text())):
            if isinstance(check, ast.FunctionDef) and any(map(_is_check, check.decorator_list)):
                for raised in ast.walk(check):
                    if isinstance(raised, ast.Raise) and isinstance(raised.exc, ast.Call):
                        yield path, raised.exc


def _is_check(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "model_validator"


@pytest.mark.parametrize("room", ["cloud", "edge", "firmware_interfaces"])
def test_what_a_check_refuses_is_said_in_the_readers_language(room: str) -> None:
    found = list(refusals(room))
    assert found
    for path, raised in found:
        is_bare = ast.unparse(raised.func) == "ValueError" and isinstance(
            raised.args[0], ast.Constant
        )
        assert not is_bare, f"{path}: {ast.unparse(raised)}"
