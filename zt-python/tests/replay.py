"""Recorded events through an engine: `replay.py CONFIG EVENTS OUT`, one decision a line, byte for byte."""

import sys
from pathlib import Path

import zt


def main(config, events, out):
    engine = zt.Engine.from_toml(Path(config).read_text(encoding="utf-8"))
    with open(events, encoding="utf-8", newline="\n") as lines, open(out, "w", encoding="utf-8", newline="\n") as written:
        for line in lines:
            if line.strip():
                written.write(engine.decide_event_json(line) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
