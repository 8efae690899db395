"""Certificates made with the openssl command line as they are needed: an authority, and what it signs."""

import os
import subprocess


def _openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


class Authority:
    """A certificate authority in a folder. `.path` is its own certificate."""

    def __init__(self, folder):
        self.folder, self.path, self.key = folder, os.path.join(folder, "ca.pem"), os.path.join(folder, "ca.key")
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                 "-subj", "/CN=Test authority", "-keyout", self.key, "-out", self.path)

    def issue(self, name, alternative, path=None, purposes=None):
        """A certificate and its key in one file, for "IP:127.0.0.1,DNS:sip.example.com" and the like; gives the path. `purposes`:
        the extended ones, such as "serverAuth"; without them it is good for any."""
        path = path or os.path.join(self.folder, f"{name}.pem")
        request, extensions, key = (f"{path}.{kind}" for kind in ("request", "extensions", "key"))
        with open(extensions, "w") as file:
            file.write(f"subjectAltName={alternative}\nbasicConstraints=CA:FALSE\n")
            file.write(f"extendedKeyUsage={purposes}\n" if purposes else "")
        _openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                 "-keyout", key, "-out", request)
        _openssl("x509", "-req", "-in", request, "-CA", self.path, "-CAkey", self.key, "-CAcreateserial", "-days", "2",
                 "-extfile", extensions, "-out", f"{path}.new")
        with open(f"{path}.new", "a") as both, open(key) as private:
            both.write(private.read())
        os.replace(f"{path}.new", path)
        return path
