#!/usr/bin/env python3
"""Single sign-on by OpenID Connect: with a provider that does everything right, and then one thing at a time wrong; and with
Glewlwyd, a provider that other people have written."""

import base64
import hashlib
import hmac
import http.client
import http.server
import json
import os
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse

from agents import wait_for
from glewlwyd import Browser, Glewlwyd
from server import Server

CALLBACK = "http://carillon.example/api/v1/single-sign-on/callback"
CLIENT, SECRET = "carillon", "a secret: with/odd &characters"


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Key:
    def __init__(self, folder, name):
        self.kid, self.path = name, os.path.join(folder, name)
        subprocess.run(["openssl", "genrsa", "-out", self.path, "2048"], check=True, capture_output=True)
        modulus = subprocess.run(["openssl", "rsa", "-in", self.path, "-noout", "-modulus"], check=True, capture_output=True,
                                 text=True).stdout.strip().partition("=")[2]
        self.n = encoded(bytes.fromhex(modulus))

    def public(self):
        return {"kty": "RSA", "use": "sig", "kid": self.kid, "alg": "RS256", "n": self.n, "e": "AQAB"}

    def sign(self, text):
        return subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.path], input=text.encode(), check=True,
                              capture_output=True).stdout


class Provider(http.server.ThreadingHTTPServer):
    """What it says can be changed by the tests: `claims` and `header` are merged into what is right."""

    daemon_threads = True

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), Asked)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.folder = folder
        self.key = Key(folder, "first")
        self.published = [self.key]
        self.reset()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def reset(self):
        self.claims, self.header, self.signature, self.codes, self.errors = {}, {}, None, {}, []

    def authorize(self, url):
        """What a person's browser does there: gives the address that it is sent back to."""
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
        assert query["response_type"] == "code" and query["client_id"] == CLIENT and query["redirect_uri"] == CALLBACK, query
        assert query["code_challenge_method"] == "S256" and "openid" in query["scope"].split(), query
        code = encoded(os.urandom(12)) + "+&="
        self.codes[code] = query
        return urllib.parse.urlencode({"code": code, "state": query["state"], "iss": self.url})

    def token(self, nonce):
        now = int(time.time())
        header = {"alg": "RS256", "kid": self.key.kid, **self.header}
        claims = {"iss": self.url, "aud": CLIENT, "sub": "1", "exp": now + 300, "iat": now, "nonce": nonce,
                  "preferred_username": "jane", **self.claims}
        text = ".".join(encoded(json.dumps({k: v for k, v in part.items() if v is not None}).encode())
                        for part in (header, claims))
        signature = self.signature(text) if self.signature else self.key.sign(text)
        return text + "." + encoded(signature)


