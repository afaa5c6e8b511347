"""A worker as people write them on `rqse`: it carries out the tasks of one namespace.

    task_worker.py --port 6379 --space t

`t:double` doubles the numbers of its input, `t:nothing` has no output, `t:fail` fails as often as `--fail` says, `t:sleep`
takes the seconds of its parameter `for`; any other task puts out under its name what it was given, as `t:sleep` does. It
says `ready` when it listens, and `NAME INDEX` before each task.
"""

import json
import time

from original import LOG, options
from rqse import EventListener, message, receipt_for


class TaskWorker(EventListener):
    def __init__(self, space, group, failures, **how):
        super().__init__(LOG, group, select=["start-task"], **how)
        self.space = space
        self.failures = failures

    def onEstablished(self):
        print("ready", flush=True)

    def process(self, event_id, event):
        space, _, task = event["base"].partition(":")
        if space != self.space:
            # True: it is acknowledged. With False it would stay here for ever.
            return True
        self.append(receipt_for(event_id))
        print(event["name"], event["index"], flush=True)
        end = {"name": event["name"], "index": event["index"], "workflow": event["workflow"], "status": "SUCCESS"}
        if task == "fail" and self.failures > 0:
            self.failures -= 1
            end.update(status="FAILURE", reason="as it was told")
        else:
            output = self.work(task, event.get("parameters", {}), event.get("input", {}))
            if output is not None:
                self.connection.set(f"{event['workflow']}:output:{event['index']}", json.dumps(output))
        self.append(message(end, kind="end-task"))
        return True

    def work(self, task, parameters, given):
        if task == "nothing":
            return None
        if task == "sleep":
            time.sleep(parameters["for"])
        if task == "double":
            return {key: value * 2 for key, value in given.items()}
        return {task: given}


def main():
    parser = options(__doc__)
    parser.add_argument("--space", required=True)
    parser.add_argument("--group", help="its name is the namespace unless another is given")
    parser.add_argument("--fail", type=int, default=0, help="how often `fail` fails")
    parser.add_argument("--pause", type=float, default=1, help="of a listener that was idle, in seconds")
    arguments = parser.parse_args()
    how = {"host": "127.0.0.1", "port": arguments.port, "pause": arguments.pause}
    TaskWorker(arguments.space, arguments.group or arguments.space, arguments.fail, **how).listen()


if __name__ == "__main__":
    main()
