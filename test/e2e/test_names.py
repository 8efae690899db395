#!/usr/bin/env python3
"""Trunks by name: the servers behind it, one of which is out of order, and a name server that goes away."""

import time
import unittest

from agents import free_port, wait_for
from names import NameServer
from server import Server
from wire import Agent, sdp


class Names(unittest.TestCase):
    """Each test has a carrier of its own, two servers of it, and a prefix that leads there."""

    @classmethod
    def setUpClass(cls):
        cls.names = NameServer()
        cls.server = Server(settings=f"dns servers = {cls.names.address}")
        cls.next = 300

    @classmethod
    def tearDownClass(cls):
        cls.server.close()
        cls.names.close()

    def setUp(self):
        self.names.silent = False
        self.agents = []

    def tearDown(self):
        for agent in self.agents:
            agent.close()
        self.server.quiet(45)

    def agent(self, host="127.0.0.1", user="carrier", **fields):
        agent = Agent(self.server.sip, host, "udp", user, **fields)
        self.agents.append(agent)
        return agent

    def phone(self):
        """A registered phone whose user may call outside."""
        Names.next += 1
        device = self.server.device(str(Names.next))
        phone = self.agent(user=device["number"], password=device["sip_password"])
        self.assertEqual(phone.register().status, 200)
        phone.owner = self.server.user(f"user{Names.next}", str(Names.next), [(device, 0, 20)], toll_class=1)
        return phone

    def trunk(self, name, area, **fields):
        """A trunk by this name; calls to 0`area` ... go there."""
        trunk = self.server.api.post("trunks", {"title": name, "host": name, "options_interval_s": 0, **fields})
        self.server.api.post("routes", {"pattern": f"+44{area}", "trunk_id": trunk["id"]})
        return trunk

    def service(self, name, *ports, ttl=600, kind="_sip._udp"):
        """SRV records, one priority after the other, on hosts of the same network."""
        for i, (host, port) in enumerate(ports):
            self.names.add(f"{kind}.{name}", ttl, "SRV", f"{10 * i} 1 {port} s{i}.{name}")
            self.names.add(f"s{i}.{name}", ttl, "A", host)

    def carry(self, caller, number, carrier, seconds=5):
        """A call that this server of the carrier answers, from INVITE to BYE; gives how long its INVITE took."""
        began = time.monotonic()
        caller.invite(number)
        invite = carrier.expect("INVITE", seconds=seconds)
        took = time.monotonic() - began
        carrier.respond(invite, 180)
        caller.expect(180)
        carrier.respond(invite, 200, sdp(carrier.host, 41000))
        answered = caller.expect(200)
        caller.within(answered, "ACK", cseq=caller.cseq)
        carrier.expect("ACK")
        caller.within(answered, "BYE")
        caller.expect(200)
        carrier.respond(carrier.expect("BYE"), 200)
        return took

    def test_silence_leads_to_the_next_server(self):
        silent, second, caller = self.agent("127.0.0.21"), self.agent("127.0.0.22"), self.phone()
        self.service("silent.test", ("127.0.0.21", silent.port), ("127.0.0.22", second.port))
        self.trunk("silent.test", 1444)
        took = self.carry(caller, "01444123456", second, 8)
        self.assertTrue(3.5 < took < 6, took)
        invites = []
        while message := silent.receive(0.1):
            invites.append(message)
        self.assertEqual({message.uri for message in invites}, {"sip:+441444123456@silent.test"})
        self.assertLess(self.carry(caller, "01444123456", second), 1)  # the silent one is left out now
        self.assertRegex(self.server.api.raw("GET", "/metrics")[2], r"\ncarillon_sip_targets_out_of_order [1-9]")

    def test_a_refused_connection_and_a_503_lead_to_the_next_server(self):
        busy, second, caller = self.agent("127.0.0.23"), self.agent("127.0.0.24"), self.phone()
        closed = free_port("127.0.0.23")
        self.names.add("refusing.test", 600, "NAPTR", "10 10 s SIP+D2T _sip._tcp.refusing.test")
        self.names.add("refusing.test", 600, "NAPTR", "10 20 s SIP+D2U _sip._udp.refusing.test")
        self.names.add("_sip._tcp.refusing.test", 600, "SRV", f"0 0 {closed} s0.refusing.test")
        self.service("refusing.test", ("127.0.0.23", busy.port), ("127.0.0.24", second.port))
        self.trunk("refusing.test", 1555, transport="auto")
        began = time.monotonic()
        caller.invite("01555123456")
        invite = busy.expect("INVITE")
        self.assertIn("SIP/2.0/UDP", invite.get("Via"))
        busy.respond(invite, 503, extra=["Retry-After: 100"])
        busy.expect("ACK")
        invite = second.expect("INVITE")
        self.assertLess(time.monotonic() - began, 2)
        second.respond(invite, 486)
        second.expect("ACK")
        refused = caller.expect(486)
        caller.ack_refusal(refused, caller.invite_uri)
        self.assertLess(self.carry(caller, "01555123456", second), 1)

    def test_a_carrier_is_known_by_its_name(self):
        carrier, desk = self.agent("127.0.0.25", user="+441632960000"), self.phone()
        self.names.add("inbound.test", 600, "A", "127.0.0.25")
        self.trunk("inbound.test", 1666)
        self.server.api.post("dids", {"number": "01632 960123", "user_id": desk.owner["id"]})

        def known():
            carrier.send(carrier.request("INVITE", f"sip:+441632960123@{carrier.remote}", sdp(carrier.host)))
            return carrier.receive().status == 100 or None

        wait_for(known, 5, "the trunk's name to be known")
        invite = desk.expect("INVITE")
        desk.respond(invite, 486)
        desk.expect("ACK")
        carrier.expect(486)

    def test_no_name_server(self):
        carrier, caller, desk = self.agent("127.0.0.26"), self.phone(), self.phone()
        self.names.add("cached.test", 5, "A", "127.0.0.26")
        self.trunk("cached.test", 1777, port=carrier.port)
        self.carry(caller, "01777123456", carrier)
        caller.invite("01777123456")
        invite = carrier.expect("INVITE")
        carrier.respond(invite, 200, sdp(carrier.host, 41000))
        running = caller.expect(200)
        caller.within(running, "ACK", cseq=caller.cseq)
        carrier.expect("ACK")

        self.names.silent = True
        time.sleep(6)  # the answer's life is over: what was known serves on
        other = self.phone()
        self.assertLess(self.carry(other, "01777123456", carrier), 4)
        self.trunk("unknown.test", 1888)
        for at_most in (6, 1.5):  # the first one waits for an answer, further ones do not
            began = time.monotonic()
            other.invite("01888123456")
            refused = other.expect(480, 500, 503, seconds=8)
            other.ack_refusal(refused, other.invite_uri)
            self.assertLess(time.monotonic() - began, at_most)
        self.assertLess(self.carry(other, desk.owner["extension"], desk), 1)
        caller.within(running, "BYE")  # nothing of it touched the call that was up
        caller.expect(200)
        carrier.respond(carrier.expect("BYE"), 200)


if __name__ == "__main__":
    unittest.main()
