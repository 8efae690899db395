#!/usr/bin/env python3
"""Phones that call each other over a bad network, with the timers of RFC 3261 sections 13 and 17. What they send and get is lost,
doubled, delayed and overtaken as the plan says; the plan comes as JSON on standard input, what became of the calls goes out as
JSON. With "join" in the plan the process is in a network namespace of its own, where nftables loses the packets."""

import collections
import heapq
import json
import os
import random
import selectors
import socket
import subprocess
import sys
import time

from wire import Message, digest, sdp

T1, T2, LIFE_S = 0.5, 4.0, 32.0  # RFC 3261 section 17.1.1.1; 64 * T1
RING_S, TALK_S = 0.2, 0.5


class Clock:
    def __init__(self):
        self.heap, self.count = [], 0

    def after(self, seconds, act):
        self.count += 1
        heapq.heappush(self.heap, (time.monotonic() + seconds, self.count, act))

    def run_due(self):
        while self.heap and self.heap[0][0] <= time.monotonic():
            heapq.heappop(self.heap)[2]()

    def next_s(self):
        return min(0.1, max(0.0, self.heap[0][0] - time.monotonic())) if self.heap else 0.1


class Network:
    """What becomes of a datagram on its way, either way."""

    def __init__(self, clock, plan):
        self.clock, self.plan, self.random = clock, plan, random.Random(plan["seed"])
        self.counts = collections.Counter()

    def carry(self, deliver):
        self.counts["sent"] += 1
        if self.random.random() < self.plan["loss"]:
            self.counts["lost"] += 1
            return
        copies = 1
        if self.random.random() < self.plan["duplicates"]:
            self.counts["doubled"] += 1
            copies = 2
        for _ in range(copies):
            delay = self.random.uniform(self.plan["delay_min_s"], self.plan["delay_max_s"])
            if self.random.random() < self.plan["reordering"]:
                self.counts["overtaken"] += 1
                delay += 0.1
            self.clock.after(delay, deliver)


class Client:
    """A client transaction over UDP (RFC 3261 section 17.1)."""

    def __init__(self, phone, branch, method, data, finish):
        self.phone, self.branch, self.method, self.data, self.finish = phone, branch, method, data, finish
        self.key, self.state, self.wait = (branch, method), "calling", T1
        phone.clients[self.key] = self
        phone.send(data)
        phone.clock.after(T1, self.repeat)
        phone.clock.after(LIFE_S, self.time_over)

    def repeat(self):
        if self.state == "done" or (self.method == "INVITE" and self.state == "proceeding"):
            return
        self.phone.send(self.data)
        self.wait = min(self.wait * 2, T2) if self.method != "INVITE" else self.wait * 2
        self.phone.clock.after(T2 if self.state == "proceeding" else self.wait, self.repeat)

    def time_over(self):
        if self.state == "calling" or (self.state == "proceeding" and self.method != "INVITE"):
            self.state = "done"
            self.finish(None)

    def answered(self, response):
        if response.status < 200:
            if self.state == "calling":
                self.state = "proceeding"
            return
        if self.method == "INVITE" and response.status >= 300:
            self.phone.acknowledge_refusal(self, response)  # each time it comes
        if self.state != "done":
            self.state = "done"
            self.finish(response)


class Server:
    """A server transaction over UDP (section 17.2, and the 200 of section 13.3.1.4)."""

    def __init__(self, phone, request):
        self.phone, self.request, self.last, self.state, self.wait = phone, request, None, "new", T1

    def respond(self, status, body=b""):
        self.last = self.phone.response(self.request, status, body)
        self.phone.send(self.last)
        if self.request.method == "INVITE" and status >= 200:
            self.state = "final"
            self.phone.clock.after(T1, self.repeat)
            self.phone.clock.after(LIFE_S, self.time_over)

    def repeat(self):
        if self.state == "final":
            self.phone.send(self.last)
            self.wait = min(2 * self.wait, T2)
            self.phone.clock.after(self.wait, self.repeat)

    def time_over(self):
        if self.state == "final":
            self.state = "given up"
            self.phone.world.trouble["no ACK"] += 1


