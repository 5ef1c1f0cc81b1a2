"""`python -m infra.synth --target cloud|local --out cdk.out`: templates and assets, if anything changed."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from infra.packaging.build import Assets, build
from infra.packaging.targets import Target, interpreter, target_named

STAMP = ".inputs"
"""Written into the output last: an assembly without it is unfinished."""


TEMPLATE_SOURCES = ("infra", "infra/resources", "infra/routes")
"""What a template is made of, besides the assets: a right changed in the table alone makes another template."""


def main(arguments: list[str] | None = None) -> int:
    """The assembly of the target lies in the folder; says what was built and how."""
    parser = argparse.ArgumentParser(prog="infra.synth", description=__doc__)
    parser.add_argument("--target", choices=("cloud", "local"), default="cloud")
    parser.add_argument("--out", type=Path, default=Path("cdk.out"))
    options = parser.parse_args(arguments)
    root = Path.cwd()
    target = target_named(options.target)
    assets = build(target, root=root)
    fresh = synthesise(assets, root=root, out=options.out)
    sys.stdout.write(_summary(assets, options.out, fresh=fresh))
    return 0


def synthesise(assets: Assets, *, root: Path, out: Path) -> bool:
    """The assembly in ``out`` is that of these assets; true when it had to be made.

    Raises: subprocess.CalledProcessError when synthesis fails, for instance on an open nag finding.
    """
    wanted = inputs(assets, root)
    stamp = out / STAMP
    if stamp.exists() and stamp.read_text("utf-8") == wanted:
        return False
    unfinished = out.with_name(f"{out.name}.unfinished-{os.getpid()}")
    try:
        subprocess.run(
            [sys.executable, "-m", "infra.app"],
            check=True,
            cwd=root,
            env={
                **os.environ,
                "CDK_OUTDIR": str(unfinished.absolute()),
                "CDK_CONTEXT_JSON": json.dumps({"target": assets.target.name}),
                "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "18,20,22,24",
            },
        )
        (unfinished / STAMP).write_text(wanted, "utf-8")
        shutil.rmtree(out, ignore_errors=True)
        unfinished.replace(out)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return True


def bytecode_note(target: Target) -> str:
    """Says whether the assets carry bytecode, and of which Python."""
    python = interpreter(target.python_version)
    if python is None:
        return (
            f"no bytecode: there is no Python {target.python_version} on this machine, "
            "so the first start of each function compiles"
        )
    return f"bytecode of Python {target.python_version}, unchecked-hash"


def inputs(assets: Assets, root: Path) -> str:
    """A hash over everything that the assembly is made of."""
    digest = hashlib.sha256()
    for path in (
        root / "requirements.lock",
        *(path for folder in TEMPLATE_SOURCES for path in sorted((root / folder).glob("*.py"))),
    ):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    for asset in (assets.layer, *assets.functions.values()):
        digest.update(asset.content_hash.encode())
    return digest.hexdigest()


def _summary(assets: Assets, out: Path, *, fresh: bool) -> str:
    sizes = {asset.path: asset.path.stat().st_size for asset in (assets.layer, *assets.functions.values())}
    lines = [
        f"{out}: {'synthesised' if fresh else 'unchanged'} for {assets.target.name}, "
        f"{bytecode_note(assets.target)}",
        *(f"  {size / 1e6:7.2f} MB  {path.name}" for path, size in sorted(sizes.items())),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
