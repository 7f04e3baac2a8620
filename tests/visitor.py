"""A browser without a screen: speaks to the page's private functions as Gradio's own front end does.

    with Visitor(url, page) as one:
        [frame] = one.call("read", [...])

Until the end of the `with` the connection stays open that tells the server somebody is there; its end is a closed tab.
"""

import json
import socket
import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx


class Visitor:
    """One session.

    Args:
        url: where the page is served.
        page: the gr.Blocks, to look its functions up by name.
    """

    def __init__(self, url: str, page):
        self.url, self.session = f"{url.rstrip('/')}/gradio_api", uuid.uuid4().hex
        self.numbers = {fn.name: number for number, fn in page.fns.items()}
        self.client = httpx.Client(timeout=60)

    def __enter__(self) -> "Visitor":
        where = urlsplit(self.url)
        self.beat = socket.create_connection((where.hostname, where.port), timeout=10)
        path = f"{where.path}/heartbeat/{self.session}"
        self.beat.sendall(f"GET {path} HTTP/1.1\r\nHost: {where.netloc}\r\n\r\n".encode())
        return self

    def __exit__(self, *_) -> None:
        self.beat.close()
        self.client.close()

    def run(self, name: str, data: list) -> None:
        """Run a function that does not wait in the queue."""
        body = {"data": data, "fn_index": self.numbers[name], "session_hash": self.session}
        self.client.post(f"{self.url}/run/predict", json=body).raise_for_status()

    def join(self, name: str, data: list) -> str:
        """Ask for a function to be run; returns the number of the run."""
        body = {"data": data, "fn_index": self.numbers[name], "session_hash": self.session}
        answer = self.client.post(f"{self.url}/queue/join", json=body)
        answer.raise_for_status()
        return answer.json()["event_id"]

    def messages(self) -> Iterator[dict]:
        """What the server says about this visitor's runs."""
        with self.client.stream("GET", f"{self.url}/queue/data?session_hash={self.session}") as response:
            for line in response.iter_lines():
                if line.startswith("data:"):
                    yield json.loads(line[5:])

    def call(self, name: str, data: list) -> list:
        """Run a function to its end; returns the values of its last message.

        Raises:
            RuntimeError: with what the server says, if it fails.
        """
        self.join(name, data)
        for message in self.messages():
            if message["msg"] == "process_completed":
                if not message["success"]:
                    raise RuntimeError(str(message["output"].get("error")))
                return message["output"]["data"]
        raise RuntimeError("The server hung up.")
