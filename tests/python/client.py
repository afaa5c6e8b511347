"""What the original's programs do to runs: `run`, `restart`, `terminate`; and `send`, an event of any kind.

    client.py --port 6379 run WORKFLOW      the definition is on standard input, as JSON
    client.py --port 6379 restart WORKFLOW
    client.py --port 6379 terminate WORKFLOW
    client.py --port 6379 send KIND         its other fields are on standard input, as JSON

WORKFLOW is the full id.
"""

import json
import sys

from original import IN_PROGRESS, LOG, Flow, options
from rqse import EventClient, message


def run(flow, definition, given):
    for key in (flow.workflow, flow.key("A"), flow.key("S")):
        flow.redis.delete(key)
    flow.redis.set(flow.workflow, json.dumps(definition))
    flow.load()
    flow.redis.set(flow.key("state"), "RUNNING")
    flow.send("start-workflow", workflow=flow.workflow)
    if given is not None:
        flow.redis.set(flow.key("output:-1"), json.dumps(given))
    flow.push("A", flow.change([0], 1))
    flow.start([0])


def restart(flow):
    flow.load()
    if flow.state() not in ("FAILED", "TERMINATED"):
        sys.exit(f"cannot be restarted from current state {flow.state()}")
    active = flow.total("S")
    nodes = [node for node, number in enumerate(active) if number > 0]
    if not nodes:
        sys.exit("had no tasks to resume")
    flow.push("S", [-number for number in active])
    flow.redis.delete(flow.key("FAILED"))
    flow.redis.set(flow.key("state"), "RUNNING")
    flow.start(nodes)


def terminate(flow):
    if flow.state() == "TERMINATING":
        flow.redis.set(flow.key("state"), "TERMINATED")
        flow.send("terminated-workflow", workflow=flow.workflow)
        return
    flow.redis.set(flow.key("state"), "TERMINATING")
    flow.redis.srem(IN_PROGRESS, flow.workflow)


def main():
    parser = options(__doc__, "command", "what")
    parser.add_argument("--input", type=json.loads)
    arguments = parser.parse_args()
    if arguments.command == "send":
        client = EventClient(LOG, host="127.0.0.1", port=arguments.port)
        client.append(message(json.load(sys.stdin), kind=arguments.what))
        return
    flow = Flow(arguments.port, arguments.what)
    if arguments.command == "run":
        run(flow, json.load(sys.stdin), arguments.input)
    else:
        {"restart": restart, "terminate": terminate}[arguments.command](flow)


if __name__ == "__main__":
    main()
