"""What is left out of an asset: nothing that the functions could ask for."""

from __future__ import annotations

import shutil
from pathlib import Path

SERVICES = ("cognito-idp", "dynamodb", "kms", "s3", "secretsmanager", "sns", "sqs", "sts")
"""The services that the functions call; botocore's models of the other four hundred stay behind."""

ZONES = ("Asia/Tehran", "Etc/UTC", "UTC")
"""The zones that the domain names."""

_KEPT_OF_A_DISTRIBUTION = ("METADATA", "entry_points.txt", "licenses", "LICENSE", "LICENSE.txt", "NOTICE")

_UNUSED_SUFFIXES = (".pyi", ".pxd", ".pyx", ".c", ".h", ".a", ".so.dbg", ".min.js", ".min.css")


_NUMPY_FOR_BUILDING = ("numpy/distutils", "numpy/f2py", "numpy/_core/include", "numpy/_core/lib", "numpy/doc")
"""What NumPy carries for those who compile against it; one platform's wheel has it and another's has not."""


def prune(folder: Path) -> None:
    """The folder holds only what runs: no tests, no headers, no models of services nobody calls."""
    shutil.rmtree(folder / "bin", ignore_errors=True)
    for name in (".lock", "uv_cache.json"):
        (folder / name).unlink(missing_ok=True)
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and path.name in ("tests", "__pycache__"):
            shutil.rmtree(path)
        elif path.is_file() and path.name.endswith(_UNUSED_SUFFIXES):
            path.unlink()
    for distribution in folder.glob("*.dist-info"):
        _keep(distribution, _KEPT_OF_A_DISTRIBUTION)
    models = folder / "botocore" / "data"
    if models.is_dir():
        for service in models.iterdir():
            if service.is_dir() and service.name not in SERVICES:
                shutil.rmtree(service)
        for example in models.rglob("examples-1.json*"):
            example.unlink()
    for unused in ("boto3/data", "boto3/examples", "tzdata/zoneinfo", *_NUMPY_FOR_BUILDING):
        if unused == "tzdata/zoneinfo" and (folder / unused).is_dir():
            _keep_zones(folder / unused)
        else:
            shutil.rmtree(folder / unused, ignore_errors=True)


def _keep(folder: Path, names: tuple[str, ...]) -> None:
    for path in folder.iterdir():
        if path.name in names:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _keep_zones(folder: Path) -> None:
    packages = {folder, *((folder / zone).parent for zone in ZONES)}
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            if path not in packages:
                shutil.rmtree(path)
        elif str(path.relative_to(folder)) not in ZONES and not (
            path.name == "__init__.py" and path.parent in packages
        ):
            path.unlink()
