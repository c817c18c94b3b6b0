"""A gRPC client with the xDS of gRPC's C core. Reads one JSON object a line, {"target", "method", "calls"},
makes that many calls one after another on the target's one channel, and writes a JSON object a line: the
answers and how often each came, errors as the name of their status."""

import collections
import json
import sys

import grpc

channels = {}


def call(target, method):
    if target not in channels:
        channels[target] = grpc.insecure_channel(target)
    ask = channels[target].unary_unary(method)
    try:
        return ask(b"", timeout=10).decode()
    except grpc.RpcError as error:
        return error.code().name


for line in sys.stdin:
    order = json.loads(line)
    answers = collections.Counter(
        call(order["target"], order["method"]) for _ in range(order["calls"])
    )
    print(json.dumps(answers), flush=True)
