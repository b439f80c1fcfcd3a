// Copyright (c) 2026, steady.redis contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// An application with ioredis, set as docs/operations/clients.md says. ioredis.js SENTINELS GROUP LOG
import { randomBytes } from "node:crypto";
import { openSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";

const [sentinels, name, path] = process.argv.slice(2);
const client = new Redis({
  sentinels: sentinels.split(",").map((each) => ({ host: each.split(":")[0], port: Number(each.split(":")[1]) })),
  name,
  connectTimeout: 500,
  commandTimeout: 1000,
  socketTimeout: 1000, // or a master that hangs is never left
  sentinelCommandTimeout: 500, // or a Sentinel that hangs is never left
  maxRetriesPerRequest: 0,
  retryStrategy: () => 50,
  sentinelRetryStrategy: () => 50,
  reconnectOnError: (error) => /^(READONLY|NOREPLICAS|MISCONF)/.test(error.message),
});

const log = openSync(path, "w");
const zero = performance.now();
const run = "oracle:" + randomBytes(4).toString("hex");
let number = 0;
// A line of the log that plugins/module_utils/_writer.py reads.
const seconds = (since) => ((performance.now() - since) / 1000).toFixed(6);
const note = (event, what) => writeSync(log, `${event} ${seconds(zero)} ${what}\n`);
process.on("SIGTERM", () => {
  note("end", number);
  process.exit();
});
client.on("error", () => {});

note("start", run);
for (;;) {
  number += 1;
  const sent = performance.now();
  try {
    await client.set(`${run}:${number}`, `${run}:${number}:`.padEnd(100, "x"));
    note("ack", `${number} ${seconds(sent)}`);
  } catch (error) {
    const said = String(error.message).split(" ")[0];
    note("error", /^[A-Z]{4,}$/.test(said) ? said : error.name);
    await sleep(20);
  }
  await sleep(Math.max(0, 2 - (performance.now() - sent)));
}
