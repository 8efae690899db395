#!/usr/bin/env python3
"""Transfers, take-overs, moves and pick-ups, read byte by byte at all ends; and a baresip that transfers."""

import unittest
import xml.etree.ElementTree as ElementTree
from urllib.parse import quote

import test_calls
from agents import Baresip, wait_for
from wire import digest, sdp


class Transfers(test_calls.Calls):
    def talking(self):
        """A caller and a desk phone that talk."""
        self.caller_phone, self.desk = self.caller(), self.phone(title="Desk")
        self.jane = self.somebody([self.desk])
        self.caller_phone.invite(self.jane["extension"])
        self.invite = self.desk.expect("INVITE")
        self.answered = self.talk(self.caller_phone, self.invite, self.desk)

    def target(self):
        phone = self.phone()
        return phone, self.somebody([phone])

    def refer(self, target, *extra):
        self.desk.within_theirs(self.invite, "REFER",
                                extra=[f"Refer-To: <sip:{target}@{self.desk.remote}>", *extra])

    def notified(self, fragment, state):
        notify = self.desk.expect("NOTIFY")
        self.assertEqual(notify.body.decode(), f"SIP/2.0 {fragment}\r\n")
        self.assertEqual(notify.get("Content-Type"), "message/sipfrag;version=2.0")
        self.assertTrue(notify.get("Subscription-State").startswith(state), notify.get("Subscription-State"))
        self.assertEqual(notify.get("Event"), "refer")
        self.assertEqual(notify.get("Call-ID"), self.invite.get("Call-ID"))
        self.desk.respond(notify, 200)

    def joined(self, stays, target, target_invite):
        """The one who stays answers the target's offer, and the target is told."""
        again = stays.expect("INVITE")
        self.assertEqual(again.body, sdp(target.host, 42000))
        stays.respond(again, 200, sdp(stays.host, 43000))
        stays.expect("ACK")
        ack = target.expect("ACK")
        self.assertEqual((ack.body, ack.cseq), (sdp(stays.host, 43000), target_invite.cseq))

    def record_by(self, who):
        return wait_for(lambda: next((record for record in self.server.records() if record["transferred_by"] == who), None),
                        10, f"the record of a call that {who} transferred")

    def by(self, user):
        return f"{user['extension']} {user['title']}"

    def test_blind(self):
        self.talking()
        target, carol = self.target()
        self.refer(carol["extension"])
        self.desk.expect(202)
        self.notified("100 Trying", "active")
        invite = target.expect("INVITE")
        self.assertEqual(invite.body, b"")
        self.assertIn(f"<sip:{self.caller_phone.owner['extension']}@", invite.get("From"))
        target.respond(invite, 180)
        self.notified("180 Ringing", "active")
        target.respond(invite, 200, sdp(target.host, 42000))
        self.notified("200 OK", "terminated")
        self.desk.respond(self.desk.expect("BYE"), 200)
        self.joined(self.caller_phone, target, invite)
        self.bye(self.caller_phone, self.answered, target)
        self.hidden(target.received[1:], self.caller_phone, self.desk)
        record = self.record_by(self.by(self.jane))
        self.assertEqual((record["dialled"], record["outcome"], record["caller_number"]),
                         (carol["extension"], "answered", self.caller_phone.owner["extension"]))
        first = self.server.api.get(f"call-records/{record['forwarded_from']}")
        self.assertEqual((first["dialled"], first["ended_by"]), (self.jane["extension"], "transfer"))

    def test_blind_refused(self):
        self.talking()
        target, carol = self.target()
        self.refer(carol["extension"])
        self.desk.expect(202)
        self.notified("100 Trying", "active")
        target.respond(target.expect("INVITE"), 486)
        target.expect("ACK")
        self.notified("486 Busy Here", "terminated")
        self.desk.within_theirs(self.invite, "INFO", b"x")
        self.caller_phone.respond(self.caller_phone.expect("INFO"), 200)
        self.desk.expect(200)
        self.bye(self.caller_phone, self.answered, self.desk)

    def test_blind_and_hang_up_at_once(self):
        self.talking()
        target, carol = self.target()
        self.refer(carol["extension"], "Refer-Sub: false")
        self.assertEqual(self.desk.expect(202).get("Refer-Sub"), "false")
        self.desk.within_theirs(self.invite, "BYE")
        self.desk.expect(200)
        invite = target.expect("INVITE")
        target.respond(invite, 200, sdp(target.host, 42000))
        self.joined(self.caller_phone, target, invite)
        self.bye(self.caller_phone, self.answered, target)

    def test_refused_refers(self):
        self.talking()
        self.refer("999999")
        self.desk.expect(404)
        self.desk.within_theirs(self.invite, "REFER", extra=["Refer-To: <sip:5@h?Replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2>"])
        self.desk.expect(481)
        self.desk.within_theirs(self.invite, "REFER")
        self.desk.expect(400)
        self.bye(self.caller_phone, self.answered, self.desk)

    def test_attended(self):
        self.talking()
        target, carol = self.target()
        self.desk.invite(carol["extension"])
        invite = target.expect("INVITE")
        consulted = self.talk(self.desk, invite, target)
        replaces = quote(f"{self.desk.call_id};to-tag={consulted.to_tag};from-tag={self.desk.tag}", safe="")
        self.desk.within_theirs(self.invite, "REFER", extra=[
            f"Refer-To: <sip:{carol['extension']}@{self.desk.remote}?Replaces={replaces}>"])
        self.desk.expect(202)
        self.notified("100 Trying", "active")
        self.notified("200 OK", "terminated")
        byes = [self.desk.expect("BYE"), self.desk.expect("BYE")]
        self.assertEqual({bye.get("Call-ID") for bye in byes}, {self.invite.get("Call-ID"), self.desk.call_id})
        for bye in byes:
            self.desk.respond(bye, 200)
        asked = self.caller_phone.expect("INVITE")
        self.assertEqual(asked.body, b"")
        self.caller_phone.respond(asked, 200, sdp(self.caller_phone.host, 43000))
        offered = target.expect("INVITE")
        self.assertEqual(offered.body, sdp(self.caller_phone.host, 43000))
        target.respond(offered, 200, sdp(target.host, 42000))
        target.expect("ACK")
        self.assertEqual(self.caller_phone.expect("ACK").body, sdp(target.host, 42000))
        self.bye(self.caller_phone, self.answered, target)
        self.assertEqual(self.record_by(self.by(self.jane))["outcome"], "answered")

    def test_take_over_by_feature_code(self):
        self.caller_phone, self.desk, soft = self.caller(), self.phone(), self.phone()
        self.jane = self.somebody([self.desk, soft], "in_sequence", [(0, 20), (0, 20)])
        self.caller_phone.invite(self.jane["extension"])
        self.invite = self.desk.expect("INVITE")
        self.answered = self.talk(self.caller_phone, self.invite, self.desk)
        soft.invite("*85", sdp(soft.host, 42000))
        asked = self.caller_phone.expect("INVITE")
        self.assertEqual(asked.body, sdp(soft.host, 42000))
        self.caller_phone.respond(asked, 200, sdp(self.caller_phone.host, 43000))
        self.caller_phone.expect("ACK")
        taken = soft.expect(200)
        self.assertEqual(taken.body, sdp(self.caller_phone.host, 43000))
        soft.within(taken, "ACK", cseq=soft.cseq)
        bye = self.desk.expect("BYE")
        self.assertEqual(bye.all("Reason"), [test_calls.REASON_ELSEWHERE])
        self.desk.respond(bye, 200)
        self.bye(soft, taken, self.caller_phone)


    # ---- picking up

    def ringing(self):
        """Jane's desk phone rings; a colleague of hers is at `self.soft`, one of nobody's at `self.stranger`."""
        self.caller_phone, self.desk, self.soft, self.stranger = self.caller(), self.phone(), self.phone(), self.phone()
        self.jane = self.somebody([self.desk], pickup_group="office")
        self.carol = self.somebody([self.soft], pickup_group="office")
        self.somebody([self.stranger], pickup_group="elsewhere")
        self.caller_phone.invite(self.jane["extension"])
        self.invite = self.desk.expect("INVITE")
        self.desk.respond(self.invite, 180)
        self.caller_phone.expect(180)

    def lamp(self):
        """The one dialog that a NOTIFY tells of Jane's extension, to a phone that only watches."""
        watcher = self.caller()
        uri, lines = f"sip:{self.jane['extension']}@{watcher.remote}", ["Event: dialog", "Expires: 600"]
        watcher.send(watcher.request("SUBSCRIBE", uri, extra=lines))
        lines.append("Authorization: " + digest(watcher.expect(401).get("WWW-Authenticate"), "SUBSCRIBE", uri,
                                                watcher.user, watcher.password))
        watcher.send(watcher.request("SUBSCRIBE", uri, extra=lines))
        watcher.expect(200)
        notify = watcher.expect("NOTIFY")
        watcher.respond(notify, 200)
        return ElementTree.fromstring(notify.body)[0]

    @staticmethod
    def in_place_of(dialog):
        """As a phone takes it from the lamp: the tags are those of the phone that rings and of whom it hears from."""
        return (f"Replaces: {dialog.get('call-id')};to-tag={dialog.get('local-tag')};"
                f"from-tag={dialog.get('remote-tag')};early-only")

    def picked_up(self):
        """All that follows the pick-up's INVITE, at all three ends."""
        held = self.soft.expect(200)
        self.assertIn(b"a=inactive\r\n", held.body)
        self.assertIn(b"m=audio 9 RTP/AVP 0\r\n", held.body)
        self.soft.within(held, "ACK", cseq=self.soft.cseq)
        cancel = self.desk.expect("CANCEL")
        self.assertEqual(cancel.all("Reason"), [test_calls.REASON_ELSEWHERE])
        self.desk.respond(cancel, 200)
        self.desk.respond(self.invite, 487)
        self.desk.expect("ACK")
        asked = self.soft.expect("INVITE")
        self.assertEqual((asked.body, asked.get("Call-ID")), (sdp(self.caller_phone.host), self.soft.call_id))
        self.assertEqual(asked.to_tag, self.soft.tag)
        self.soft.respond(asked, 200, sdp(self.soft.host, 42000))
        self.soft.expect("ACK")
        answered = self.caller_phone.expect(200)
        self.assertEqual(answered.body, sdp(self.soft.host, 42000))
        self.caller_phone.within(answered, "ACK", cseq=self.caller_phone.cseq)
        self.hidden([answered], self.soft, self.desk)
        self.bye(self.caller_phone, answered, self.soft)
        record = wait_for(lambda: next((record for record in self.server.records()
                                        if (record["dialled"], record["outcome"]) == (self.jane["extension"], "answered")),
                                       None), 10, "the record of the call that was picked up")
        self.assertEqual(record["ended_by"], "caller")
        self.assertEqual([(leg["number"], leg["outcome"]) for leg in record["legs"]],
                         [(self.desk.user, "answered_elsewhere"), (self.soft.user, "answered")])

    def refused_to(self, phone, status, number, *extra):
        phone.invite(number, extra=extra)
        phone.ack_refusal(phone.expect(status), phone.invite_uri)

    def test_pick_up_by_what_the_lamp_says(self):
        self.ringing()
        dialog = self.lamp()
        self.assertEqual(dialog.get("call-id"), self.invite.get("Call-ID"))
        self.refused_to(self.stranger, 403, self.jane["extension"], self.in_place_of(dialog))
        self.soft.invite(self.jane["extension"], extra=[self.in_place_of(dialog)])
        self.picked_up()

    def test_early_only_is_too_late_for_a_call_that_is_up(self):
        self.ringing()
        other = self.phone()
        self.server.plan(self.jane, [(self.desk.device, 0, 20), (other.device, 0, 20)], "in_sequence")
        dialog = self.lamp()
        answered = self.talk(self.caller_phone, self.invite, self.desk)
        self.refused_to(other, 486, self.jane["extension"], self.in_place_of(dialog))
        self.bye(self.caller_phone, answered, self.desk)
        self.refused_to(other, 481, self.jane["extension"], self.in_place_of(dialog))

    def test_pick_up_by_feature_code(self):
        self.ringing()
        self.refused_to(self.stranger, 403, f"*8{self.jane['extension']}")
        self.refused_to(self.soft, 481, f"*8{self.carol['extension']}")
        self.soft.call_id, self.soft.tag = f"second-{self.soft.call_id}", f"s{self.soft.tag}"
        self.soft.invite(f"*8{self.jane['extension']}")
        self.picked_up()


