"""TLS contexts of endpoints that have a client certificate or a CA of their own."""

import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from app.domain.certificates import TlsIdentity


def context_of(identity: TlsIdentity) -> ssl.SSLContext:
    """Make the context; with an own CA no other is trusted. Blocks for milliseconds; SSLError where it cannot be."""
    context = ssl.create_default_context(cadata=identity.ca_pem)
    if identity.chain_pem is not None and identity.key_pem is not None:
        # OpenSSL as Python has it reads certificate and key from a file alone.
        with _file_of((identity.chain_pem + identity.key_pem).encode()) as path:
            context.load_cert_chain(path)
    return context


@contextmanager
def _file_of(content: bytes) -> Iterator[str]:
    """Keep a key in a file for a moment: in memory where the system can, else for this user alone."""
    with _open_file() as file:
        file.write(content)
        file.flush()
        in_memory = f"/proc/self/fd/{file.fileno()}"
        yield in_memory if isinstance(file.name, int) else file.name


def _open_file() -> IO[bytes]:
    with suppress(AttributeError, OSError):
        file = os.fdopen(os.memfd_create("tls"), "wb")
        if Path(f"/proc/self/fd/{file.fileno()}").exists():
            return file
        file.close()
    return tempfile.NamedTemporaryFile(prefix="lintas-tls-")
