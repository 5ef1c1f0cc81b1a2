"""Archives: complete, small, the same for both targets, with bytecode that is taken as it is."""

from __future__ import annotations

import ast
import json
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from importlib.util import MAGIC_NUMBER
from pathlib import Path

import pytest

from infra.packaging.build import ZIP_DATE, Assets, build, write_zip
from infra.packaging.bytecode import UNCHECKED_HASH_FLAGS, compile_tree
from infra.packaging.lock import closure, locked, subset
from infra.packaging.prune import SERVICES
from infra.packaging.targets import CLOUD, LOCAL, interpreter, target_named
from infra.routes import ENTRY_POINTS

ROOT = Path(__file__).resolve().parents[2]

LAYER_MAX_BYTES = 12_000_000
FUNCTION_MAX_BYTES = 2_000_000
"""Of a function without packages of its own: code, and nothing else."""

ISSUER_MAX_BYTES = 48_000_000
NUMPY_MAX_BYTES = 18_000_000
"""The typesetter is 81 MB unpacked; S3 takes the archive, whose limit is that of all parts unpacked."""

UNPACKED_MAX_BYTES = 250 * 1024 * 1024
"""Source: Lambda quotas, deployment package: 250 MB unpacked, layers included."""

NATIVE = (".so", ".pyd", ".dylib")


@pytest.fixture(scope="module")
def cloud() -> Assets:
    return build(CLOUD, root=ROOT)


