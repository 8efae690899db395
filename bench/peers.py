"""The servers that are measured, each set up the same way every time, on core 0, with what they cost so far."""

import atexit
import hashlib
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile

from agents import free_port, wait_for
from certificates import Authority
from relay import Relay
from server import Api, Server

REALM = "bench"
FIRST_DEVICE, FIRST_EXTENSION = 10000000, 50000000
CORE, OTHER_CORE = "0", str(os.cpu_count() - 1)
RELAY_PORTS = 4000


def run_time_us(process):
    """CPU of all threads of a process, in microseconds, as the scheduler counts it."""
    total = 0
    for task in os.listdir(f"/proc/{process}/task"):
        with open(f"/proc/{process}/task/{task}/schedstat") as file:
            total += int(file.read().split()[0])
    return total / 1000


def pss_bytes(process):
    with open(f"/proc/{process}/smaps_rollup") as rollup:
        return next(int(line.split()[1]) * 1024 for line in rollup if line.startswith("Pss:"))


def ha1(name, algorithm="md5"):
    return hashlib.new(algorithm, f"{name}:{REALM}:secret{name}".encode()).hexdigest()


def free_ports(count):
    """The first of so many free ports in a row."""
    while True:
        first = free_port()
        try:
            for port in range(first, first + count):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                    s.bind(("127.0.0.1", port))
            return first
        except OSError:
            pass


