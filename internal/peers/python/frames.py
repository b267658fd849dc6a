"""Sessions as bytes, as internal/peers/node/honest/frames.mjs describes them."""


class Reader:
    def __init__(self, encoded):
        self._bytes = encoded
        self._at = 0

    def number(self):
        value = shift = 0
        while True:
            byte = self._bytes[self._at]
            self._at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def bytes(self):
        length = self.number()
        self._at += length
        return self._bytes[self._at - length : self._at]

    def sessions(self):
        """Returns a list of seeds, whether the session is exotic, and updates; their kinds are left out."""
        return [
            (self.number(), self.number() == 1, [self._update() for _ in range(self.number())])
            for _ in range(self.number())
        ]

    def _update(self):
        self.bytes()
        return self.bytes()


def _number(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _bytes(value):
    return _number(len(value)) + value


def write_sessions(sessions):
    """Writes a list of seeds, whether the session is exotic, and lists of kinds and updates."""
    out = [_number(len(sessions))]
    for seed, exotic, updates in sessions:
        out += [_number(seed), _number(exotic), _number(len(updates))]
        for kind, update in updates:
            out += [_bytes(kind.encode()), _bytes(update)]
    return b"".join(out)
