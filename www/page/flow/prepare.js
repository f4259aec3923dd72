// @ts-check
// From the first script to the locked page: everything is fetched, then the network is closed.

/** @import { PickedFile } from "../../protocol.js" */
/** @import { Parts } from "../load/parts.js" */

import { lockNetwork } from "../lock/lock.js";
import { bindLeakTest, showLock, showUnlocked } from "../lock/lock_view.js";
import { keptOffline } from "../load/offline.js";
import { loadParts } from "../load/parts.js";
import { fetchSample } from "./pick.js";
import { device } from "../settings/settings.js";

/**
 * All that the page ever needs from its server.
 * @typedef {object} Prepared
 * @property {Parts} parts
 * @property {PickedFile[] | Error} sample or why there is none
 */

/**
 * Resolves when the network is locked; only then may files be taken.
 * @returns {Promise<Prepared>}
 */
export async function prepare() {
  try {
    const parts = await loadParts(device());
    const [sample] = await Promise.all([
      fetchSample().catch((/** @type {Error} */ error) => error),
      keptOffline(),
    ]);
    lockNetwork(showLock);
    bindLeakTest(parts);
    return { parts, sample };
  } catch (error) {
    showUnlocked();
    throw error;
  }
}
