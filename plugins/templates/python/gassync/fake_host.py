"""A host for unit tests: answers come from a queue, requests are kept, and nothing leaves the process."""

import json
import time
from types import SimpleNamespace

from .contract import Header, HttpError, HttpRequest, HttpResponse
from .crossing import to_json
from .host import connect
from .instants import instant, moment


class HostError(Exception):
    """How an import of the contract fails: `value` is what it declares."""

    def __init__(self, value):
        super().__init__(value)
        self.value = value


class FakeHost:
    """From here on the adapter talks to this host.

    `requests` is what was sent, bodies as text; `log` what was logged, as `(level, message, fields)`. `core_data` has
    the functions of the contract's interface that a test needs; `sign` and `verify` stand for the host's keys. `now` is
    what time it is, such as `2027-03-01T09:30:00Z`; without it the machine's clock is asked.
    """

    def __init__(self, settings=None, state=None, core_data=None, sign=None, verify=None, now=None):
        self.settings, self.state, self.now = settings or {}, state or {}, now
        self.requests, self.log, self._answers = [], [], []
        connect(
            SimpleNamespace(
                http=SimpleNamespace(send=self._send),
                settings=SimpleNamespace(get=lambda: to_json(self.settings)),
                log=SimpleNamespace(write=self._log),
                state=SimpleNamespace(
                    get=lambda key: to_json(self.state[key]).encode() if key in self.state else None,
                    set=lambda key, value: self.state.update({key: json.loads(value)}),
                    delete=lambda key: self.state.pop(key, None),
                    list_keys=lambda prefix: sorted(key for key in self.state if key.startswith(prefix)),
                ),
                signing=SimpleNamespace(
                    sign=sign or (lambda slot, field, algorithm, text, secrets: b"signature"),
                    verify=verify or (lambda slot, field, algorithm, text, secrets, signature: True),
                ),
                core_data=core_data,
            ),
            seconds=self._seconds,
        )

    def answer(self, status, body="", headers=None):
        """The channel's next answer; when none is left it is 503. A dict or a list is sent as JSON."""
        content = to_json(body) if isinstance(body, (dict, list)) else body
        headers = [Header(name, value) for name, value in (headers or {}).items()]
        body = content.encode() if isinstance(content, str) else content
        self._answers.append(HttpResponse(status=status, headers=headers, body=body))
        return self

    def fail(self, error: HttpError):
        """The next request fails: `fail(HttpError.TimedOut())`."""
        self._answers.append(HostError(error))
        return self

    def _seconds(self):
        return time.time() if self.now is None else moment(instant(self.now, "now")).timestamp()

    def _log(self, level, message, fields):
        self.log.append((level.value, message, dict(fields)))

    def _send(self, request, secrets, captures):
        headers = {header.name.lower(): header.value for header in request.headers}
        body = None if request.body is None else request.body.decode()
        self.requests.append(SimpleNamespace(method=request.method, url=request.url, headers=headers, body=body))
        answer = self._answers.pop(0) if self._answers else HttpResponse(status=503)
        if isinstance(answer, HostError):
            raise answer
        return answer


def call(body=None, method="POST", url="/", headers=None):
    """A channel's call to us, as `decode` is given it. A dict or a list is sent as JSON."""
    content = to_json(body) if isinstance(body, (dict, list)) else body
    return HttpRequest(
        method=method,
        url=url,
        headers=[Header(name, value) for name, value in (headers or {}).items()],
        body=content.encode() if isinstance(content, str) else content,
    )
