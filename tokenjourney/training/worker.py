"""A process that trains one micro GPT: `python -m tokenjourney.training.worker`.

It reads its settings as one line of JSON, and writes one line for whatever `micro_training` yields.
After each it waits for a line from the one who started it: no line, no step. So whoever reads
slowly slows it down, whoever pauses pauses it, and when that process is gone, so is this one.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TextIO

import torch

from tokenjourney.errors import TokenJourneyError
from tokenjourney.training.micro import micro_training
from tokenjourney.training.moments import FAILED, MicroSettings, as_record


def work(orders: TextIO, records: TextIO) -> None:
    """Trains as the first line of `orders` says, one step for each further line."""

    def write(record: dict[str, object]) -> None:
        records.write(json.dumps(record, separators=(",", ":")) + "\n")
        records.flush()

    try:
        for found in micro_training(MicroSettings(**json.loads(orders.readline()))):
            write(as_record(found))
            if not orders.readline():
                return
    except TokenJourneyError as error:
        write({"kind": FAILED, "message": str(error)})


def main() -> None:
    """Works politely: on one thread, behind everybody who waits for a page."""
    torch.set_num_threads(1)
    if hasattr(os, "nice"):
        os.nice(10)  # not more: on a busy server 19 leaves it next to nothing
    try:
        work(sys.stdin, sys.stdout)
    except BrokenPipeError:  # nobody listens any more
        os._exit(0)


if __name__ == "__main__":
    main()