class Phone:
    def __init__(self, world, number, answers):
        self.world, self.clock, self.number, self.answers = world, world.clock, number, answers
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((world.plan["host"], 0))
        self.socket.setblocking(False)
        self.address = "%s:%d" % self.socket.getsockname()
        self.clients, self.servers, self.dialogs, self.cseq = {}, {}, {}, 0
        self.call_id, self.registered = f"r{os.urandom(6).hex()}", False

    # ---- sending and getting

    def send(self, data):
        self.world.network.carry(lambda: self.send_now(data))

    def send_now(self, data):
        try:
            self.socket.sendto(data, self.world.server)
        except PermissionError:  # so the kernel tells of what its rules drop on the way out
            self.world.network.counts["lost on the way out"] += 1

    def readable(self):
        while True:
            try:
                data = self.socket.recv(65536)
            except BlockingIOError:
                return
            self.world.network.carry(lambda data=data: self.received(Message(data)))

    def head(self, method, uri, call, branch, cseq):
        return [f"{method} {uri} SIP/2.0", f"Via: SIP/2.0/UDP {self.address};branch={branch};rport", "Max-Forwards: 70",
                f"From: {call['from']}", f"To: {call['to']}", f"Call-ID: {call['id']}", f"CSeq: {cseq} {method}",
                f"Contact: <sip:{self.number}@{self.address}>"]

    @staticmethod
    def finished(lines, body=b""):
        if body:
            lines.append("Content-Type: application/sdp")
        return "\r\n".join([*lines, f"Content-Length: {len(body)}"]).encode() + b"\r\n\r\n" + body

    def request(self, method, uri, call, cseq, finish, extra=(), body=b""):
        branch = f"z9hG4bK{os.urandom(8).hex()}"
        Client(self, branch, method, self.finished([*self.head(method, uri, call, branch, cseq), *extra], body), finish)

    def response(self, request, status, body):
        to = request.get("To")
        if ";tag=" not in to:
            to += f";tag=t{self.number}"
        lines = [f"SIP/2.0 {status} Whatever", *(f"Via: {via}" for via in request.all("Via")), f"From: {request.get('From')}",
                 f"To: {to}", f"Call-ID: {request.get('Call-ID')}", f"CSeq: {request.get('CSeq')}"]
        if request.method == "INVITE":
            lines.append(f"Contact: <sip:{self.number}@{self.address}>")
        return self.finished(lines, body)

    def acknowledge_refusal(self, client, response):
        uri = client.data.split(b" ")[1].decode()
        self.send(self.finished([f"ACK {uri} SIP/2.0", f"Via: SIP/2.0/UDP {self.address};branch={client.branch};rport",
                                 "Max-Forwards: 70", f"From: {response.get('From')}", f"To: {response.get('To')}",
                                 f"Call-ID: {response.get('Call-ID')}", f"CSeq: {response.cseq} ACK"]))

    def received(self, message):
        if message.status:
            client = self.clients.get((message.branch, message.cseq_method))
            if client and client.state != "done":
                client.answered(message)
            elif client and client.method == "INVITE":
                if message.status >= 300:
                    self.acknowledge_refusal(client, message)
                elif message.status >= 200 and message.get("Call-ID") in self.dialogs:
                    self.send(self.dialogs[message.get("Call-ID")]["ack"])
            return
        if message.method == "ACK":
            for key in ((message.get("Call-ID"), message.cseq), (message.branch, "INVITE")):
                if key in self.servers:
                    self.acknowledged(self.servers[key])
                    return
            return
        known = self.servers.get((message.branch, message.method))
        if known:
            if known.last:
                self.send(known.last)
            return
        server = self.servers[message.branch, message.method] = Server(self, message)
        if message.method == "INVITE":
            self.servers[message.get("Call-ID"), message.cseq] = server
        getattr(self, "take_" + message.method.lower())(server)

    # ---- being called

    def take_invite(self, server):
        server.respond(180)
        server.state = "ringing"
        if self.answers:
            self.clock.after(RING_S, lambda: self.answer(server))

    def answer(self, server):
        if server.state == "ringing":
            server.respond(200, sdp(self.world.plan["host"]))
            server.state = "final"
            self.dialogs[server.request.get("Call-ID")] = {"state": "answered"}
            self.world.answered += 1

    def acknowledged(self, server):
        if server.state != "final":
            return
        server.state = "acknowledged"
        dialog = self.dialogs.get(server.request.get("Call-ID"))
        if dialog and dialog["state"] == "answered":
            dialog["state"] = "up"
            if self.world.network.random.random() < 0.5:  # either side hangs up, now and then both
                self.clock.after(TALK_S, lambda: self.hang_up_theirs(server, dialog))

    def hang_up_theirs(self, server, dialog):
        if dialog["state"] != "up":
            return
        dialog["state"] = "ending"
        invite = server.request
        call = {"from": f"{invite.get('To')};tag=t{self.number}", "to": invite.get("From"), "id": invite.get("Call-ID")}
        self.cseq += 1
        self.request("BYE", invite.contact_uri, call, self.cseq, lambda response: self.ended(dialog, response))

    def ended(self, dialog, response):
        if response is None:
            self.world.trouble["BYE without an answer"] += 1
        dialog["state"] = "over"

    def take_cancel(self, server):
        server.respond(200)
        invite = self.servers.get((server.request.branch, "INVITE"))
        if invite and invite.state == "ringing":
            invite.respond(487)

    def take_bye(self, server):
        server.respond(200)
        dialog = self.dialogs.get(server.request.get("Call-ID"))
        if not dialog:
            self.world.trouble["BYE to no dialog"] += 1
            return
        dialog["state"] = "over"
        if "finish" in dialog:
            dialog["finish"]("completed")

    # ---- registering and calling

    def register(self, authorization=(), done=None):
        self.cseq += 1
        uri = "sip:%s:%d" % self.world.server
        call = {"from": f"<sip:{self.number}@carillon>;tag=r", "to": f"<sip:{self.number}@carillon>", "id": self.call_id}

        def finish(response):
            if response is not None and response.status == 401 and not authorization:
                answer = digest(response.get("WWW-Authenticate"), "REGISTER", uri, self.number, f"secret{self.number}")
                self.register([f"Authorization: {answer}"], done)
                return
            self.registered = response is not None and response.status == 200
            done(self)

        self.request("REGISTER", uri, call, self.cseq, finish, [*authorization, "Expires: 3600"])

    def call(self, extension, finish, authorization=()):
        self.cseq += 1
        cseq, uri = self.cseq, f"sip:{extension}@%s:%d" % self.world.server
        call = {"from": f"<sip:{self.number}@carillon>;tag=c{cseq}", "to": f"<{uri}>", "id": f"c{os.urandom(8).hex()}"}

        def answered(response):
            if response is None:
                finish("INVITE without an answer")
            elif response.status == 401 and not authorization:
                answer = digest(response.get("WWW-Authenticate"), "INVITE", uri, self.number, f"secret{self.number}")
                self.call(extension, finish, [f"Authorization: {answer}"])
            elif response.status >= 300:
                finish(f"refused with {response.status}")
            else:
                self.up(call, cseq, response, finish)

        self.request("INVITE", uri, call, cseq, answered, authorization, sdp(self.world.plan["host"]))

    def up(self, call, cseq, response, finish):
        call["to"] = response.get("To")
        branch = f"z9hG4bK{os.urandom(8).hex()}"
        ack = self.finished(self.head("ACK", response.contact_uri, call, branch, cseq))
        dialog = self.dialogs[call["id"]] = {"state": "up", "ack": ack, "finish": finish}
        self.send(ack)

        def hang_up():
            if dialog["state"] != "up":
                return
            dialog["state"] = "ending"
            self.cseq += 1
            self.request("BYE", response.contact_uri, call, self.cseq, over)

        def over(answer):
            dialog["state"] = "over"
            finish("completed" if answer is not None and answer.status in (200, 481) else "BYE without an answer")

        self.clock.after(2 * TALK_S, hang_up)


