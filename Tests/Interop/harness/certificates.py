"""A private certificate authority, made by the openssl program for one test run."""

import pathlib
import secrets
import ssl
import subprocess


class Authority:
    """`path` is what clients must trust; `context` makes a server that it vouches for."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.path = self.folder / "authority.pem"
        self._run("req", "-x509", *self._new_key("authority"), "-out", self.path, "-days", "2", "-subj", "/CN=Interop authority",
                  "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")

    def context(self, name):
        """The TLS side of a server called `name`."""
        request, extensions, certificate = (self.folder / f"{name}.{kind}" for kind in ("csr", "ext", "pem"))
        extensions.write_text(f"subjectAltName=DNS:{name}\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n")
        self._run("req", *self._new_key(name), "-out", request, "-subj", f"/CN={name}")
        self._run("x509", "-req", "-in", request, "-CA", self.path, "-CAkey", self.folder / "authority.key", "-set_serial", "2",
                  "-days", "2", "-extfile", extensions, "-out", certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, self.folder / f"{name}.key")
        return context

    def issue(self, file, subject, names, days=2):
        """A certificate and its key, as paths; `names` as openssl writes them: `DNS:localhost,URI:spiffe://a`."""
        request, extensions, certificate, key = (self.folder / f"{file}.{kind}" for kind in ("csr", "ext", "pem", "key"))
        extensions.write_text(f"subjectAltName={names}\nextendedKeyUsage=serverAuth,clientAuth\nbasicConstraints=CA:FALSE\n")
        self._run("req", *self._new_key(file), "-out", request, "-subj", subject)
        self._run("x509", "-req", "-in", request, "-CA", self.path, "-CAkey", self.folder / "authority.key", "-set_serial", secrets.randbits(60),
                  "-days", days, "-extfile", extensions, "-out", certificate)
        return certificate, key

    def client(self, certificate=None, key=None):
        """The TLS side of a client that trusts this authority, and shows a certificate if it has one."""
        context = ssl.create_default_context(cafile=str(self.path))
        if certificate:
            context.load_cert_chain(certificate, key)
        return context

    def _new_key(self, name):
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.folder / f"{name}.key"]

    @staticmethod
    def _run(*arguments):
        done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