class Phones(unittest.TestCase):
    def test_baresip_transfers(self):
        server = test_calls.Server()
        phones = []
        try:
            for number in ("201", "202", "203"):
                device = server.device(number)
                server.user(f"user{number}", f"5{number}", [(device, 0, 30)])
                phones.append(Baresip(number, device["sip_password"], server.sip))
            for phone in phones:
                phone.registered()
            caller, desk, target = phones
            caller.dial(f"sip:5202@{server.sip}")
            desk.wait("CALL_INCOMING")
            desk.answer()
            desk.wait("CALL_ESTABLISHED")
            caller.wait("CALL_ESTABLISHED")
            desk.command("transfer", f"sip:5203@{server.sip}")
            target.wait("CALL_INCOMING")
            target.answer()
            target.wait("CALL_ESTABLISHED")
            desk.wait("CALL_CLOSED")
            self.assertIsNone(caller.seen("CALL_CLOSED"))
            target.hang_up()
            caller.wait("CALL_CLOSED")
            server.quiet(45)
            record = next(record for record in server.records(2) if record["transferred_by"])
            self.assertEqual((record["dialled"], record["outcome"], record["caller_number"]), ("5203", "answered", "5201"))
        finally:
            for phone in phones:
                phone.close()
            server.close()


for name in [name for name in dir(test_calls.Calls) if name.startswith("test_")]:
    setattr(Transfers, name, None)  # the means are inherited, not the tests


if __name__ == "__main__":
    unittest.main()
