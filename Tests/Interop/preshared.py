"""The pre-shared keys of Python 3.13's ssl for an earlier Python, so that Examples/python/security.py can be checked on one.

`install()` adds SSLContext.set_psk_client_callback and set_psk_server_callback by the same two functions of OpenSSL that 3.13's own
call. It reads the context's pointer from where CPython 3.7 to 3.12 keeps it. For checks only.
"""
import ctypes
import ssl
import sys

_CLIENT = ctypes.CFUNCTYPE(ctypes.c_uint, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_void_p, ctypes.c_uint)
_SERVER = ctypes.CFUNCTYPE(ctypes.c_uint, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_uint)
# OpenSSL calls them as long as it has the context, and does not keep them.
_kept = []


def _pointer(context):
    """SSL_CTX *, which is the first field of the object."""
    return ctypes.c_void_p.from_address(id(context) + object.__basicsize__).value


def _library():
    """The one that Python's own module has loaded."""
    with open("/proc/self/maps", encoding="utf-8") as maps:
        path = next(line.split()[-1] for line in maps if "libssl.so" in line)
    library = ctypes.CDLL(path)
    for function in library.SSL_CTX_set_psk_client_callback, library.SSL_CTX_set_psk_server_callback:
        function.argtypes, function.restype = [ctypes.c_void_p, ctypes.c_void_p], None
    library.SSL_CTX_set_session_id_context.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint]
    return library


def _client(context, callback):
    def call(_, hint, identity, most_identity, secret, most_secret):
        name, key = callback(hint.decode() if hint else None)
        name = (name or "").encode()
        if len(name) + 1 > most_identity or len(key) > most_secret:
            return 0
        ctypes.memmove(identity, name + b"\0", len(name) + 1)
        ctypes.memmove(secret, key, len(key))
        return len(key)

    _kept.append(_CLIENT(call))
    library = _library()
    # 3.13 sets none on the side that connects, where OpenSSL compares it with that of the key, which has none (gh-105293).
    library.SSL_CTX_set_session_id_context(_pointer(context), b"", 0)
    library.SSL_CTX_set_psk_client_callback(_pointer(context), ctypes.cast(_kept[-1], ctypes.c_void_p))


def _server(context, callback, identity_hint=None):
    def call(_, identity, secret, most_secret):
        key = callback(identity.decode() if identity else None)
        if len(key) > most_secret:
            return 0
        ctypes.memmove(secret, key, len(key))
        return len(key)

    _kept.append(_SERVER(call))
    _library().SSL_CTX_set_psk_server_callback(_pointer(context), ctypes.cast(_kept[-1], ctypes.c_void_p))


def install():
    """Does nothing where Python has them, and tells whether it has."""
    if hasattr(ssl.SSLContext, "set_psk_client_callback"):
        return True
    if sys.implementation.name != "cpython" or sys.version_info < (3, 7):
        raise RuntimeError("no CPython whose layout is known")
    ssl.SSLContext.set_psk_client_callback = _client
    ssl.SSLContext.set_psk_server_callback = _server
    return False


if __name__ == "__main__":  # preshared.py PROGRAM ARGUMENTS: the program, with keys
    import os
    import runpy
    install()
    del sys.argv[0]
    sys.path[0] = os.path.dirname(sys.argv[0])
    runpy.run_path(sys.argv[0], run_name="__main__")
