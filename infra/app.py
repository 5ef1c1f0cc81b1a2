"""The CDK application. `python -m infra.app` writes the cloud assembly; both nag packs must pass."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from infra.delivery import DeliveryStack
from infra.http_api import ApiStack
from infra.packaging.build import Assets, build
from infra.packaging.targets import target_named
from infra.stack import AvarezStack
from infra.watch import WatchStack

FEATURE_FLAGS = {
    "@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy": True,
    "@aws-cdk/aws-lambda:useCdkManagedLogGroup": False,
    "@aws-cdk/core:enablePartitionLiterals": True,
}
"""CDK behaviour chosen here, so that the command line and the tests synthesise the same."""


def make_app(assets: Assets, outdir: str | None = None) -> App:
    """The application with its stacks; synthesis raises when a nag rule is open."""
    app = App(outdir=outdir, analytics_reporting=False, context=FEATURE_FLAGS)
    main = AvarezStack(app, "Avarez", assets=assets)
    api = ApiStack(app, "Api", behind=main)
    WatchStack(app, "Watch", watched=main, api=api)
    DeliveryStack(app, "Delivery")
    check(app)
    return app


def check(app: App) -> None:
    """Synthesis of the application raises when a rule of either nag pack is open."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))


def main() -> None:
    """Build what is missing for the target of the context, and synthesise."""
    target = target_named(str(App().node.try_get_context("target") or "cloud"))
    make_app(build(target, root=Path.cwd())).synth()


if __name__ == "__main__":
    main()
