"""SRTP with keys from a description (RFC 3711, RFC 4568), one suite: AES_CM_128_HMAC_SHA1_80. AES is OpenSSL's; the rest shares no code
with the relay on purpose."""

import base64
import ctypes
import hashlib
import hmac
import struct

TAG_SIZE = 10
_crypto = ctypes.CDLL("libcrypto.so.3")
for _name in "EVP_CIPHER_CTX_new", "EVP_aes_128_ctr":
    getattr(_crypto, _name).restype = ctypes.c_void_p
_crypto.EVP_EncryptInit_ex.argtypes = [ctypes.c_void_p] * 3 + [ctypes.c_char_p] * 2
_crypto.EVP_EncryptUpdate.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(ctypes.c_int), ctypes.c_char_p, ctypes.c_int]
_crypto.EVP_CIPHER_CTX_free.argtypes = [ctypes.c_void_p]


def aes_cm(key, iv, data):
    """AES in counter mode (RFC 3711 section 4.1.1), there and back; `iv` is a number."""
    context = _crypto.EVP_CIPHER_CTX_new()
    into, length = ctypes.create_string_buffer(len(data)), ctypes.c_int()
    _crypto.EVP_EncryptInit_ex(context, _crypto.EVP_aes_128_ctr(), None, key, iv.to_bytes(16, "big"))
    _crypto.EVP_EncryptUpdate(context, into, ctypes.byref(length), data, len(data))
    _crypto.EVP_CIPHER_CTX_free(context)
    return into.raw


def derived(key, salt, label, size):
    """A session key (section 4.3.1); the rate of derivation is 0."""
    return aes_cm(key, (int.from_bytes(salt, "big") ^ label << 48) << 16, bytes(size))


class Stream:
    """One direction under one master key: the base64 text behind "inline:"."""

    def __init__(self, inline):
        master = base64.b64decode(inline)
        key, salt = master[:16], master[16:30]
        self.key, self.auth_key = derived(key, salt, 0, 16), derived(key, salt, 1, 20)
        self.salt = int.from_bytes(derived(key, salt, 2, 14), "big")
        self.rollovers = {}  # by source: (the last sequence number, how often they began anew)

    def _rollover(self, packet):
        """Packets come in order here, or nearly so."""
        sequence, source = struct.unpack(">H4xI", packet[2:12])
        last, count = self.rollovers.get(source, (sequence, 0))
        if sequence < last and last - sequence > 0x8000:
            count += 1
        self.rollovers[source] = sequence, count
        return sequence, source, count

    def _crypt(self, packet, sequence, source, count):
        head = 12 + 4 * (packet[0] & 0x0f)
        if packet[0] & 0x10:
            head += 4 + 4 * struct.unpack(">H", packet[head + 2:head + 4])[0]
        iv = self.salt << 16 ^ source << 64 ^ (count << 16 | sequence) << 16
        return packet[:head] + aes_cm(self.key, iv, packet[head:])

    def _tag(self, packet, count):
        return hmac.new(self.auth_key, packet + struct.pack(">I", count), hashlib.sha1).digest()[:TAG_SIZE]

    def protect(self, packet):
        sequence, source, count = self._rollover(packet)
        sealed = self._crypt(packet, sequence, source, count)
        return sealed + self._tag(sealed, count)

    def open(self, packet):
        """What is in it. ValueError: it was not made with this key."""
        sealed, tag = packet[:-TAG_SIZE], packet[-TAG_SIZE:]
        sequence, source, count = self._rollover(sealed)
        if self._tag(sealed, count) != tag:
            raise ValueError("an SRTP packet with a wrong tag")
        return self._crypt(sealed, sequence, source, count)
