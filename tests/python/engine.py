"""The original's `worker` as far as it turns runs: the groups `ending` and `lifecycle`.

Says `ready` when it listens, and `ended NAME` for each end of a task that it has handled.
"""

import threading

from original import ALL, IN_PROGRESS, LOG, Flow, options
from rqse import EventListener, receipt_for


class Ending(EventListener):
    """Takes the ends of tasks, and starts what follows."""

    def __init__(self, port, **how):
        super().__init__(LOG, "ending", host="127.0.0.1", port=port, select=["end-task"], **how)
        self.port = port

    def onEstablished(self):
        print("ready", flush=True)

    def process(self, event_id, event):
        flow = Flow(self.port, event["workflow"])
        index, state = event["index"], flow.state()
        failed = event.get("status", "SUCCESS") != "SUCCESS"
        if failed and state == "RUNNING":
            flow.redis.set(flow.key("state"), "FAILED")
            flow.send("failed-workflow", workflow=flow.workflow)
        if state == "TERMINATING":
            flow.redis.set(flow.key("state"), "TERMINATED")
            flow.send("terminated-workflow", workflow=flow.workflow)
        self.append(receipt_for(event_id))
        flow.load()
        if failed:
            marked = (flow.redis.get(flow.key("FAILED")) or b"").decode().split() or ["0"] * len(flow.steps)
            marked[index] = "1"
            flow.redis.set(flow.key("FAILED"), " ".join(marked))
        else:
            flow.total("S")
            flow.start(flow.passed([index], flow.total("A"))[0])
        print("ended", event["name"], flush=True)
        return True


class Lifecycle(EventListener):
    """Lists runs."""

    KINDS = ["start-workflow", "end-workflow", "terminated-workflow", "failed-workflow"]

    def __init__(self, port, **how):
        super().__init__(LOG, "lifecycle", host="127.0.0.1", port=port, select=self.KINDS, **how)

    def process(self, event_id, event):
        workflow, kind = event["workflow"], event["kind"]
        if kind == "start-workflow":
            self.connection.lpush(ALL, workflow)
            self.connection.sadd(IN_PROGRESS, workflow)
        else:
            self.connection.srem(IN_PROGRESS, workflow)
        if kind == "end-workflow":
            self.connection.set(f"{workflow}:state", "FINISHED")
        self.append(receipt_for(event_id))
        return True


def main():
    parser = options(__doc__)
    parser.add_argument("--pause", type=float, default=1, help="of a listener that was idle, in seconds")
    arguments = parser.parse_args()
    how = {"pause": arguments.pause}
    threading.Thread(target=Lifecycle(arguments.port, **how).listen, daemon=True).start()
    Ending(arguments.port, **how).listen()


if __name__ == "__main__":
    main()
