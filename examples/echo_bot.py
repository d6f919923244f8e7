"""Answers every message with itself, over server-sent events. Needs `requests`.

python examples/echo_bot.py http://127.0.0.1:8080 +12025550101
"""

import json
import sys

import requests


def main(url: str, number: str) -> None:
    headers = {"Accept": "text/event-stream"}
    query = {"types": "message"}
    with requests.get(
        f"{url}/v1/receive/{number}", headers=headers, params=query, stream=True, timeout=60
    ) as stream:
        for line in stream.iter_lines(chunk_size=1):
            if not line.startswith(b"data: "):
                continue
            envelope = json.loads(line[6:])["envelope"]
            text = envelope["dataMessage"].get("message")
            if text:
                answer = {
                    "number": number,
                    "recipients": [envelope["sourceUuid"] or envelope["sourceNumber"]],
                    "message": text,
                }
                requests.post(f"{url}/v2/send", json=answer, timeout=60).raise_for_status()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
