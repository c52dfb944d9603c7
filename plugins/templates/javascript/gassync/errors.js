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

/** What was thrown, as an error that the contract has. */
export function declared(thrown) {
  if (thrown instanceof ChannelError) return thrown;
  const text = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : `thrown: ${typeof thrown}`;
  // Of the stack only what is the partner's: the rest is this folder, and what the engine puts around it.
  const frames = String(thrown?.stack ?? "").split("\n").filter((line) => /:\d+:\d+\)?$/.test(line));
  const own = frames.filter((line) => !/gassync\/(?!gassync\.test)|initializer\.js|node:/.test(line));
  const where = own.slice(0, 3).map((line) => `\n  ${line.trim()}`);
  return new ChannelError(channelError.broken(text + where.join("")), thrown);
}
