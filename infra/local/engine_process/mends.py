"""Where the engine answers otherwise than AWS, and a template written for AWS would fail."""

from __future__ import annotations

from typing import Any


def secret_by_arn(handlers: dict[str, dict[str, Any]]) -> None:
    """A secret's `Ref` is its ARN, as on AWS; the engine gives the name, which no policy can name.

    Source: AWS CloudFormation user guide, AWS::SecretsManager::Secret, return values.
    """
    handler = handlers["AWS::SecretsManager::Secret"]
    create, update, delete = handler["create"], handler["update"], handler["delete"]

    def name_in(identifier: str) -> str:
        return identifier.partition(":secret:")[2][:-7] if identifier.startswith("arn:") else identifier

    def create_by_arn(*arguments: Any, **options: Any) -> Any:
        _, attributes = create(*arguments, **options)
        return attributes["Arn"], attributes

    def update_by_arn(identifier: str, *arguments: Any, **options: Any) -> Any:
        _, attributes = update(name_in(identifier), *arguments, **options)
        return attributes["Arn"], attributes

    def delete_by_arn(identifier: str, *arguments: Any, **options: Any) -> Any:
        return delete(name_in(identifier), *arguments, **options)

    handler.update(create=create_by_arn, update=update_by_arn, delete=delete_by_arn)


def batches_as_single_actions(iam_actions: Any) -> None:
    """A batch call to a queue needs the right to the single call; the engine wants an action that IAM lacks.

    Source: Service authorization reference, actions of Amazon SQS: there is no SendMessageBatch.
    """
    extract = iam_actions.extract_iam_action

    def extract_single(*arguments: Any, **options: Any) -> Any:
        action = extract(*arguments, **options)
        return action.removesuffix("Batch") if action and action.startswith("sqs:") else action

    iam_actions.extract_iam_action = extract_single