class World:
    def __init__(self, plan):
        self.plan, self.clock = plan, Clock()
        host, port = plan["server"].rsplit(":", 1)
        self.server = (host, int(port))
        self.network = Network(self.clock, plan)
        self.trouble, self.outcomes, self.answered = collections.Counter(), collections.Counter(), 0
        self.selector = selectors.DefaultSelector()
        self.callers, self.callees = [], []
        for user in range(2 * plan["pairs"]):
            first = plan["first_device"] + 3 * user
            if user < plan["pairs"]:
                self.callers.append(self.phone(first, False))
            else:
                self.callees.append([self.phone(first + i, i == 0) for i in range(3)])

    def phone(self, number, answers):
        phone = Phone(self, str(number), answers)
        self.selector.register(phone.socket, selectors.EVENT_READ, phone)
        return phone

    def run_until(self, condition, seconds):
        end = time.monotonic() + seconds
        while not condition() and time.monotonic() < end:
            for key, _ in self.selector.select(self.clock.next_s()):
                key.data.readable()
            self.clock.run_due()
        return condition()

    def register_all(self):
        phones = self.callers + [phone for phones in self.callees for phone in phones]
        waiting = set(phones)

        def done(phone):
            if phone.registered:
                waiting.discard(phone)
            else:
                phone.register(done=done)

        for i, phone in enumerate(phones):
            self.clock.after(i / self.plan["registers_per_s"], lambda phone=phone: phone.register(done=done))
        if not self.run_until(lambda: not waiting, 90):
            raise SystemExit(f"{len(waiting)} phones could not register")

    def call_all(self):
        free, made = list(range(self.plan["pairs"])), [0]

        def begin():
            if not free:
                return
            pair, said = free.pop(0), []
            made[0] += 1

            def finish(outcome):
                if not said:
                    said.append(outcome)
                    self.outcomes[outcome] += 1
                    # The losers' legs are still being cancelled: the phones are used again a little later.
                    self.clock.after(2, lambda: free.append(pair))

            self.callers[pair].call(str(self.plan["first_extension"] + self.plan["pairs"] + pair), finish)

        def tick():
            begin()
            if made[0] < self.plan["calls"]:
                self.clock.after(1 / self.plan["calls_per_s"], tick)

        tick()
        self.run_until(lambda: sum(self.outcomes.values()) >= self.plan["calls"], self.plan["calls"] / self.plan["calls_per_s"] + 80)
        self.run_until(lambda: not self.left(), 40)

    def left(self):
        """Dialogs that nobody has ended, at either end."""
        phones = self.callers + [phone for phones in self.callees for phone in phones]
        return sum(dialog["state"] != "over" for phone in phones for dialog in phone.dialogs.values())


def join(plan):
    """In the namespace: an address, and a loss in both directions that the kernel decides."""
    for command in ("ip link set lo up", f"ip addr add {plan['host']}/30 dev phones", "ip link set phones up"):
        subprocess.run(command.split(), check=True)
    permille = int(plan["kernel_loss"] * 1000)
    rules = "table inet loss {\n" + "".join(
        f"chain {hook} {{ type filter hook {hook} priority 0; meta l4proto udp numgen random mod 1000 < {permille} counter drop; }}\n"
        for hook in ("input", "output")) + "}\n"
    subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True)


def main():
    plan = json.loads(sys.stdin.readline())
    if plan.get("join"):
        join(plan)
    world = World(plan)
    world.register_all()
    world.call_all()
    print(json.dumps({"outcomes": world.outcomes, "trouble": world.trouble, "answered": world.answered, "left": world.left(),
                      "network": world.network.counts}), flush=True)


if __name__ == "__main__":
    main()