def answers(port):
    """Whether a SIP server there answers, be it with a refusal."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", port))
        s.settimeout(0.1)
        own = s.getsockname()[1]
        try:
            s.send(f"OPTIONS sip:bench SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{own};branch=z9hG4bK{own}\r\nMax-Forwards: 70\r\n"
                   f"From: <sip:bench>;tag=1\r\nTo: <sip:bench>\r\nCall-ID: {own}\r\nCSeq: 1 OPTIONS\r\n\r\n".encode())
            return s.recv(4096)
        except OSError:
            return None


def arguments(peer, wanted, port):
    """What the load is told: where the server is, and where in its numbers the users are that have so many devices."""
    said = {**peer.load, **wanted}
    if port:
        said["server"] = f"127.0.0.1:{port}"
    if "transport" not in wanted:
        said["port"] = peer.port  # where the trunk leads; and a device that registers again is the same one
    said.setdefault("base", {"in_sequence": 3000000}.get(wanted.get("plan"), 2000000 if wanted.get("devices") == 3 else 0))
    return said


def environment(small_pages=False):
    """What the service has in its environment. It is about the pages of the heap, so both servers get it, unless memory is counted: huge
    pages are too coarse for that."""
    if small_pages:
        return {**os.environ}
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    with open(os.path.join(root, "packaging", "carillond.service")) as unit:
        return {**os.environ, **dict(re.findall(r"^Environment=(\w+)=(\S+)$", unit.read(), re.M))}


class Store:
    """A filled store, made once and copied for each server: so many users with one device each, and others with several, where the load
    expects them; a trunk that leads to `port`."""

    made = {}

    @classmethod
    def of(cls, build, users):
        if (build, users) not in cls.made:
            cls.made[build, users] = cls(build, users)
        return cls.made[build, users]

    def __init__(self, build, users):
        self.folder, self.port = tempfile.mkdtemp(prefix="carillon-bench-store-"), free_ports(2)
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        server = Server(os.path.join(build, "src", "carillond"), settings=f"sip realm = {REALM}\nsip digest = MD5")
        server.device("1")
        server.user("template", "199", call_limit=0, toll_class=3)
        trunk = server.api.post("trunks", {"title": "Carrier", "host": "127.0.0.1", "port": self.port, "options_interval_s": 0})
        server.api.post("routes", {"pattern": "+44", "trunk_id": trunk["id"]})
        self.token = server.api.token
        server.stop()
        self.path = os.path.join(self.folder, "carillon.db")
        shutil.move(os.path.join(server.folder, "carillon.db"), self.path)
        server.close()
        self.fill(users)

    def fill(self, users):
        database = sqlite3.connect(self.path)
        database.execute("PRAGMA synchronous = OFF")
        database.execute("PRAGMA cache_size = -1000000")
        indexes = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").fetchall()
        for name, _ in indexes:  # made anew when all is there: a quarter of the time
            database.execute(f"DROP INDEX {name}")

        def multiply(table, template, names, rows):
            columns = [row[1] for row in database.execute(f"PRAGMA table_xinfo({table})") if row[6] == 0]
            given = [column for column in columns if column in names]
            places = [names.index(column) for column in given]
            values = ", ".join("?" if column in names else column for column in columns)
            database.executemany(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table} WHERE id = {template}",
                                 (tuple(row[place] for place in places) for row in rows))

        template = database.execute("SELECT max(id) FROM users").fetchone()[0]
        identifier = 10
        for base, count, devices, strategy, ring_s in ((0, users, 1, "at_once", 20), (2000000, 1000, 3, "at_once", 20),
                                                       (3000000, 1000, 2, "in_sequence", 1)):
            numbers = [FIRST_DEVICE + base + i for i in range(count * devices)]
            first = identifier
            multiply("devices", 1, ["id", "number", "search", "ha1_md5", "ha1_sha256"],
                     ((first + i, str(number), str(number), ha1(number), ha1(number, "sha256")) for i, number in enumerate(numbers)))
            multiply("users", template, ["id", "name", "search", "extension", "strategy"],
                     ((first + i, f"u{base + i}", f"u{base + i}", str(FIRST_EXTENSION + base + i), strategy) for i in range(count)))
            database.executemany("INSERT INTO assignments (user_id, position, device_id, start_s, ring_s) VALUES (?, ?, ?, 0, ?)",
                                 ((first + i // devices, i % devices, first + i, ring_s) for i in range(count * devices)))
            identifier += count * devices
        for _, made in indexes:
            database.execute(made)
        database.execute("UPDATE last_ids SET id = 10000000")
        database.commit()
        database.close()


class Carillon:
    name = "carillon"

    def __init__(self, build, digest=False, durable=False, users=20000, measured=None, anchored=False, small_pages=False):
        """`anchored`: all media go through a relay, which runs on the load's core. `measured`: another program than the build's
        server."""
        self.folder = tempfile.mkdtemp(prefix="carillon-bench-")
        authority = Authority(self.folder)
        certificate = authority.issue("server", "IP:127.0.0.1")
        tls, ws = free_port(), free_port()
        settings = [f"sip realm = {REALM}", "sip digest = MD5", f"sip tls = 127.0.0.1:{tls}", f"sip ws = 127.0.0.1:{ws}",
                    f"tls certificate = {certificate}", "log level = warning", "overload busy_percent = 0",
                    "limits known_requests_per_s = 1000000", "limits requests_per_s = 1000000", "limits requests_burst = 1000000",
                    "limits device_requests_per_s = 1000000", "limits device_requests_burst = 1000000",
                    "limits connections_per_source = 10000", "limits trusted = 127.0.0.0/8",
                    f"store keep_registrations = {'yes' if durable else 'no'}"]
        self.relay = Relay(ports=RELAY_PORTS, core=OTHER_CORE) if anchored else None
        if anchored:
            settings += [self.relay.settings, "media anchor = all"]
        if not digest:
            settings.append("sip authenticated_by = 127.0.0.0/8")
        store = Store.of(build, users)
        self.port = store.port
        folder = tempfile.mkdtemp(prefix="carillon-server-")
        shutil.copy(store.path, folder)
        self.server = Server(measured or os.path.join(build, "src", "carillond"), settings="\n".join(settings), folder=folder,
                             environment=environment(small_pages), ready_s=120 if measured else 30)  # by valgrind, maybe beside a build
        self.server.api = Api(self.server.http_port)
        self.server.api.token = store.token
        for task in os.listdir(f"/proc/{self.server.process.pid}/task"):
            os.sched_setaffinity(int(task), {int(CORE)})
        self.load = {"server": f"127.0.0.1:{self.server.sip_port}", "peer": "carillon", **({"realm": REALM} if digest else {}),
                     **({"anchored": 1} if anchored else {})}
        self.ports = {"tls": tls, "ws": ws}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.close()
        if self.relay:
            self.relay.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def arguments(self, wanted):
        return arguments(self, wanted, self.ports.get(wanted.get("transport")))

    def cpu_us(self):
        return run_time_us(self.server.process.pid)

    def memory_bytes(self):
        return pss_bytes(self.server.process.pid)

    def relay_commands(self):
        """Commands of the ng protocol so far, those sent again among them; None without a relay."""
        if not self.relay:
            return None
        text = self.server.api.raw("GET", "/metrics")[2]
        return sum(int(count) for count in re.findall(r"^carillon_media_relay_(?:commands|retransmissions)_total\S* (\d+)$", text, re.M))


class Kamailio:
    name = "kamailio"

    def __init__(self, build, digest=False, durable=False, users=20000, small_pages=False):
        del build
        self.folder, port = tempfile.mkdtemp(prefix="kamailio-bench-"), free_port()
        self.port = free_ports(2)
        defines = [f"LISTEN=udp:127.0.0.1:{port}", f'TRUNK="sip:127.0.0.1:{self.port}"']
        if digest:
            defines += ["DIGEST", f'SECRETS_DB="sqlite:///{self.secrets(users)}"']
        if durable:
            defines.append(f'LOCATION_DB="sqlite:///{self.locations()}"')
        words = ["kamailio", "-f", os.path.join(os.path.dirname(os.path.abspath(__file__)), "kamailio.cfg"), "-DD", "-E", "-m", "4096", "-M",
                 "64", "-x", "fm", "-X", "fm", "-Y", self.folder]
        for define in defines:
            words += ["-A", define]
        self.log = open(os.path.join(self.folder, "log"), "w+")
        self.process = subprocess.Popen(["taskset", "-c", CORE, *words], stdout=self.log, stderr=self.log,
                                        env=environment(small_pages))
        wait_for(lambda: (len(self.processes()) > 3 and answers(port)) or self.process.poll() is not None, 10, "Kamailio to start")
        if self.process.poll() is not None:
            raise SystemExit("Kamailio ended:\n" + open(self.log.name).read())
        self.load = {"server": f"127.0.0.1:{port}", "peer": "kamailio", **({"realm": REALM} if digest else {})}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def arguments(self, wanted):
        return arguments(self, wanted, None)

    def secrets(self, users):
        path = os.path.join(self.folder, "secrets.db")
        database = sqlite3.connect(path)
        database.execute("CREATE TABLE version (table_name TEXT, table_version INTEGER)")
        database.execute("INSERT INTO version VALUES ('htable', 2)")
        database.execute("CREATE TABLE htable (id INTEGER PRIMARY KEY, key_name TEXT, key_type INTEGER DEFAULT 0, value_type INTEGER DEFAULT 0, "
                         "key_value TEXT, expires INTEGER DEFAULT 0)")
        names = [FIRST_EXTENSION + base + i for base, count in ((0, users), (2000000, 1000), (3000000, 1000)) for i in range(count)]
        database.executemany("INSERT INTO htable (key_name, key_value) VALUES (?, ?)", ((str(name), ha1(name)) for name in names))
        database.commit()
        database.close()
        return path

    def locations(self):
        path = os.path.join(self.folder, "location.db")
        with open("/usr/share/kamailio/db_sqlite/usrloc-create.sql") as script:
            database = sqlite3.connect(path)
            database.execute("CREATE TABLE version (table_name TEXT, table_version INTEGER)")
            database.executescript(script.read())
            database.execute("PRAGMA journal_mode = WAL")
            database.commit()
            database.close()
        return path

    def relay_commands(self):
        return None

    def processes(self):
        def children(process):
            with open(f"/proc/{process}/task/{process}/children") as file:
                found = [int(word) for word in file.read().split()]
            return found + [child for one in found for child in children(one)]

        return [self.process.pid, *children(self.process.pid)]

    def cpu_us(self):
        return sum(run_time_us(process) for process in self.processes())

    def memory_bytes(self):
        return sum(pss_bytes(process) for process in self.processes())
