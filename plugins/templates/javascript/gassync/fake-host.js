// A host for unit tests: answers come from a queue, requests are kept, and nothing leaves the process.

import { httpResponse } from "./contract.js";
import { connectHost } from "./host.js";
import { instant } from "./instants.js";

const utf8 = new TextEncoder();

export class FakeHost {
  /** What was sent, bodies as text. */
  requests = [];
  /** What was logged: `{ level, message, fields }`. */
  log = [];
  #answers = [];

  /**
   * From here on the adapter talks to this host. `coreData` has the functions of the contract's interface that the
   * test needs, `sign` and `verify` stand for the host's keys. `now` is what time it is, such as
   * `2027-03-01T09:30:00Z`; without it the machine's clock is asked.
   */
  constructor({ settings = {}, state = {}, coreData = {}, sign, verify, now } = {}) {
    this.settings = settings;
    this.state = state;
    this.now = now;
    const imports = {
      http: { send: (request) => this.#send(request) },
      settings: { get: () => JSON.stringify(this.settings) },
      log: { write: (level, message, fields) => this.log.push({ level, message, fields: Object.fromEntries(fields) }) },
      state: {
        get: (key) => (Object.hasOwn(this.state, key) ? utf8.encode(JSON.stringify(this.state[key])) : undefined),
        set: (key, bytes) => void (this.state[key] = JSON.parse(new TextDecoder().decode(bytes))),
        delete: (key) => void delete this.state[key],
        listKeys: (prefix) => Object.keys(this.state).filter((key) => key.startsWith(prefix)).sort(),
      },
      signing: {
        sign: sign ?? (() => utf8.encode("signature")),
        verify: verify ?? (() => true),
      },
      coreData,
    };
    connectHost(imports, () => (this.now === undefined ? Date.now() : Date.parse(instant(this.now, "now"))));
  }

  /** The channel's next answer; when none is left it is 503. An object is sent as JSON. */
  answer(status, body = "", headers = {}) {
    const text = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
    this.#answers.push(() => httpResponse({ status, headers, body: text }));
    return this;
  }

  /** The next request fails with one of the contract's errors: `fail("timed-out")`, `fail("rate-limited", 30)`. */
  fail(tag, val) {
    this.#answers.push(() => {
      throw Object.assign(new Error(tag), { payload: { tag, val } });
    });
    return this;
  }

  #send({ method, url, headers, body }) {
    this.requests.push({
      method,
      url,
      headers: Object.fromEntries(headers.map(({ name, value }) => [name.toLowerCase(), value])),
      body: body === undefined ? undefined : new TextDecoder().decode(body),
    });
    const next = this.#answers.shift();
    return next ? next() : httpResponse({ status: 503 });
  }
}

/** A channel's call to us, as `decode` is given it. An object is sent as JSON. */
export function call(body, { method = "POST", url = "/", headers = {} } = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return {
    method,
    url,
    headers: Object.entries(headers).map(([name, value]) => ({ name, value })),
    body: text === undefined ? undefined : utf8.encode(text),
  };
}