class Asked(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        provider = self.server
        if self.path == "/.well-known/openid-configuration":
            self.answer(200, {"issuer": provider.url, "authorization_endpoint": provider.url + "/authorize?tenant=1",
                              "token_endpoint": provider.url + "/token", "jwks_uri": provider.url + "/keys"})
        elif self.path == "/keys":
            self.answer(200, {"keys": [key.public() for key in provider.published]})
        else:
            self.answer(404, {})

    def do_POST(self):
        form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        basic = base64.b64decode(self.headers.get("Authorization", "Basic ").split(" ")[1]).decode()
        client, _, secret = basic.partition(":")
        query = self.server.codes.pop(form.get("code"), None)
        right = query and form["grant_type"] == "authorization_code" and form["redirect_uri"] == CALLBACK and \
            urllib.parse.unquote(client) == CLIENT and urllib.parse.unquote(secret) == SECRET and \
            encoded(hashlib.sha256(form["code_verifier"].encode()).digest()) == query["code_challenge"]
        if not right:
            self.answer(400, {"error": "invalid_grant"})
            return
        self.answer(200, {"access_token": "x", "token_type": "Bearer", "id_token": self.server.token(query["nonce"])})


class SingleSignOn(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="carillon-provider-")
        cls.provider = Provider(cls.folder.name)
        cls.server = Server(settings=f"oidc issuer = {cls.provider.url}\noidc client_id = {CLIENT}\n"
                                     f"oidc client_secret = {SECRET}\noidc redirect_uri = {CALLBACK}\n")
        # Made by an administrator, with a password that nobody has seen and that was to be changed.
        cls.server.api.post("users", {"name": "jane", "title": "Jane", "extension": "510"})

    @classmethod
    def tearDownClass(cls):
        cls.server.close()
        cls.provider.shutdown()
        cls.provider.server_close()
        cls.folder.cleanup()

    def setUp(self):
        self.provider.reset()

    def ask(self, path, cookie=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.http_port, timeout=30)
        try:
            connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def start(self):
        status, headers, _ = self.ask("/api/v1/single-sign-on/start")
        self.assertEqual(status, 302)
        self.assertIn("HttpOnly", headers["Set-Cookie"])
        return headers["Location"], headers["Set-Cookie"].partition(";")[0]

    def sign_in(self):
        url, cookie = self.start()
        return self.ask("/api/v1/single-sign-on/callback?" + self.provider.authorize(url), cookie)

    def refused(self, status=401):
        answer = self.sign_in()
        self.assertEqual(answer[0], status, answer[2])
        self.assertNotIn("carillon_session=", str(answer[1]))
        return json.loads(answer[2])

    def welcomed(self):
        status, headers, text = self.sign_in()
        self.assertEqual(status, 200, text)
        return headers["Set-Cookie"].partition(";")[0]

    def test_a_user_signs_in_without_a_password_of_ours(self):
        self.assertEqual(json.loads(self.ask("/api/v1/single-sign-on")[2]), {"available": True})
        cookie = self.welcomed()
        status, _, text = self.ask("/api/v1/me", cookie)
        self.assertEqual((status, json.loads(text)["user"]["name"]), (200, "jane"))
        session = json.loads(self.ask("/api/v1/session", cookie)[2])
        self.assertFalse(session["password_change_due"])
        self.assertEqual(self.ask("/api/v1/me/selectable-devices", cookie)[0], 200)  # nothing has to be changed first
        self.assertTrue(json.loads(self.ask("/api/v1/me/sessions", cookie)[2])["items"][0]["single_sign_on"])

    def test_nobody_else_comes_in(self):
        self.provider.claims = {"preferred_username": "joan"}
        self.assertIn("joan", self.refused()["detail"])
        self.provider.claims = {"preferred_username": None}
        self.refused()

    def test_the_token_must_be_for_us_now(self):
        now = int(time.time())
        for claims in ({"iss": "https://other.example"}, {"aud": "other"}, {"aud": ["other"]}, {"aud": [CLIENT, "other"]},
                       {"aud": [CLIENT, "other"], "azp": "other"}, {"nonce": "other"}, {"nonce": None}, {"exp": now - 61},
                       {"exp": None}, {"iat": now + 120}):
            with self.subTest(claims=claims):
                self.provider.claims = claims
                self.refused()
        self.provider.claims = {"aud": [CLIENT, "other"], "azp": CLIENT}
        self.welcomed()

    def test_the_token_must_be_signed_by_the_provider(self):
        self.provider.header = {"alg": "none"}
        self.provider.signature = lambda text: b""
        self.refused()
        # Signed with what everybody knows: the public key, taken for a shared secret.
        self.provider.header = {"alg": "HS256"}
        self.provider.signature = lambda text: hmac.new(self.provider.key.n.encode(), text.encode(), "sha256").digest()
        self.refused()
        other = Key(self.folder.name, "other")
        self.provider.header = {}
        self.provider.signature = other.sign
        self.refused()
        self.provider.signature = lambda text: b"x" * 256
        self.refused()

    def test_keys_are_changed(self):
        self.welcomed()
        first, second = self.provider.key, Key(self.folder.name, "second")
        self.provider.key, self.provider.published = second, [second]
        deadline = time.monotonic() + 40
        status = 401
        while status != 200 and time.monotonic() < deadline:  # unknown keys are asked for once in some seconds
            status = self.sign_in()[0]
            self.assertIn(status, (200, 401))
        self.assertEqual(status, 200)
        self.provider.key = first  # which the provider has withdrawn
        self.refused()
        self.provider.key = second

    def test_the_way_back_is_for_the_browser_that_went(self):
        url, cookie = self.start()
        back = "/api/v1/single-sign-on/callback?" + self.provider.authorize(url)
        _, others = self.start()
        self.assertEqual(self.ask(back)[0], 401)
        self.assertEqual(self.ask(back, others)[0], 401)
        self.assertEqual(self.ask(back.replace("state=", "state=x"), cookie)[0], 401)
        self.assertEqual(self.ask(back, cookie.replace("=", "=.", 1))[0], 401)
        self.assertEqual(self.ask(back, cookie)[0], 200)
        self.assertEqual(self.ask(back, cookie)[0], 401)  # a code works once
        self.assertEqual(self.ask("/api/v1/single-sign-on/callback?error=access_denied&state=x", cookie)[0], 401)

    def test_a_provider_that_is_not_there(self):
        server = Server(settings="oidc issuer = http://127.0.0.1:1\noidc client_id = x\noidc redirect_uri = y\n")
        try:
            status, _, text = server.api.raw("GET", "/api/v1/single-sign-on/start")
            self.assertEqual((status, json.loads(text)["code"]), (503, "unreachable_provider"))
        finally:
            server.close()


class WithGlewlwyd(unittest.TestCase):
    # Glewlwyd reads Basic credentials as they are, not form-encoded; so the odd secret comes to it in the form.
    CLIENTS = {"plain": ("a-secret.without_oddities~1", ["client_secret_basic"]),
               "odd": (SECRET, ["client_secret_basic", "client_secret_post"])}

    @classmethod
    def setUpClass(cls):
        cls.provider = Glewlwyd([(name, *rest) for name, rest in cls.CLIENTS.items()], CALLBACK, ["jane", "joan"])
        cls.addClassCleanup(cls.provider.close)

    def carillon(self, client, secret, more=""):
        server = Server(settings=f"oidc issuer = {self.provider.issuer}\noidc client_id = {client}\n"
                                 f"oidc client_secret = {secret}\noidc redirect_uri = {CALLBACK}\n{more}")
        self.addCleanup(server.close)
        server.api.post("users", {"name": "jane", "title": "Jane", "extension": "510"})
        return server

    def sign_in(self, server, name, client):
        """Gives the browser, and the answer to its way back."""
        browser = Browser(server.http_port)
        status, headers, text = browser.ask("GET", "/api/v1/single-sign-on/start")
        self.assertEqual(status, 302, text)
        back = self.provider.sign_in(headers["Location"], name, client)
        self.assertEqual(urllib.parse.urlunsplit(back._replace(query="")), CALLBACK)
        self.back = f"{back.path}?{back.query}"
        status, _, text = browser.ask("GET", self.back)
        return browser, status, text

    def refused(self, browser, status, text):
        self.assertEqual((status, json.loads(text)["code"]), (401, "sign_in_failed"))
        self.assertNotIn("carillon_session", browser.cookies)
        self.assertEqual(browser.ask("GET", "/api/v1/session")[0], 401)

    def test_a_user_signs_in(self):
        for client, (secret, _) in self.CLIENTS.items():
            with self.subTest(client=client):
                server = self.carillon(client, secret)
                browser, status, text = self.sign_in(server, "jane", client)
                self.assertEqual(status, 200, text + server.output())
                self.assertIn("carillon_session", browser.cookies)
                session = json.loads(browser.done("GET", "/api/v1/session"))
                self.assertEqual((session["user"]["name"], session["role"], session["password_change_due"]), ("jane", "agent", False))
                self.assertEqual(browser.ask("GET", self.back)[0], 401)  # a code works once

    def test_nobody_else_comes_in(self):
        server = self.carillon("plain", self.CLIENTS["plain"][0])
        browser, status, text = self.sign_in(server, "joan", "plain")
        self.refused(browser, status, text)
        self.assertIn("joan", json.loads(text)["detail"])

    def test_the_secret_must_be_right(self):
        server = self.carillon("plain", "another")
        self.refused(*self.sign_in(server, "jane", "plain"))
        wait_for(lambda: "token answered 403" in server.output(), 10, "the reason in the log")

    def test_an_address_must_be_verified(self):
        server = self.carillon("plain", self.CLIENTS["plain"][0], "oidc claim = email\n")
        server.api.post("users", {"name": "jane@example.com", "title": "Jane too", "extension": "511"})
        self.refused(*self.sign_in(server, "jane", "plain"))  # Glewlwyd does not say that it is
        wait_for(lambda: "the e-mail address is not verified" in server.output(), 10, "the reason in the log")


if __name__ == "__main__":
    unittest.main()
