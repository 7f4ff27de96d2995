"""The cases of `cargo xtask conformance`: `conformance.py CASES OUT`, one answer a line."""

import json
import sys

import zt


def main(cases, out):
    with open(cases, encoding="utf-8", newline="\n") as lines, open(out, "w", encoding="utf-8", newline="\n") as written:
        for line in lines:
            case = json.loads(line)
            answer = {"suite": case["suite"], "id": case["id"], "answer": None, "error": None}
            try:
                # Where it is text, it has numbers that JavaScript would round.
                document = json.loads(case["text"]) if "text" in case else case["document"]
                answer["answer"] = zt.op(case["op"], document)
            except ValueError as error:
                answer["error"] = str(error)
            written.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
