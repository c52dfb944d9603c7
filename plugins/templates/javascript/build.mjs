// Makes one component of the adapter: `NAME.wasm`, after the manifest's id. `package.json` holds jco at the last version
// that does not bring a bundler and two compilers, of which nothing here is called.

import { mkdir, readFile, writeFile } from "node:fs/promises";

import { componentize } from "@bytecodealliance/componentize-js";

import { interfaces } from "./gassync/contract.js";
import * as plugin from "./plugin.js";

const manifest = await readFile("manifest.json", "utf8");
const { id } = JSON.parse(manifest);
const world = await readFile("wit/world.wit", "utf8");

// A world that names too much does not build, with an error that does not say why; one that names too little leaves
// the rest of the adapter unused.
const exported = [...world.matchAll(/^\s*export gassync:channel\/([a-z-]+)@/gm)].map(([, name]) => name);
for (const name of Object.keys(interfaces)) {
  const inWit = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const named = exported.includes(inWit);
  if (plugin[name] && !named) fail(`plugin.js exports ${name}, and wit/world.wit does not name ${inWit}`);
  if (!plugin[name] && named) fail(`wit/world.wit names ${inWit}, and plugin.js does not export ${name}`);
}

// The component has no files when it runs: the manifest goes into its code.
await mkdir("build", { recursive: true });
await writeFile("build/manifest.js", `export default ${JSON.stringify(manifest)};\n`);

// Everything stays enabled: without clocks `Date` would give the time of this build for ever.
const { component } = await componentize({ sourcePath: "gassync/component.js", witPath: "wit", worldName: "plugin" });
await writeFile(`${id}.wasm`, component);
console.log(`${id}.wasm: ${(component.length / 1e6).toFixed(1)} MB`);

function fail(problem) {
  console.error(problem);
  process.exit(1);
}
