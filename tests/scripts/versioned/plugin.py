"""The guest `versioned` in another language: it says which version it is, as all of them do."""

from gassync import Decoded, reply


class Inbound:
    def decode(self, request):
        return Decoded(changes=[], reply=reply(200, "2.0.0"))
