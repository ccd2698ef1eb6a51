"""Creates the stack of config/cloudformation/stream.yaml against moto and looks at what there is then.

    python tests/clients/cloudformation.py --endpoint http://127.0.0.1:5000

Checks the stream, its tag, that the policies are those of config/iam for the stream's ARN, and the role's trust, for
a service of AWS and for a service account of a cluster; then that deleting the stack deletes the stream.
"""

import argparse
import json
import pathlib
import urllib.parse

import boto3

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What the files of config/iam are written for.
EXAMPLE = "arn:aws:kinesis:us-east-1:123456789012:stream/my-stream"
ISSUER = "oidc.eks.us-east-1.amazonaws.com/id/0123456789ABCDEF"


def document(policy):
    """A policy's document, whether moto gives it as an object or as text."""
    return policy if isinstance(policy, dict) else json.loads(urllib.parse.unquote(policy))


def same(left, right):
    """Whether two policies say the same, whatever the order of their actions."""

    def sorted_actions(policy):
        statements = [dict(s, Action=sorted(s["Action"])) for s in policy["Statement"]]
        return dict(policy, Statement=statements)

    return sorted_actions(left) == sorted_actions(right)


def create(client, name, parameters):
    client("cloudformation").create_stack(
        StackName=name,
        TemplateBody=(ROOT / "config/cloudformation/stream.yaml").read_text(),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    stack = client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def check_policy(client, arn, file, stream_arn):
    version = client("iam").get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    found = document(client("iam").get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])
    expected = json.loads((ROOT / "config/iam" / file).read_text().replace(EXAMPLE, stream_arn))
    assert same(found, expected), f"{file}: {found} is not {expected}"
    print(f"policy   {file}: as the stack makes it, for {stream_arn}")


def detach(client, role, outputs):
    """Takes the role's policy away: moto deletes the role first, where AWS deletes what depends on it."""
    client("iam").detach_role_policy(RoleName=role, PolicyArn=outputs["ProducerPolicyArn"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--endpoint", required=True)
    endpoint = parser.parse_args().endpoint

    def client(service):
        return boto3.client(
            service,
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )

    outputs = create(client, "by-service", {"StreamName": "load-test", "Shards": "4", "RetentionHours": "48"})
    summary = client("kinesis").describe_stream_summary(StreamName="load-test")["StreamDescriptionSummary"]
    assert summary["StreamARN"] == outputs["StreamArn"], (summary, outputs)
    assert (summary["OpenShardCount"], summary["RetentionPeriodHours"]) == (4, 48), summary
    tags = client("kinesis").list_tags_for_stream(StreamName="load-test")["Tags"]
    assert {"Key": "created-by", "Value": "kinesis-streamer"} in tags, tags
    print(f"stream   {summary['StreamARN']}: {summary['OpenShardCount']} shards, tagged")

    check_policy(client, outputs["ProducerPolicyArn"], "producer.json", outputs["StreamArn"])
    check_policy(client, outputs["ReaderPolicyArn"], "reader.json", outputs["StreamArn"])

    name = outputs["ProducerRoleArn"].rsplit("/", 1)[1]
    trust = document(client("iam").get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"])
    assert trust["Statement"][0]["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}, trust
    attached = client("iam").list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    assert [policy["PolicyArn"] for policy in attached] == [outputs["ProducerPolicyArn"]], attached
    print(f"role     {name}: taken by ecs-tasks.amazonaws.com, with the producers' policy alone")

    detach(client, name, outputs)
    outputs = create(
        client,
        "by-account",
        {"StreamName": "load-eks", "Shards": "0", "OidcProvider": ISSUER, "ServiceAccount": "load:kinesis-streamer"},
    )
    # On demand, but moto makes every stream of a template a provisioned one.
    client("kinesis").describe_stream_summary(StreamName="load-eks")
    name = outputs["ProducerRoleArn"].rsplit("/", 1)[1]
    trust = document(client("iam").get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"])
    condition = trust["Statement"][0]["Condition"]["StringEquals"]
    assert condition[f"{ISSUER}:sub"] == "system:serviceaccount:load:kinesis-streamer", trust
    print(f"role     {name}: taken by the service account load:kinesis-streamer")

    detach(client, name, outputs)
    for stack in ("by-service", "by-account"):
        client("cloudformation").delete_stack(StackName=stack)
    left = client("kinesis").list_streams()["StreamNames"]
    assert left == [], left
    print("deleted  both stacks, and the streams with them")


if __name__ == "__main__":
    main()
