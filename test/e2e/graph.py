"""Microsoft Graph and the sign-in in front of it, as their documentation describes what is asked of them here: over HTTPS, strict, and
with errors of their shape. What it sees is kept for the test."""

import http.server
import json
import re
import secrets
import ssl
import threading
import time
import urllib.parse
import uuid

from certificates import Authority

BATCH_MAX = 650
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Graph(http.server.ThreadingHTTPServer):
    """`users` are ids by principal name, `presences` (availability, activity) by id. What goes wrong is set by the test."""

    daemon_threads = True
    TENANT, CLIENT, SECRET = "example.onmicrosoft.com", "6731de76-14a6-49ae-97bc-6eba6914391e", "odd~secret/with+&characters=%"

    def __init__(self, folder):
        self.authority = Authority(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.authority.issue("graph", "IP:127.0.0.1"))
        super().__init__(("127.0.0.1", 0), Asked)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"https://127.0.0.1:{self.server_port}"
        self.lock = threading.Lock()
        self.users, self.presences = {}, {}
        self.tokens = {}  # until when each lives
        self.reset()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def reset(self):
        with self.lock:
            self.life_s, self.page, self.fail, self.requests = 3599, 0, [], []
            self.closed_until, self.impatient, self.pages = 0, 0, {}

    def settings(self, **more):
        return {"graph_presence": True, "graph_tenant": self.TENANT, "graph_client_id": self.CLIENT,
                "graph_client_secret": self.SECRET, "graph_login_url": self.url, "graph_url": self.url, "graph_poll_s": 5, **more}

    def add(self, name, availability="Available", activity="Available"):
        self.users[name] = str(uuid.uuid4())
        self.presences[self.users[name]] = (availability, activity)
        return self.users[name]

    def set(self, name, availability, activity):
        self.presences[self.users[name]] = (availability, activity)

    def seen(self, path, status=None):
        """The times at which requests for it were answered, with this status."""
        with self.lock:
            return [each for each in self.requests if each[1].endswith(path) and status in (None, each[2])]

    def close(self):
        self.shutdown()
        self.server_close()


class Asked(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, content, headers=()):
        body = json.dumps(content).encode()
        with self.server.lock:
            self.server.requests.append((time.monotonic(), self.path.partition("?")[0], status, len(body)))
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status, code, message, headers=()):
        inner = {"date": "2026-01-31T12:00:00", "request-id": str(uuid.uuid4()), "client-request-id": str(uuid.uuid4())}
        self.answer(status, {"error": {"code": code, "message": message, "innerError": inner}}, headers)

    def fails(self):
        """What the test has asked for: (path's end, status, Retry-After or None), each once. Whoever comes too early is noted."""
        graph = self.server
        with graph.lock:
            if time.monotonic() < graph.closed_until:
                graph.impatient += 1
            found = next((each for each in graph.fail if self.path.partition("?")[0].endswith(each[0])), None)
            if not found:
                return False
            graph.fail.remove(found)
            _, status, wait_s = found
            if wait_s:
                graph.closed_until = time.monotonic() + wait_s - 0.05
        codes = {429: "TooManyRequests", 403: "Forbidden", 401: "InvalidAuthenticationToken"}
        self.refuse(status, codes.get(status, "UnknownError"), "As the test says.", [("Retry-After", str(wait_s))] if wait_s else [])
        return True

    def is_known(self):
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        if kind == "Bearer" and self.server.tokens.get(token, 0) > time.monotonic():
            return True
        self.refuse(401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid.",
                    [("WWW-Authenticate", 'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize"')])
        return False

    def token(self, tenant, body):
        graph, form = self.server, dict(urllib.parse.parse_qsl(body, strict_parsing=True))

        def refuse(status, error, number, text):
            self.answer(status, {"error": error, "error_description": f"AADSTS{number}: {text} Trace ID: 0 Timestamp: 0",
                                 "error_codes": [number], "timestamp": "2026-01-31 12:00:00Z", "trace_id": "0", "correlation_id": "0"})

        if tenant != graph.TENANT:
            refuse(400, "invalid_request", 90002, f"Tenant '{tenant}' not found.")
        elif self.headers["Content-Type"] != "application/x-www-form-urlencoded" or form.get("grant_type") != "client_credentials":
            refuse(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
        elif form.get("scope") != graph.url + "/.default":
            refuse(400, "invalid_scope", 1002012, "The provided value for scope is not valid.")
        elif form.get("client_id") != graph.CLIENT:
            refuse(400, "unauthorized_client", 700016, "Application was not found in the directory.")
        elif form.get("client_secret") != graph.SECRET:
            refuse(401, "invalid_client", 7000215, "Invalid client secret provided.")
        else:
            token = "eyJ" + secrets.token_urlsafe(900)
            graph.tokens[token] = time.monotonic() + graph.life_s
            self.answer(200, {"token_type": "Bearer", "expires_in": graph.life_s, "ext_expires_in": graph.life_s, "access_token": token})

    def show(self, ids):
        """A page of them, and where the next one is."""
        graph = self.server
        size = graph.page or len(ids) or 1
        value = [{"@odata.type": "#microsoft.graph.presence", "id": each, "availability": graph.presences[each][0],
                  "activity": graph.presences[each][1], "sequenceNumber": None, "statusMessage": None,
                  "outOfOfficeSettings": {"message": None, "isOutOfOffice": False}} for each in ids[:size] if each in graph.presences]
        answer = {"@odata.context": graph.url + "/v1.0/$metadata#Collection(presence)", "value": value}
        if ids[size:]:
            token = secrets.token_urlsafe(8)
            graph.pages[token] = ids[size:]
            answer["@odata.nextLink"] = f"{graph.url}/v1.0/communications/getPresencesByUserId?$skiptoken={token}"
        self.answer(200, answer)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        found = re.fullmatch(r"/([^/]+)/oauth2/v2\.0/token", self.path)
        if self.fails():
            return
        if found:
            self.token(urllib.parse.unquote(found.group(1)), body)
        elif self.path != "/v1.0/communications/getPresencesByUserId":
            self.refuse(404, "ResourceNotFound", "Resource could not be discovered.")
        elif self.is_known():
            ids = json.loads(body).get("ids") if self.headers["Content-Type"] == "application/json" else None
            if not isinstance(ids, list) or not 0 < len(ids) <= BATCH_MAX or len(set(ids)) != len(ids) or \
                    not all(ID.fullmatch(each) for each in ids):
                self.refuse(400, "BadRequest", "ids must be 1 to 650 different ids.")
            else:
                self.show(ids)

    def do_GET(self):
        path, _, query = self.path.partition("?")
        found = re.fullmatch(r"/v1\.0/users/([^/]+)", path)
        skip = dict(urllib.parse.parse_qsl(query)).get("$skiptoken")
        if self.fails() or not self.is_known():
            return
        name = urllib.parse.unquote(found.group(1)) if found else None
        if name in self.server.users:
            self.answer(200, {"@odata.context": self.server.url + "/v1.0/$metadata#users(id)/$entity", "id": self.server.users[name]})
        elif found:
            self.refuse(404, "Request_ResourceNotFound", f"Resource '{name}' does not exist or one of its queried "
                        "reference-property objects are not present.")
        elif path == "/v1.0/communications/getPresencesByUserId" and skip in self.server.pages:
            self.show(self.server.pages.pop(skip))
        else:
            self.refuse(404, "ResourceNotFound", "Resource could not be discovered.")
