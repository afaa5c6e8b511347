"""How the original engine turns a run: what it writes to Redis, command by command and in its order.

`littleflow_redis` cannot be installed from PyPI. This module plays what it does, with the library on which it stands
(`rqse`), so that our engine and our worker meet the commands, the bytes and the order that they would meet there, its
gaps between commands included: nothing here is atomic.
"""

import argparse
import json
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import redis
from rqse import EventClient, message

LOG = "workflows:run"
ALL = "workflows:all"
IN_PROGRESS = "workflows:inprogress"


@dataclass
class StartFlow:
    index: int


@dataclass
class Source:
    index: int
    value: Any


@dataclass
class Sink:
    index: int
    merge: bool


@dataclass
class InvokeFlow:
    index: int
    end: int
    merge: bool
    guard: Any


@dataclass
class InvokeTask:
    index: int
    name: str
    parameters: Any
    base: Any
    doc: Any
    merge: bool
    guard: Any


# A key that these do not know is an error, as it is for the original's loader.
KINDS = {kind.__name__: kind for kind in (StartFlow, Source, Sink, InvokeFlow, InvokeTask)}


def options(description, *names):
    """The arguments of a program: the port of the server, and those named."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--port", type=int, required=True)
    for name in names:
        parser.add_argument(name)
    return parser


def now():
    return datetime.now(timezone.utc).isoformat()


def vector(numbers):
    """Numbers as numpy prints them: to the right in columns of one width, in lines of at most 75 characters."""
    width = max(len(str(number)) for number in numbers)
    words = [str(number).rjust(width) for number in numbers]
    in_line = 75 // (width + 1)
    lines = [" ".join(words[at : at + in_line]) for at in range(0, len(words), in_line)]
    return "\n ".join(lines)


class Flow:
    """A run as it stands on the server, and what the original does to it."""

    def __init__(self, port, workflow):
        self.client = EventClient(LOG, host="127.0.0.1", port=port)
        self.workflow = workflow
        self.redis: redis.Redis = self.client.connection
        self.follows, self.steps = [], []

    def key(self, what):
        return f"{self.workflow}:{what}"

    def load(self):
        definition = json.loads(self.redis.get(self.workflow))
        self.follows = definition["F"]
        self.steps = [KINDS[kind](**keys) for kind, keys in definition["T"]]
        return self

    # --- what is kept -------------------------------------------------------------------------------------------------

    def send(self, kind, **fields):
        return self.client.append(message(fields, kind=kind))

    def state(self):
        return (self.redis.get(self.key("state")) or b"").decode()

    def total(self, name):
        """What a list of changes adds up to, read in pages."""
        total, at = [0] * len(self.steps), 0
        while page := self.redis.lrange(self.key(name), at, at + 19):
            for entry in page:
                numbers = [int(number) for number in entry.decode().split()[1:]]
                total = [sum(pair) for pair in zip(total, numbers, strict=True)]
            at += 20
        return total

    def push(self, name, numbers):
        self.redis.lpush(self.key(name), f"{now()} {vector(numbers)}")

    def change(self, nodes, by):
        """A number for each step: `by` (a number, or one for each of them) at these, 0 elsewhere."""
        numbers = [0] * len(self.steps)
        for node in nodes:
            numbers[node] += by if isinstance(by, int) else by[node]
        return numbers

    def output(self, node):
        text = self.redis.get(self.key(f"output:{node}"))
        return None if text is None else json.loads(text)

    # --- steps --------------------------------------------------------------------------------------------------------

    def before(self, node):
        return [other for other, row in enumerate(self.follows) if row[node]]

    def behind(self, node):
        return [other for other, follows in enumerate(self.follows[node]) if follows]

    def thresholds(self):
        return [max(1, len(self.before(node))) for node in range(len(self.steps))]

    def input(self, node):
        """What the steps before a step have put out."""
        outputs = [self.output(other) for other in self.before(node)]
        outputs = [output for output in outputs if output is not None]
        found = {} if not outputs else outputs[0] if len(outputs) == 1 else outputs
        if getattr(self.steps[node], "merge", False) and isinstance(found, list):
            return {key: value for item in found for key, value in item.items()}
        return found

    def begin(self, node):
        """Begins a step: a task is announced, anything else ends at once and is said to."""
        step = self.steps[node]
        if isinstance(step, InvokeTask):
            given = self.input(node)
            event = {"name": step.name, "base": step.base or step.name, "index": node, "workflow": self.workflow}
            event["parameters"] = step.parameters or {}
            if given:
                event["input"] = given
            self.send("start-task", **event)
            return False
        if isinstance(step, StartFlow):
            value = self.output(-1) or {}
        else:
            value = self.input(node)
            if isinstance(step, Source):
                value = step.value
        self.redis.set(self.key(f"output:{node}"), json.dumps(value))
        if node == len(self.steps) - 1:
            self.send("end-workflow", workflow=self.workflow)
        return True

    def start(self, nodes):
        """Begins these steps, and what follows from those that end at once, unless the run is not running."""
        arrived = self.total("A")
        while nodes and self.state() == "RUNNING":
            self.push("S", self.change(nodes, 1))
            ended = [node for node in nodes if self.begin(node)]
            taken = self.change(nodes, [-threshold for threshold in self.thresholds()])
            # Only now: who reads the list before this sees steps that are to start and have started already.
            self.push("A", taken)
            arrived = [sum(pair) for pair in zip(arrived, taken)]
            nodes, arrived = self.passed(ended, arrived)

    def passed(self, ended, arrived):
        """Activates what follows steps that have ended; those that can start, and the activations."""
        if not ended:
            return [], arrived
        activated = self.change([node for end in ended for node in self.behind(end)], 1)
        if any(activated):
            self.push("A", activated)
        self.push("S", self.change(ended, -1))
        arrived = [sum(pair) for pair in zip(arrived, activated)]
        ready = [n for n, threshold in enumerate(self.thresholds()) if arrived[n] >= threshold]
        return ready, arrived
