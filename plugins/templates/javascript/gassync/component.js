// Where the build begins: the imports of the contract on one side, the adapter on the other.

import * as http from "gassync:channel/http@1.0.0-rc.5";
import * as coreData from "gassync:channel/core-data@1.0.0-rc.5";
import * as signing from "gassync:channel/signing@1.0.0-rc.5";
import * as log from "gassync:channel/log@1.0.0-rc.5";
import * as settings from "gassync:channel/settings@1.0.0-rc.5";
import * as state from "gassync:channel/state@1.0.0-rc.5";

import manifest from "../build/manifest.js";
import * as plugin from "../plugin.js";
import { exportsOf } from "./exports.js";
import { connectHost } from "./host.js";

connectHost({ http, coreData, signing, log, settings, state });

// All of them by name, as a module must; `wit/world.wit` says which of them the component has.
export const {
  metadata, inbound, reply, pull, acknowledgements, pushCalendar, pushReservations, pushContent, feeds, connection,
} = exportsOf(plugin, manifest);
