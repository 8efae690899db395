"""A media relay of one's own: Debian's rtpengine on free ports of the loopback, in user space."""

import os
import shutil

from agents import Process, free_port, wait_for


def installed():
    return shutil.which("rtpengine") is not None


class Relay(Process):
    """Listens when the constructor has returned. `ports`: a call takes four, a leg of it two. `settings` is what carillond is to be told of it."""

    def __init__(self, name="one", host="127.0.0.1", ports=200, core=None):
        self.host, self.port, self.keys_port = host, free_port(host), free_port(host)
        low = 20000 + os.getpid() % 20 * 200
        assert low + ports <= 32768  # from there on the system gives them to anybody
        self.command = ["rtpengine", "--config-file=none", "--table=-1", f"--interface={host}",
                        f"--listen-ng={host}:{self.port}", f"--dtmf-log-dest={host}:{self.keys_port}",
                        f"--port-min={low}", f"--port-max={low + ports - 1}", "--delete-delay=0", "--mos=LQ",
                        "--num-threads=2", "--foreground", "--log-stderr"]
        if core is not None:
            self.command = ["taskset", "-c", str(core), *self.command]
        super().__init__("rtpengine", self.command)
        self.settings = (f"media relays = {host}:{self.port} name={name}\nmedia dtmf = {host}:{self.keys_port}\n"
                         f"media prompts = {self.folder}/prompts\n")
        self._ready()

    def _ready(self):
        def listens():
            with open("/proc/net/udp") as sockets:
                return f":{self.port:04X} " in sockets.read()

        wait_for(listens, 10, "rtpengine to listen: " + self.output())

    def again(self):
        """Starts it once more, on the same ports, with no memory of what was."""
        Process.__init__(self, "rtpengine", self.command, self.folder)
        self._ready()

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
