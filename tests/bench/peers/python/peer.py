"""A peer of the benchmark: pika as its documentation advises it for throughput, that is with its
asynchronous connection (the blocking one waits for each confirm by itself).

    peer.py publish URL QUEUE COUNT SIZE         with confirms
    peer.py consume URL QUEUE COUNT              with acks
    peer.py paced URL QUEUE RATE SECONDS SIZE    both, on two connections: how late a message is

Prints one line of JSON. side_by_side.sh runs it.
"""
import json
import math
import resource
import struct
import sys
import time

import pika
from pika.adapters.select_connection import IOLoop

WINDOW = 1000
PREFETCH = 1000
ACK_EVERY = 100
STAMP = struct.Struct(">QQ")

loop = IOLoop()
connections = []


def open_channel(url, on_channel):
    """Calls on_channel(channel) once there is one."""
    connections.append(pika.SelectConnection(
        pika.URLParameters(url),
        on_open_callback=lambda connection: connection.channel(on_open_callback=on_channel),
        on_open_error_callback=on_close,
        on_close_callback=on_close,
        custom_ioloop=loop,
    ))


def on_close(connection, reason):
    if not isinstance(reason, pika.exceptions.ConnectionClosedByClient):
        sys.exit(f"the connection ended: {reason}")
    connections.remove(connection)
    if not connections:
        loop.stop()


def close_all():
    for connection in connections:
        connection.close()


class Publisher:
    """Sends what next_body(n) gives, or nothing for now when it gives None; resume() goes on. At
    most WINDOW messages have no confirm. Calls on_finished() when all have theirs."""

    def __init__(self, channel, queue, count, next_body, on_finished):
        self.channel, self.queue, self.count = channel, queue, count
        self.next_body, self.on_finished = next_body, on_finished
        self.properties = pika.BasicProperties(delivery_mode=1)
        self.sent = 0
        self.confirmed = 0  # every tag up to this one
        self.early = set()  # the confirmed tags above it

    def start(self):
        self.channel.confirm_delivery(self.on_confirm, callback=lambda _frame: self.resume())

    def resume(self):
        while self.sent < self.count and self.sent - self.confirmed < WINDOW:
            body = self.next_body(self.sent)
            if body is None:
                return
            self.sent += 1
            self.channel.basic_publish("", self.queue, body, self.properties)

    def on_confirm(self, frame):
        if not isinstance(frame.method, pika.spec.Basic.Ack):
            sys.exit("a message was refused")
        was_full = self.sent - self.confirmed == WINDOW
        self.settle(frame.method.delivery_tag, frame.method.multiple)
        if self.confirmed == self.count:
            self.on_finished()
        elif was_full:
            self.resume()

    def settle(self, tag, multiple):
        if multiple:
            self.confirmed = max(self.confirmed, tag)
            self.early = {t for t in self.early if t > tag}
        else:
            self.early.add(tag)
        while self.confirmed + 1 in self.early:
            self.confirmed += 1
            self.early.remove(self.confirmed)


class Consumer:
    """Calls each(n, body) for `count` messages, on_ready() before and on_finished() after them."""

    def __init__(self, channel, queue, count, each, on_ready, on_finished):
        self.count, self.each, self.on_finished = count, each, on_finished
        self.received = 0
        channel.basic_qos(prefetch_count=PREFETCH, callback=lambda _frame: channel.basic_consume(
            queue, self.on_message, callback=lambda _frame: on_ready()))

    def on_message(self, channel, method, _properties, body):
        self.each(self.received, body)
        self.received += 1
        if self.received % ACK_EVERY == 0 or self.received == self.count:
            channel.basic_ack(method.delivery_tag, multiple=True)
        if self.received == self.count:
            self.on_finished()


# ---- the jobs ----


def flood(job, url, count, on_channel):
    """on_channel(channel, on_finished) does the job."""

    def begin(channel):
        began = time.time()

        def on_finished():
            print(json.dumps({"client": "pika", "job": job, "count": count, "began": began,
                              "ended": time.time()}))
            close_all()

        on_channel(channel, on_finished)

    open_channel(url, begin)
    loop.start()


def flood_publish(url, queue, count, size):
    body = b"x" * size
    flood("publish", url, count, lambda channel, on_finished: Publisher(
        channel, queue, count, lambda _n: body, on_finished).start())


def flood_consume(url, queue, count):
    flood("consume", url, count, lambda channel, on_finished: Consumer(
        channel, queue, count, lambda _n, _body: None, lambda: None, on_finished))


def percentile(samples, share):
    """The smallest sample that this share of them does not exceed, in microseconds."""
    return round(samples[math.ceil(share * len(samples)) - 1] / 1000, 1)


class Paced:
    def __init__(self, url, queue, rate, seconds, size):
        self.url, self.queue, self.rate, self.count = url, queue, rate, rate * seconds
        self.filling = b"x" * (size - STAMP.size)
        self.from_due, self.from_sent, self.gap = [], [], []
        self.unfinished = 2
        self.publisher = None
        self.start_ns = 0

    def run(self):
        open_channel(self.url, lambda channel: Consumer(
            channel, self.queue, self.count, self.on_body, self.open_publisher, self.on_finished))
        loop.start()

    def open_publisher(self):
        open_channel(self.url, self.on_publisher)

    def on_publisher(self, channel):
        self.publisher = Publisher(
            channel, self.queue, self.count, self.next_body, self.on_finished)
        self.start_ns = time.monotonic_ns()
        self.publisher.start()

    def next_body(self, n):
        due = self.start_ns + n * 1_000_000_000 // self.rate
        now = time.monotonic_ns()
        if now < due:
            loop.call_later((due - now) / 1e9, self.publisher.resume)
            return None
        return STAMP.pack(due, now) + self.filling

    def on_body(self, _n, body):
        now = time.monotonic_ns()
        due, sent = STAMP.unpack_from(body)
        self.from_due.append(now - due)
        self.from_sent.append(now - sent)
        self.gap.append(sent - due)

    def on_finished(self):
        self.unfinished -= 1
        if self.unfinished == 0:
            self.report()
            close_all()

    def report(self):
        for samples in self.from_due, self.from_sent, self.gap:
            samples.sort()
        usage = resource.getrusage(resource.RUSAGE_SELF)
        print(json.dumps({
            "client": "pika", "sent": self.count, "received": len(self.from_due),
            "p50_due_us": percentile(self.from_due, 0.5),
            "p99_due_us": percentile(self.from_due, 0.99),
            "p50_sent_us": percentile(self.from_sent, 0.5),
            "p99_sent_us": percentile(self.from_sent, 0.99),
            "p99_gap_us": percentile(self.gap, 0.99),
            "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3),
        }))


def main():
    jobs = {"publish": (flood_publish, 4), "consume": (flood_consume, 3),
            "paced": (lambda *arguments: Paced(*arguments).run(), 5)}
    job, parameters = jobs.get(sys.argv[1] if len(sys.argv) > 1 else "", (None, 0))
    if job is None or len(sys.argv) - 2 != parameters:
        sys.exit("usage: publish URL QUEUE COUNT SIZE | consume URL QUEUE COUNT"
                 " | paced URL QUEUE RATE SECONDS SIZE")
    url, queue, *numbers = sys.argv[2:]
    job(url, queue, *map(int, numbers))


if __name__ == "__main__":
    main()
