"""A real OpenID Connect provider: Glewlwyd on loopback with a database of its own, set up by its own administration's API,
and a browser's part of a sign-in there."""

import http.client
import http.cookies
import json
import os
import sqlite3
import subprocess
import tempfile
import urllib.parse

from agents import Process, free_port, wait_for

SCHEMA = "/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3"
MODULES = "/usr/lib/glewlwyd"
PASSWORD = "a password of Glewlwyd"

CONFIG = """\
port = {port}
bind_address = "127.0.0.1"
external_url = "http://127.0.0.1:{port}"
login_url = "login.html"
api_prefix = "api"
static_files_path = "/usr/share/glewlwyd/webapp/"
log_mode = "console"
log_level = "INFO"
cookie_secure = 0
cookie_same_site = "empty"
session_expiration = 3600
session_key = "GLEWLWYD2_SESSION_ID"
login_api_enabled = true
max_post_size = 65536
admin_scope = "g_admin"
profile_scope = "g_profile"
user_module_path = "{modules}/user"
client_module_path = "{modules}/client"
user_auth_scheme_module_path = "{modules}/scheme"
plugin_module_path = "{modules}/plugin"
hash_algorithm = "SHA512"
database = {{ type = "sqlite3"; path = "{folder}/glewlwyd.db" }};
static_files_mime_types = ( {{ extension = ".html"; mime_type = "text/html" }} )
"""


class Browser:
    """Keeps cookies for one server and follows nothing by itself."""

    def __init__(self, port):
        self.port, self.cookies = port, {}

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            for line in answer.headers.get_all("Set-Cookie") or []:
                for name, morsel in http.cookies.SimpleCookie(line).items():
                    self.cookies[name] = morsel.value
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def done(self, method, path, body=None):
        status, _, text = self.ask(method, path, body)
        assert status == 200, f"{method} {path}: {status} {text}"
        return text

    def follow(self, url):
        """Where the address sends a browser on to, as parts."""
        parts = urllib.parse.urlsplit(url)
        assert parts.port == self.port, url
        status, headers, text = self.ask("GET", f"{parts.path}?{parts.query}")
        assert status == 302, f"{url}: {status} {text}"
        return urllib.parse.urlsplit(urllib.parse.urljoin(url, headers["Location"]))


class Glewlwyd(Process):
    """`clients` are (name, secret, methods of authentication); all users have the same password."""

    def __init__(self, clients, callback, users):
        self.port = free_port()
        self.issuer = f"http://127.0.0.1:{self.port}/api/oidc"
        folder = tempfile.mkdtemp(prefix="carillon-glewlwyd-")
        with open(SCHEMA) as schema, sqlite3.connect(os.path.join(folder, "glewlwyd.db")) as database:
            database.executescript(schema.read())
        path = os.path.join(folder, "glewlwyd.conf")
        with open(path, "w") as config:
            config.write(CONFIG.format(port=self.port, modules=MODULES, folder=folder))
        super().__init__("glewlwyd", ["glewlwyd", "--config-file", path], folder)
        try:
            self.set_up(clients, callback, users)
        except BaseException:
            self.close()
            raise

    def ready(self):
        assert self.process.poll() is None, "glewlwyd ended:\n" + self.output()
        try:
            return Browser(self.port).ask("GET", "/config")[0] == 200
        except OSError:
            return False

    def set_up(self, clients, callback, users):
        wait_for(self.ready, 60, "glewlwyd to be ready")
        admin = Browser(self.port)
        admin.done("POST", "/api/auth/", {"username": "admin", "password": "password"})  # of a new database
        admin.done("POST", "/api/mod/plugin/", {"module": "oidc", "name": "oidc", "display_name": "OpenID Connect", "order_rank": 0,
                                                "parameters": self.parameters()})
        for client, secret, methods in clients:
            admin.done("POST", "/api/client/", {"client_id": client, "name": client, "confidential": True, "enabled": True,
                                                "password": secret, "redirect_uri": [callback], "scope": [],
                                                "authorization_type": ["code"], "token_endpoint_auth_method": methods})
        for name in users:
            admin.done("POST", "/api/user/", {"username": name, "name": name.title(), "email": f"{name}@example.com", "enabled": True,
                                              "password": PASSWORD, "scope": ["openid"]})

    def parameters(self):
        key = os.path.join(self.folder, "key")
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        public = subprocess.run(["openssl", "rsa", "-in", key, "-pubout"], check=True, capture_output=True, text=True).stdout
        with open(key) as file:
            private = file.read()
        return {"iss": self.issuer, "jwt-type": "rsa", "jwt-key-size": "256", "key": private, "cert": public, "jwks-show": True,
                "access-token-duration": 300, "refresh-token-duration": 300, "code-duration": 60, "refresh-token-rolling": False,
                "auth-type-code-enabled": True, "auth-type-token-enabled": False, "auth-type-id-token-enabled": True,
                "auth-type-none-enabled": False, "auth-type-password-enabled": False, "auth-type-client-enabled": False,
                "auth-type-device-enabled": False, "auth-type-refresh-enabled": False, "allow-non-oidc": False,
                "pkce-allowed": True, "pkce-required": True, "pkce-method-plain-allowed": False, "subject-type": "pairwise",
                "allowed-scope": ["openid"], "name-claim": "mandatory", "email-claim": "mandatory",
                "claims": [{"name": "preferred_username", "user-property": "username", "type": "string", "mandatory": True,
                            "on-demand": False, "scope": []}]}

    def sign_in(self, url, name, client):
        """A person's way through Glewlwyd's pages from the address that Carillon sends to; gives the address of the way back."""
        browser = Browser(self.port)
        page = browser.follow(url)
        assert page.path == "/login.html", page
        browser.done("GET", page.path)
        asked = dict(urllib.parse.parse_qsl(page.query))
        browser.done("POST", "/api/auth/", {"username": name, "password": PASSWORD})
        browser.done("PUT", f"/api/auth/grant/{client}", {"scope": asked["scope"]})
        return browser.follow(asked["callback_url"] + "&g_continue")
