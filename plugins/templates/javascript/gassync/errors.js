// What a plugin says when it cannot. `throw malformed("from: tomorrow")` reaches the host as the contract's error of
// that name; whatever else is thrown reaches it as `broken`, the plugin's own fault, and never as a trap.

import { channelError } from "./contract.js";

export class ChannelError extends Error {
  /** `payload` is where the engine looks for what a function's declared error carries. */
  constructor(payload, cause) {
    super(`${payload.tag}${payload.val === undefined ? "" : `: ${JSON.stringify(payload.val)}`}`, { cause });
    this.name = "ChannelError";
    this.payload = channelError(payload);
  }
}

/** The credential does not work any more; say what the channel said. */
export const unauthorized = (said) => new ChannelError(channelError.unauthorized(said));
/** Seconds to wait, where the channel says so. */
export const rateLimited = (seconds) => new ChannelError(channelError.rateLimited(seconds));
/** The channel does not answer, or not as it should: worth another try later. */
export const unavailable = (why) => new ChannelError(channelError.unavailable(why));
/** Field errors: `[{ path, problem }]`, the path a JSON pointer into the channel's payload. */
export const rejected = (fieldErrors) => new ChannelError(channelError.rejected(fieldErrors));
/** Where in the payload, and what was expected there. */
export const malformed = (where) => new ChannelError(channelError.malformed(where));
export const conflict = (why) => new ChannelError(channelError.conflict(why));
export const unsupported = () => new ChannelError(channelError.unsupported());

/**
 * This folder as the engine writes it into stacks, read off a frame of our own: the partner's folders may have the same
 * name. StarlingMonkey writes `@gassync/errors.js:1:1`, Node.js `at file:///…/gassync/errors.js:1:1`.
 */
const folder = /(?:@|at )(.+?)errors\.js:\d+:\d+\)?$/m.exec(new Error().stack)?.[1];

/** Whether a frame is of this folder's code. Its tests stand in for a partner. */
const isOurs = (frame) =>
  folder !== undefined && ["@", "at ", "("].some((before) => frame.includes(before + folder)) &&
  !/\.test\.js:\d+:\d+\)?$/.test(frame);

/** Whether a frame is of what the engine puts around a component, or of Node.js under tests. */
const isEngines = (frame) => /@initializer\.js:|(?:at |\()node:/.test(frame);

/** What was thrown, as an error that the contract has. */
export function declared(thrown) {
  if (thrown instanceof ChannelError) return thrown;
  const text = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : `thrown: ${typeof thrown}`;
  const frames = String(thrown?.stack ?? "").split("\n").filter((line) => /:\d+:\d+\)?$/.test(line));
  // Of the stack only what is the partner's.
  const own = frames.filter((frame) => !isOurs(frame) && !isEngines(frame));
  const where = own.slice(0, 3).map((line) => `\n  ${line.trim()}`);
  return new ChannelError(channelError.broken(text + where.join("")), thrown);
}
