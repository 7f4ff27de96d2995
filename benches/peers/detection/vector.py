"""A request as the 24 numbers that every peer gets."""

import math
from base64 import b64decode
from urllib.parse import unquote_to_bytes

import numpy

METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]
# Classes of bytes: letters, digits, spaces and what attacks are written with; all others are the last.
GROUPS = [b"@", b"0123456789", b" +", b"/\\", b".-_", b"'\"`", b"<>", b"()[]{}", b";|&$", b"=,:"]
CLASSES = 14


def classes():
    table = bytearray([CLASSES - 1] * 256)
    for byte in range(256):
        if chr(byte).isascii() and chr(byte).isalpha():
            table[byte] = 0
        elif byte < 32 or byte == 127:
            table[byte] = 11
        elif byte >= 128:
            table[byte] = 12
    for number, group in enumerate(GROUPS, 1):
        for byte in group:
            table[byte] = number
    return bytes(table)


CLASS = classes()


def vectors(events):
    return numpy.array([vector(event["request"]) for event in events])


def vector(request):
    """Method; logarithms of lengths; counts; entropy of all text, decoded, and logarithms of its classes' counts."""
    path, query = encoded(request["path"]), encoded(request.get("query") or "")
    body = request.get("body") or ""
    body = b64decode(body["base64"]) if isinstance(body, dict) else body.encode()
    headers = [(name, encoded(value)) for name, value in request.get("headers", [])]
    is_form = any(n.lower() == "content-type" and b"x-www-form-urlencoded" in v.lower() for n, v in headers)
    pairs = [pair.partition(b"=")[2] for text in (query, body if is_form else b"") for pair in text.split(b"&") if pair]
    values = [decoded(value) for value in pairs] + [value for _, value in headers]
    text = b"".join([decoded(path), *(decoded(pair) for pair in query.split(b"&")), decoded(body) if is_form else body,
                     *(value for _, value in headers)])
    sizes = [len(path), len(query), len(body), max(map(len, values), default=0), sum(len(value) for _, value in headers)]
    counts = [path.count(b"/"), len(pairs), len(headers)]
    method = METHODS.index(request["method"]) if request["method"] in METHODS else len(METHODS)
    symbols = numpy.frombuffer(text.translate(CLASS), dtype=numpy.uint8)
    of_class = numpy.bincount(symbols, minlength=CLASSES)
    return [method, *map(math.log1p, sizes), *counts, entropy(text), *numpy.log1p(of_class)]


def encoded(text):
    """Each character is a byte where all fit; else it is UTF-8."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()


def decoded(text):
    return unquote_to_bytes(text.replace(b"+", b" "))


def entropy(text):
    counts = numpy.bincount(numpy.frombuffer(text, dtype=numpy.uint8))
    shares = counts[counts > 0] / max(len(text), 1)
    return float(-(shares * numpy.log2(shares)).sum())
