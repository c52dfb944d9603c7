// Makes of an adapter what the component exports: every function answers in the contract's form, or with one of its
// errors.

import { interfaces, Misfit, optional } from "./contract.js";
import { declared, unsupported } from "./errors.js";

/** `plugin` has an object for each interface it implements: `{ inbound: { decode }, pull: { fetch } }`. */
export function exportsOf(plugin, manifest) {
  const exported = { metadata: { describe: () => manifest } };
  for (const [name, functions] of Object.entries(interfaces)) {
    if (!plugin[name]) continue;
    exported[name] = {};
    for (const [func, answer] of Object.entries(functions)) {
      exported[name][func] = guarded(plugin[name], `${name}.${func}`, func, answer);
    }
  }
  return exported;
}

function guarded(implementation, name, func, answer) {
  return async (...given) => {
    try {
      if (!implementation[func]) throw optional.has(name) ? unsupported() : new TypeError(`the plugin has no ${name}`);
      const answered = answer(await implementation[func](...given));
      // One answer for each: with one missing nobody could say whose the others are.
      const expected = func === "push" || func === "acknowledge" ? given[0].length : answered.length;
      if (answered.length !== expected) throw new Misfit(`${answered.length} answers to ${expected} items`);
      return answered;
    } catch (thrown) {
      throw declared(thrown);
    }
  };
}
