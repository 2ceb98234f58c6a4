"""Talks to a server by h11, which raises on whatever is not HTTP/1.1, and says how many checks held."""

import random
import socket
import sys

import h11

PORT = int(sys.argv[1])
HOST = [("Host", "localhost")]


class Client:
    """A connection, with h11's view of it."""

    def __init__(self):
        self.socket = socket.create_connection(("127.0.0.1", PORT), timeout=20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.view = h11.Connection(h11.CLIENT)

    def bytes_of(self, method, target, body=b"", headers=(), trailers=(), pieces=1):
        """What h11 would send for a request."""
        headers = HOST + list(headers)
        if body and not any(name.lower() == "transfer-encoding" for name, _ in headers):
            headers.append(("Content-Length", str(len(body))))
        sent = self.view.send(h11.Request(method=method, target=target, headers=headers))
        size = max(1, -(-len(body) // pieces))
        for at in range(0, len(body), size):
            sent += self.view.send(h11.Data(data=body[at : at + size]))
        return sent + self.view.send(h11.EndOfMessage(headers=list(trailers)))

    def event(self):
        """The next event, read for if need be."""
        while True:
            event = self.view.next_event()
            if event is not h11.NEED_DATA:
                return event
            self.view.receive_data(self.socket.recv(65536))

    def answer(self):
        """An answer to its end: its head, its body, and its trailers."""
        head = self.event()
        assert isinstance(head, h11.Response), head
        body = b""
        while isinstance(event := self.event(), h11.Data):
            body += event.data
        assert isinstance(event, h11.EndOfMessage), event
        return head, body, list(event.headers)

    def ask(self, method, target, **request):
        self.socket.sendall(self.bytes_of(method, target, **request))
        return self.answer()

    def again(self):
        self.view.start_next_cycle()
        return self

    def is_closed(self):
        """Whether the server closes, without a byte more."""
        return self.socket.recv(1) == b""


def field(head, name):
    values = [value for key, value in head.headers if key == name]
    assert len(values) <= 1, head.headers
    return values[0] if values else None


def keep_alive():
    client = Client()
    for _ in range(5):
        head, body, _ = client.ask("GET", "/")
        assert (head.status_code, body) == (200, b"hello"), (head, body)
        assert head.http_version == b"1.1" and field(head, b"date"), head
        client.again()


def closes_when_asked():
    client = Client()
    head, body, _ = client.ask("GET", "/", headers=[("Connection", "close")])
    assert body == b"hello" and field(head, b"connection") == b"close", head
    assert client.is_closed()


def head_has_no_body():
    client = Client()
    head, body, _ = client.ask("HEAD", "/bytes/1000")
    assert body == b"" and field(head, b"content-length") == b"1000", head
    assert client.again().ask("GET", "/")[1] == b"hello"


def echo_of_every_kind():
    client = Client()
    for size in (1, 2047, 2048, 2049, 65536, 1_000_000):
        sent = random.Random(size).randbytes(size)
        assert client.ask("POST", "/echo", body=sent)[1] == sent
        client.again()
        chunked = [("Transfer-Encoding", "chunked")]
        for pieces in (1, 7, 100):
            _, body, _ = client.ask("PUT", "/echo", body=sent, headers=chunked, pieces=pieces)
            assert body == sent
            client.again()


def chunks_with_trailers_arrive():
    client = Client()
    head, body, trailers = client.ask("GET", "/pieces/7", headers=[("TE", "trailers")])
    assert len(body) == 700 and field(head, b"transfer-encoding") == b"chunked", head
    assert trailers == [(b"pieces", b"7")], trailers
    client.again()


def trailers_are_taken():
    client = Client()
    chunked = [("Transfer-Encoding", "chunked"), ("Trailer", "X-End")]
    _, body, _ = client.ask(
        "POST", "/echo", body=b"abc", headers=chunked, trailers=[("X-End", "yes")]
    )
    assert body == b"abc"
    assert client.again().ask("GET", "/")[1] == b"hello"


def byte_by_byte():
    client = Client()
    for byte in client.bytes_of("POST", "/echo", body=b"slowly", headers=[("X", "y")]):
        client.socket.sendall(bytes([byte]))
    assert client.answer()[1] == b"slowly"


def split_anywhere():
    client = Client()
    dice = random.Random(11)
    for _ in range(50):
        sent = dice.randbytes(dice.randrange(1, 9000))
        left = client.bytes_of(
            "POST", "/echo", body=sent, headers=[("Transfer-Encoding", "chunked")], pieces=5
        )
        while left:
            some = dice.randrange(1, 3000)
            client.socket.sendall(left[:some])
            left = left[some:]
        assert client.answer()[1] == sent
        client.again()


def pipelined():
    """Answers come in the order of the requests, and each has an end."""
    writers = [Client() for _ in range(20)]
    sent = b"".join(
        writer.bytes_of("POST", "/echo", body=b"%d" % number * 50)
        for number, writer in enumerate(writers)
    )
    first = writers[0]
    first.socket.sendall(sent)
    left = b""
    for number, reader in enumerate(writers):
        if number > 0:
            reader.socket.close()
            reader.socket = first.socket
            reader.view.receive_data(left) if left else None
        assert reader.answer()[1] == b"%d" % number * 50
        left = reader.view.trailing_data[0]
    assert left == b""


def told_to_continue():
    client = Client()
    request = h11.Request(
        method="POST",
        target="/collect",
        headers=HOST + [("Content-Length", "3"), ("Expect", "100-continue")],
    )
    client.socket.sendall(client.view.send(request))
    event = client.event()
    assert isinstance(event, h11.InformationalResponse) and event.status_code == 100, event
    client.socket.sendall(client.view.send(h11.Data(data=b"abc")))
    client.socket.sendall(client.view.send(h11.EndOfMessage()))
    assert client.answer()[1] == b"abc"


def refusals_are_whole_answers():
    for raw, status in [
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\nHost: a\n\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\n folded: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        (b"GET / HTTP/3.7\r\nHost: a\r\n\r\n", 505),
        (b"POST /collect HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    ]:
        client = Client()
        # So that h11 expects an answer; what is sent instead is ours.
        client.bytes_of("GET", "/")
        client.socket.sendall(raw)
        client.socket.shutdown(socket.SHUT_WR)
        head, _, _ = client.answer()
        assert head.status_code == status, (raw, head)
        assert field(head, b"connection") == b"close", (raw, head)
        assert client.is_closed(), raw


def answered_after_a_half_close():
    client = Client()
    client.socket.sendall(client.bytes_of("GET", "/pieces/20"))
    client.socket.shutdown(socket.SHUT_WR)
    assert len(client.answer()[1]) == 2000
    assert client.is_closed()


def of_http_1_0():
    client = Client()
    client.bytes_of("GET", "/")
    client.socket.sendall(b"GET /pieces/20 HTTP/1.0\r\n\r\n")
    head, body, _ = client.answer()
    assert len(body) == 2000 and field(head, b"transfer-encoding") is None, head


CHECKS = [
    keep_alive,
    closes_when_asked,
    head_has_no_body,
    echo_of_every_kind,
    chunks_with_trailers_arrive,
    trailers_are_taken,
    byte_by_byte,
    split_anywhere,
    pipelined,
    told_to_continue,
    refusals_are_whole_answers,
    answered_after_a_half_close,
    of_http_1_0,
]

for check in CHECKS:
    try:
        check()
    except Exception as error:
        raise AssertionError(f"{check.__name__} does not hold") from error
print(f"{len(CHECKS)} checks")
