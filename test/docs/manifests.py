"""What reads each manifest of the installation guides, in its own words: the schemas of Kubernetes, and
the model that AWS's own clients check their requests by. Usage: manifests.py KUBERNETES.yaml ECS.json"""
import json
import sys

import botocore.session
import botocore.validate
import kubernetes_validate
import yaml

kubernetes_path, ecs_path = sys.argv[1:]
count = 0
with open(kubernetes_path) as file:
    for document in yaml.safe_load_all(file):
        kubernetes_validate.validate(document, "1.34", strict=True)
        count += 1

with open(ecs_path) as file:
    definition = json.load(file)
model = botocore.session.Session().get_service_model("ecs")
shape = model.operation_model("RegisterTaskDefinition").input_shape
report = botocore.validate.ParamValidator().validate(definition, shape)
if report.has_errors():
    sys.exit(report.generate_report())


def unknown(value, shape, place=""):
    """botocore ignores fields that it does not know; ECS's service does not."""
    if shape.type_name == "structure":
        for key, inner in value.items():
            if key not in shape.members:
                yield f"{place}.{key}"
            else:
                yield from unknown(inner, shape.members[key], f"{place}.{key}")
    elif shape.type_name == "list":
        for index, inner in enumerate(value):
            yield from unknown(inner, shape.member, f"{place}[{index}]")


fields = list(unknown(definition, shape))
if fields:
    sys.exit(f"no fields of a task definition: {fields}")
print(f"{count} Kubernetes documents and {len(definition['containerDefinitions'])} containers")