@pytest.fixture(scope="session")
def unpacked(assets: Assets, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each archive as Lambda lays it out, by the archive's name; the layer under `layer`."""
    folders: dict[Path, Path] = {}
    for archive in {assets.layer.path, *(asset.path for asset in assets.functions.values())}:
        folder = tmp_path_factory.mktemp("asset")
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(folder)
        folders[archive] = folder
    return {
        "layer": folders[assets.layer.path],
        **{name: folders[asset.path] for name, asset in assets.functions.items()},
    }


def _names(archive: Path) -> set[str]:
    with zipfile.ZipFile(archive) as opened:
        return set(opened.namelist())


def _comparable(archive: Path) -> set[str]:
    """Names without native libraries, which differ by platform, and without bytecode, by Python's version."""
    return {
        name
        for name in _names(archive)
        if not name.endswith((*NATIVE, ".pyc")) and ".libs/" not in name and ".so." not in name
    }


def test_targets_carry_the_same_files_but_for_native_ones(assets: Assets, cloud: Assets) -> None:
    assert _comparable(assets.layer.path) == _comparable(cloud.layer.path)
    for name in assets.functions:
        assert _comparable(assets.functions[name].path) == _comparable(cloud.functions[name].path)


def test_cloud_native_files_are_of_its_processor(cloud: Assets) -> None:
    aarch64 = 183
    seen = 0
    for archive in {cloud.layer.path, *(asset.path for asset in cloud.functions.values())}:
        with zipfile.ZipFile(archive) as opened:
            for name in opened.namelist():
                if name.endswith(".so"):
                    head = opened.read(name)[:20]
                    assert head[:4] == b"\x7fELF", name
                    assert struct.unpack("<H", head[18:20]) == (aarch64,), name
                    seen += 1
    assert seen > 0


@pytest.mark.parametrize("target", ["local", "cloud"])
def test_bytecode_is_never_checked_against_its_source(target: str, assets: Assets, cloud: Assets) -> None:
    built = assets if target == "local" else cloud
    python = interpreter(target_named(target).python_version)
    if python is None:
        assert not any(name.endswith(".pyc") for name in _names(built.layer.path))
        return
    magic = subprocess.run(
        [str(python), "-c", "import importlib.util as u; print(u.MAGIC_NUMBER.hex())"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    for archive in {built.layer.path, *(asset.path for asset in built.functions.values())}:
        with zipfile.ZipFile(archive) as opened:
            names = set(opened.namelist())
            compiled = {name for name in names if name.endswith(".pyc")}
            for name in compiled:
                header = opened.read(name)[:8]
                assert header[:4].hex() == magic, name
                assert struct.unpack("<I", header[4:]) == (UNCHECKED_HASH_FLAGS,), name
            sources = {name for name in names if name.endswith(".py")}
            assert len(compiled) == len(sources)


def test_layer_is_small(assets: Assets, cloud: Assets) -> None:
    for built in (assets, cloud):
        assert built.layer.path.stat().st_size <= LAYER_MAX_BYTES


def test_function_archives_are_small(assets: Assets, cloud: Assets) -> None:
    for built in (assets, cloud):
        for entry in ENTRY_POINTS:
            limit = ISSUER_MAX_BYTES if "typst" in entry.packages else FUNCTION_MAX_BYTES
            if entry.packages and "typst" not in entry.packages:
                limit = NUMPY_MAX_BYTES if "numpy" in entry.packages else 7_000_000
            assert built.functions[entry.name].path.stat().st_size <= limit, entry.name


def test_function_with_its_layer_fits_lambda(cloud: Assets) -> None:
    def unpacked_bytes(archive: Path) -> int:
        with zipfile.ZipFile(archive) as opened:
            return sum(member.file_size for member in opened.infolist())

    layer = unpacked_bytes(cloud.layer.path)
    for asset in cloud.functions.values():
        assert layer + unpacked_bytes(asset.path) <= UNPACKED_MAX_BYTES


def test_archive_holds_its_own_folder_only(assets: Assets) -> None:
    for entry in ENTRY_POINTS:
        folders = {
            name.split("/")[1]
            for name in _names(assets.functions[entry.name].path)
            if name.startswith("functions/") and name.count("/") > 1 and "__pycache__" not in name.split("/")[1]
        }
        assert folders == {entry.folder}


@pytest.mark.parametrize("entry", ENTRY_POINTS, ids=lambda entry: entry.name)
def test_handler_imports_from_its_archives_alone(entry: object, unpacked: dict[str, Path]) -> None:
    """No site-packages, no settings: what is not in the archives is not there, as on Lambda."""
    name, handler = getattr(entry, "name"), getattr(entry, "handler")  # noqa: B009 - ids of pytest hide the type
    module, function = handler.rsplit(".", 1)
    program = (
        f"import sys; sys.path[:0] = sys.argv[1:3]\nimport {module} as entry\nassert callable(entry.{function})\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, str(unpacked[name]), str(unpacked["layer"] / "python")],
        capture_output=True,
        text=True,
        env={},
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_build_again_makes_nothing_anew(assets: Assets) -> None:
    before = {path: path.stat().st_ino for path in (ROOT / ".build" / "assets" / "local").glob("*.zip")}
    started = time.perf_counter()
    again = build(LOCAL, root=ROOT)
    elapsed = time.perf_counter() - started
    assert again == assets
    assert {path: path.stat().st_ino for path in before} == before
    assert elapsed < 5


def test_archive_written_twice_is_the_same_byte_for_byte(tmp_path: Path) -> None:
    (tmp_path / "b.py").write_text("two = 2\n")
    (tmp_path / "a.py").write_text("one = 1\n")
    members = {"x/b.py": tmp_path / "b.py", "a.py": tmp_path / "a.py"}
    write_zip(tmp_path / "first.zip", members)
    time.sleep(0.01)
    (tmp_path / "b.py").touch()
    write_zip(tmp_path / "second.zip", dict(reversed(members.items())))
    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "first.zip") as opened:
        assert opened.namelist() == ["a.py", "x/b.py"]
        assert {member.date_time for member in opened.infolist()} == {ZIP_DATE}


def test_bytecode_of_a_tree_is_the_same_twice(tmp_path: Path) -> None:
    made = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        (folder / "module.py").write_text("NAMES = {'a', 'b', 'c'}\n\ndef f(x):\n    return x in {'a', 'b'}\n")
        compile_tree(folder, python=Path(sys.executable), installed_at="/var/task")
        (compiled,) = folder.rglob("*.pyc")
        made.append(compiled.read_bytes())
    assert made[0] == made[1]
    assert made[0][:4] == MAGIC_NUMBER


def test_subset_of_the_lock_keeps_its_hashes() -> None:
    names = closure(("boto3",), CLOUD)
    assert {"botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3"} <= names
    text = subset(names, ROOT / "requirements.lock")
    assert text.count("==") == len(names)
    assert all("--hash=sha256:" in entry for entry in locked(ROOT / "requirements.lock").values())


def _operations_called() -> Iterator[str]:
    """Every method name that functions and layer call; those that are operations are checked below."""
    for folder in ("functions", "layers"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    yield node.func.attr


SERIALISE = """
import json, sys
sys.path[:0] = [sys.argv[1]]
import boto3, botocore
from botocore.awsrequest import AWSResponse
from botocore.model import ListShape, MapShape, StructureShape

assert botocore.__file__.startswith(sys.argv[1])
services, called = json.loads(sys.argv[2])
session = boto3.session.Session("AKIDEXAMPLE", "secret", region_name="us-east-1")
sent = []

def example(shape, depth=0):
    kind = shape.type_name
    if kind == "structure":
        members = list(shape.required_members)
        if getattr(shape, "is_tagged_union", False) or (not members and depth and shape.members and depth < 3):
            members = list(shape.members)[:1]
        return {name: example(shape.members[name], depth + 1) for name in members}
    if kind == "list":
        return [example(shape.member, depth + 1)]
    if kind == "map":
        return {"key": example(shape.value, depth + 1)}
    if kind == "string":
        return shape.enum[0] if getattr(shape, "enum", None) else "x" * max(3, shape.metadata.get("min", 0))
    return {"boolean": True, "integer": 1, "long": 1, "double": 1.0, "float": 1.0,
            "timestamp": "2026-01-01T00:00:00Z", "blob": b"x"}[kind]

def answer(request, **_):
    sent.append(request.url)
    raise RuntimeError("sent")

checked = []
for service in services:
    client = session.client(service)
    client.meta.events.register("before-send", answer)
    for method, operation in client.meta.method_to_api_mapping.items():
        if method in called:
            shape = client.meta.service_model.operation_model(operation).input_shape
            try:
                getattr(client, method)(**(example(shape) if shape else {}))
            except RuntimeError as error:
                assert str(error) == "sent"
            checked.append(f"{service}:{operation}")
url = session.client("s3").generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"})
assert url.startswith("https://")
assert len(sent) == len(checked)
print(json.dumps(checked))
"""


def test_every_operation_called_still_serialises(unpacked: dict[str, Path]) -> None:
    called = sorted(set(_operations_called()))
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            SERIALISE,
            str(unpacked["layer"] / "python"),
            json.dumps([SERVICES, called]),
        ],
        capture_output=True,
        text=True,
        env={"AWS_EC2_METADATA_DISABLED": "true"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    checked = set(json.loads(done.stdout))
    assert {"dynamodb:TransactWriteItems", "cognito-idp:AdminInitiateAuth", "s3:PutObject", "kms:Sign"} <= checked


def test_services_left_out_are_left_out(unpacked: dict[str, Path]) -> None:
    models = unpacked["layer"] / "python" / "botocore" / "data"
    assert {path.name for path in models.iterdir() if path.is_dir()} == set(SERVICES)
    assert (models / "endpoints.json").exists()
